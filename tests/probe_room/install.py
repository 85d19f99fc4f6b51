"""Adding the room to a copy of the project, as CONTRIBUTING says: its folders, and a line in each of four files."""

from __future__ import annotations

import shutil
from pathlib import Path

NAME = "probe"
_FLOORS = ("buildspecs", "cli", "config", "docs", "lambdas", "stacks")
# Each gets one line, after the one that is named.
LINES = {
    "stacks/rooms.py": ('    "saas",\n', '    "probe",\n'),
    "config/models/__init__.py": ("_NAMES: tuple[str, ...] = (\n", '    "probe",\n'),
    "cli/rooms.py": ('    "saas",\n', '    "probe",\n'),
    "docs/README.md": ("|---|---|\n", "| [probe](probe/README.md) | the room of the tests |\n"),
}


def install(root: Path) -> None:
    """Add the room to the project in a folder.

    Raises:
        ValueError: a line is not where it belongs: one of the four files was changed.
    """
    for floor in _FLOORS:
        shutil.copytree(Path(__file__).parent / floor, root / floor, dirs_exist_ok=True)
    for name, (before, line) in LINES.items():
        path = root / name
        text = path.read_text(encoding="utf-8")
        if text.count(before) != 1:
            raise ValueError(f"{name} has {before!r} {text.count(before)} times, not once")
        path.write_text(text.replace(before, before + line), encoding="utf-8")
