"""Packing a source tree into a zip whose bytes depend on nothing but the tree."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

from lambdas.common.errors import GranaryError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_EXECUTABLE, _PLAIN = 0o100755, 0o100644
_LEFT = {"__pycache__", "node_modules"}


def pack(root: Path) -> bytes:
    """Zip every file under `root`: sorted, with fixed times, keeping only the executable bit.

    Nothing is compressed: what a compressor makes of a file changes with its version. The build that packs has run
    Python there, and maybe npm, so what those leave is left out.

    A link to a file is packed as that file.

    Raises:
        GranaryError: the tree has other links, which would be missing: what is released is what was tested.
    """
    found = sorted(path for path in root.rglob("*") if not _LEFT & set(path.relative_to(root).parts))
    if links := [str(path.relative_to(root)) for path in found if path.is_symlink() and not path.is_file()]:
        raise GranaryError(f"a release holds no links to folders, or to nothing: replace {', '.join(links[:10])}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in filter(Path.is_file, found):
            name = path.relative_to(root)
            entry = zipfile.ZipInfo(name.as_posix(), date_time=_EPOCH)
            entry.external_attr = (_EXECUTABLE if path.stat().st_mode & 0o100 else _PLAIN) << 16
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()
