"""Measuring on a machine that does other things too: interleaved rounds, medians, ratios within a round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Measurements of one subject in the order of the rounds."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle measurement."""
        return median(self.values)

    def show(self, unit: str = " s", digits: int = 2) -> str:
        """Median and range."""
        low, high = min(self.values), max(self.values)
        return f"{self.median:.{digits}f}{unit} ({low:.{digits}f} to {high:.{digits}f})"

    def over(self, other: Sample) -> Sample:
        """This subject's measurements as multiples of another's of the same round.

        What slows the machine down for a while slows both of a round down, so it leaves the ratio alone.
        """
        return Sample(values=tuple(mine / its for mine, its in zip(self.values, other.values, strict=True)))

    def less(self, other: Sample, *, per: int) -> Sample:
        """What this subject costs above another of the same round, for each of `per` parts."""
        return Sample(values=tuple((mine - its) / per for mine, its in zip(self.values, other.values, strict=True)))


def interleaved(subjects: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, Sample]:
    """Measure every subject once a round, in an order that turns round by round.

    Each subject answers with what it measured. A first round, which fills caches, is not counted.
    """
    names = list(subjects)
    values: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            measured = subjects[name]()
            if number:
                values[name].append(measured)
    return {name: Sample(values=tuple(measured)) for name, measured in values.items()}
