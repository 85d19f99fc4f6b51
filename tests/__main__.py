"""The whole test suite: `python -m tests`, on files that are kept in memory where the machine has it.

Unit and synth tests share both cores. The tests on the local cloud are several runs, each with clouds of its own: a
room's scenarios; what plays on the README's factory; the tests of the cloud itself. A run does one thing after the
other, and waits for much of its time: three go on together, and the longest begins first. (xdist's groups do not do it:
with pytest 9 they are not seen.)
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

from stacks.rooms import NAMES

Words = tuple[str, ...]
AT_A_TIME = 3
# Builds unpack thousands of files, again and again: on a disk that takes half as long again.
_MEMORY, _BYTES_LEFT = Path("/dev/shm"), 8 << 30  # noqa: S108 - each run makes a folder of its own there
_TWO = ("-n", "2", "--dist")
_LOCAL = Path("tests/local")
# They have a factory of their own, and take as long as all other scenarios of their room.
_RELEASES = "tests/local/saas/releases"
# The factory that the README's commands have set up, and the room that comes and goes there.
_README: Words = ("tests/local/rooms", "tests/local/test_readme.py")


def local_runs(room: str) -> Iterator[Words]:
    """The runs on the local cloud, the longest first; of other rooms than `room` pytest leaves out the rest."""
    rooms = [one for one in map(str, map(_LOCAL.joinpath, NAMES)) if Path(one).is_dir()]
    chosen: list[Words] = [(one,) for one in rooms if not room or one.endswith(f"/{room}")]
    rest = (str(_LOCAL), *(word for one in (*rooms, *_README) for word in ("--ignore", one)))
    if not room or room == "saas":
        chosen[0] = (*chosen[0], "--ignore", _RELEASES)
        yield (_RELEASES,)
    yield from (*chosen, rest, _README)


def main(arguments: Sequence[str]) -> int:
    """Run every suite, even after one has failed; the exit code tells whether all passed."""
    if "TMPDIR" in os.environ or not _is_roomy(_MEMORY):
        return _run_all(arguments)
    folder = os.environ["TMPDIR"] = mkdtemp(dir=_MEMORY, prefix="granary-")
    failed = _run_all(arguments)
    if failed:
        print(f"== logs and files of the tests are in {folder}, in memory: remove it when you have looked")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return failed


def _is_roomy(folder: Path) -> bool:
    """Whether programs can be run there, and enough is left for all clouds of a run."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(folder)
    told = re.search(r"^MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    left = min(found.f_bavail * found.f_frsize, int(told[1]) << 10 if told else 0)
    return not found.f_flag & os.ST_NOEXEC and left >= _BYTES_LEFT


def _run_all(arguments: Sequence[str]) -> int:
    outcomes = []
    for name, runs in (
        ("unit tests", [("tests/unit", *_TWO, "loadfile")]),
        ("synth tests", [("tests/synth", "tests/component", *_TWO, "worksteal")]),
        ("tests on the local cloud", list(local_runs(os.environ.get("ROOM", "")))),
    ):
        print(f"== {name}", flush=True)
        began = time.monotonic()
        passed = _run([(*words, *arguments) for words in runs])
        outcomes.append((name, passed, time.monotonic() - began))
    for name, passed, seconds in outcomes:
        print(f"== {name}: {'passed' if passed else 'FAILED'} in {seconds / 60:.1f} minutes")
    return 0 if all(passed for _, passed, _ in outcomes) else 1


def _run(runs: Sequence[Words]) -> bool:
    """Run pytest with each of these words; what the first says is seen at once, the others' when all have ended.

    pytest's exit code 5, no test ran, is a failure here too.
    """
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        ended = list(pool.map(_pytest, runs, [None, *[subprocess.PIPE] * (len(runs) - 1)]))
    for words, (one, seconds) in zip(runs, ended, strict=True):
        said = "" if one.stdout is None else one.stdout.decode(errors="replace")
        print(f"= {words[0]}: {seconds / 60:.1f} minutes", said, sep="\n", flush=True)
    return all(one.returncode == 0 for one, _ in ended)


def _pytest(words: Words, told: int | None) -> tuple[subprocess.CompletedProcess[bytes], float]:
    command, began = [sys.executable, "-m", "pytest", "-q", *words], time.monotonic()
    done = subprocess.run(command, stdout=told, stderr=told and subprocess.STDOUT, check=False)
    return done, time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
