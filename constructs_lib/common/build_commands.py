"""A buildspec file taken apart: its commands, and everything else of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class BuildCommands:
    """The commands of the install and build phases, and everything else of the file (`rest`)."""

    install: Sequence[str]
    build: Sequence[str]
    rest: Mapping[str, Any]

    @classmethod
    def from_buildspec(cls, buildspec: Mapping[str, Any]) -> BuildCommands:
        """Take a parsed buildspec apart.

        Raises:
            ValueError: it has commands in other phases, which a generated buildspec would not run in order.
        """
        phases = {name: dict(phase) for name, phase in buildspec["phases"].items()}
        if strange := sorted(set(phases) - {"install", "build"}):
            raise ValueError(f"phases {', '.join(strange)} are not supported here: use install and build")
        install, build = (phases.get(name, {}).pop("commands", []) for name in ("install", "build"))
        kept = {name: phase for name, phase in phases.items() if phase}
        return cls(install=install, build=build, rest={**buildspec, "phases": kept})
