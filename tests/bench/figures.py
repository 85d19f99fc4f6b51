"""What a benchmark answers with: figures, each with its target and how it was obtained."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure; `met` is None when it has no target and is told for the reader only."""

    name: str
    value: str
    how: str
    target: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """`pass` or `short`; empty without a target."""
        return {True: "pass", False: "short", None: ""}[self.met]


@dataclass(frozen=True, kw_only=True)
class Section:
    """The figures of one benchmark, and what the reader has to know about how they came to be."""

    title: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = field(default=())

    def as_data(self) -> dict[str, Any]:
        """The section for a JSON file."""
        figures = [{**asdict(figure), "verdict": figure.verdict} for figure in self.figures]
        return {"title": self.title, "figures": figures, "notes": list(self.notes)}


def at_most(name: str, value: float, *, limit: float, how: str, shown: str = "", unit: str = "") -> Figure:
    """A figure that must not exceed its limit; `shown` is the value with its spread, where it has one."""
    return Figure(
        name=name,
        value=shown or f"{value:g}{unit}",
        how=how,
        target=f"<= {limit:g}{unit}",
        met=value <= limit,
    )


def exactly(name: str, value: float, *, wanted: float, how: str, shown: str = "") -> Figure:
    """A figure that must be one number."""
    return Figure(name=name, value=shown or f"{value:g}", how=how, target=f"= {wanted:g}", met=value == wanted)
