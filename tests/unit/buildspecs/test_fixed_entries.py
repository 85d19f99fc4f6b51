"""What deployed projects name of a source is there, in this one as in all before."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from tests.unit.buildspecs.fixed_entries import COMMANDS, PATHS

ROOT = Path(__file__).parents[3]
ENTRIES = {
    match[1]: since for command, since in COMMANDS.items() if (match := re.match(r"python -m (build.+)", command))
}


@pytest.mark.parametrize("module", ENTRIES)
def test_every_entry_is_there(module: str) -> None:
    there = importlib.util.find_spec(module) is not None and importlib.util.find_spec(f"{module}.__main__")
    assert there, (
        f"`python -m {module}` is gone, which projects deployed since {ENTRIES[module]} run on every source: tenants "
        "that stand could not be brought to this one. Keep it as a thin entry (see buildspecs/entry.py), and name the "
        "module that does the work in its buildspec.yaml"
    )


@pytest.mark.parametrize("path", PATHS)
def test_every_path_is_there(path: str) -> None:
    assert (ROOT / path).is_file(), (
        f"{path} is gone, which projects deployed since {PATHS[path]} read in every source: keep the file where it is"
    )
