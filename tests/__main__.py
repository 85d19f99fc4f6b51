"""The whole test suite: `python -m tests`.

Unit and synth tests share both cores. The tests on the local cloud are two runs side by side, each with clouds of its
own: the scenarios of `saas` and `lake`, which keep one core busy to the end, and beside them the tests of the cloud
itself, which mostly wait, the other rooms, the README and the demo. (xdist's groups do not do it: with pytest 9 they
are not seen.)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import IO

_TWO = ("-n", "2", "--dist")
_SCENARIOS = ("tests/local/saas", "tests/local/lake")
_BESIDE = ("tests/local", *(word for one in _SCENARIOS for word in ("--ignore", one)))
# Each suite's runs go on at the same time. pytest's exit code 5, no test ran, is a failure here too.
SUITES: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("unit tests", (("tests/unit", *_TWO, "loadfile"),)),
    ("synth tests", (("tests/synth", *_TWO, "worksteal"),)),
    ("tests on the local cloud", (_SCENARIOS, _BESIDE)),
)


def main(arguments: Sequence[str]) -> int:
    """Run every suite, even after one has failed; the exit code tells whether all passed."""
    outcomes = []
    for name, runs in SUITES:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        passed = _run([[*words, *arguments] for words in map(_of_the_room, runs) if words])
        outcomes.append((name, passed, time.monotonic() - began))
    for name, passed, seconds in outcomes:
        print(f"== {name}: {'passed' if passed else 'FAILED'} in {seconds / 60:.1f} minutes")
    return 0 if all(passed for _, passed, _ in outcomes) else 1


def _of_the_room(words: Sequence[str]) -> Sequence[str]:
    """A run without the scenarios of other rooms; pytest leaves out the rest of these."""
    room = os.environ.get("ROOM", "")
    return [one for one in words if one.endswith(f"/{room}")] if room and words == _SCENARIOS else words


def _run(runs: Sequence[Sequence[str]]) -> bool:
    """Run pytest with each of these words at the same time; what the first says is seen at once, the others' after."""
    first, *others = runs
    with tempfile.TemporaryFile() as told:
        beside = [_start(words, told) for words in others]
        passed = [_start(first, None).wait() == 0]
        passed += [process.wait() == 0 for process in beside]
        told.seek(0)
        sys.stdout.write(told.read().decode(errors="replace"))
    return all(passed)


def _start(words: Sequence[str], told: IO[bytes] | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "pytest", "-q", *words], stdout=told, stderr=told)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
