"""The whole test suite: `python -m tests`.

Unit and synth tests share both cores; the tests on the local cloud run one after the other, for each keeps both cores
busy by itself.
"""

from __future__ import annotations

import subprocess
import sys
import time

# pytest's exit code 5, no test ran, is a failure here too.
SUITES: tuple[tuple[str, list[str]], ...] = (
    ("unit tests", ["tests/unit", "-n", "2", "--dist", "loadfile"]),
    ("synth tests", ["tests/synth", "-n", "2", "--dist", "loadfile"]),
    ("tests on the local cloud", ["tests/local"]),
)


def main(arguments: list[str]) -> int:
    """Run every suite, even after one has failed; the exit code tells whether all passed."""
    failed = []
    for name, words in SUITES:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", *words, *arguments], check=False)
        outcome = "passed" if done.returncode == 0 else "FAILED"
        print(f"== {name}: {outcome} in {time.monotonic() - began:.0f} s", flush=True)
        if done.returncode != 0:
            failed.append(name)
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
