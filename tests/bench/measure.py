"""Measuring on a machine that does other things too: interleaved rounds, medians, ratios within a round."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_ROOT = Path(__file__).resolve().parents[2]
_PROC = Path("/proc/self/status")


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


def fresh(module: str, *arguments: str) -> dict[str, float]:
    """What a module measured in a process of its own: it prints numbers by name, as JSON."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True)
    taken: dict[str, float] = json.loads(done.stdout)
    return taken


def peak_megabytes() -> float:
    """The most memory that this process has had."""
    # Linux counts the parent's memory at the fork into ru_maxrss; VmHWM is of this program alone.
    if _PROC.exists():
        lines = _PROC.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
