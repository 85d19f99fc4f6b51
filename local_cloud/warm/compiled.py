"""Modules that are compiled once for all programs, whichever folder their source is in.

Python keeps what it has compiled beside the source; each build has its source in a folder of its own, and would compile
all of it anew.
"""

from __future__ import annotations

import _imp
import contextlib
import hashlib
import marshal
import os
import sys
import threading
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any


def share(folder: Path) -> None:
    """Have this process, and what it forks, take the code of a source that was compiled before from `folder`.

    Libraries of this Python keep theirs beside them.
    """
    folder.mkdir(exist_ok=True)
    beside = SourceFileLoader.get_code

    def get_code(self: Any, fullname: str) -> CodeType | None:
        path = str(self.get_filename(fullname))
        # Another kind of loader may make other code of the same source.
        if type(self) is not SourceFileLoader or path.startswith((sys.prefix, sys.base_prefix)):
            return beside(self, fullname)
        source = self.get_data(path)
        kept = folder / hashlib.blake2b(source, digest_size=20).hexdigest()
        code = _read(kept)
        if code is None:
            code = self.source_to_code(source, path)
            _write(kept, code)
        _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]  # as the import system itself does
        return code

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def _read(kept: Path) -> CodeType | None:
    try:
        found = marshal.loads(kept.read_bytes())  # noqa: S302 - written below
    except (OSError, EOFError, ValueError, TypeError):
        # There is none, or half of one.
        return None
    return found if isinstance(found, CodeType) else None


def _write(kept: Path, code: CodeType) -> None:
    # Who reads it sees all of it or nothing; where nothing can be kept, everybody compiles.
    begun = kept.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    with contextlib.suppress(OSError):
        begun.write_bytes(marshal.dumps(code))
        begun.replace(kept)
