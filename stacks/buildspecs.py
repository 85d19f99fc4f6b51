"""Reading the buildspec files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from constructs_lib.common.build_commands import BuildCommands

_BUILDSPECS = Path(__file__).parent.parent / "buildspecs"


@cache
def commands_of(room: str, job: str) -> BuildCommands:
    """Commands of `buildspecs/<room>/<job>/buildspec.yaml`."""
    text = (_BUILDSPECS / room / job / "buildspec.yaml").read_text(encoding="utf-8")
    return BuildCommands.from_buildspec(yaml.safe_load(text))
