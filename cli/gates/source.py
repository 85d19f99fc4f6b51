"""The source as CI/CD gets it: what git keeps of a checkout, and not what was installed or built beside it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

# A checkout's own configuration could name a program for it.
_LIST = ("git", "-c", "core.fsmonitor=false", "ls-files", "-z", "--cached", "--others", "--exclude-standard")


@contextmanager
def as_committed(folder: Path) -> Iterator[Path]:
    """A copy of what a commit of everything would have; the folder itself, where git keeps nothing of it."""
    if not (names := _kept(folder)):
        yield folder
        return
    with TemporaryDirectory() as copy:
        for name in names:
            file, to = folder / name, Path(copy) / name
            if file.is_symlink() or file.is_file():  # others are deleted, or submodules
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, to, follow_symlinks=False)
        yield Path(copy)


def _kept(folder: Path) -> Sequence[str]:
    try:
        listed = subprocess.run(  # noqa: S603 - words of ours
            _LIST, cwd=folder, capture_output=True, check=True, encoding="utf-8", errors="surrogateescape"
        )
    except (OSError, subprocess.CalledProcessError):
        return []
    return [name for name in listed.stdout.split("\0") if name]
