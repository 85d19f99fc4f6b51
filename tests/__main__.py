"""The whole test suite: `python -m tests`.

The tests of a suite share both cores. On the local cloud a worker has the scenarios, which keep it busy to the end; the
other one has the tests of the cloud itself, which mostly wait, then the README and the demo.
"""

from __future__ import annotations

import subprocess
import sys
import time

# pytest's exit code 5, no test ran, is a failure here too.
SUITES: tuple[tuple[str, list[str]], ...] = (
    ("unit tests", ["tests/unit", "--dist", "loadfile"]),
    ("synth tests", ["tests/synth", "--dist", "loadfile"]),
    ("tests on the local cloud", ["tests/local", "--dist", "loadgroup"]),
)


def main(arguments: list[str]) -> int:
    """Run every suite, even after one has failed; the exit code tells whether all passed."""
    outcomes = []
    for name, words in SUITES:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-n", "2", *words, *arguments], check=False)
        seconds = time.monotonic() - began
        outcomes.append((name, done.returncode == 0, seconds))
    for name, passed, seconds in outcomes:
        print(f"== {name}: {'passed' if passed else 'FAILED'} in {seconds / 60:.1f} minutes")
    return 0 if all(passed for _, passed, _ in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
