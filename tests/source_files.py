"""The files of this source, as a release would hold them; there need not be a repository around them."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).parents[1]
# What tools leave beside the source, and the repository itself.
_LEFT = {"__pycache__", "node_modules", "cdk.out"}


def source_files() -> dict[str, bytes]:
    """Their bytes by path; of what begins with a dot, and is no file at the top, nothing."""
    found = [one for one in _ROOT.iterdir() if one.is_file() and one.name != ".git"]
    folders = [one for one in _ROOT.iterdir() if one.is_dir() and not one.name.startswith((".", "cdk.out"))]
    for folder in folders:
        if folder.name not in _LEFT and not folder.is_symlink():
            found += [one for one in folder.rglob("*") if one.is_file() and not _LEFT & set(one.parts)]
    return {one.relative_to(_ROOT).as_posix(): one.read_bytes() for one in found}
