"""What is simulated, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.bench.burst.codebuild import Counts, Limits

ACCOUNT, REGION = "222222222222", "eu-west-1"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Rows that are put within `spread_seconds`; `deliveries` is how often the stream brings each batch."""

    name: str
    rows: int = 1000
    spread_seconds: float = 0.0
    deliveries: int = 1
    limits: Limits = field(default=Limits())

    def arrivals(self) -> list[tuple[float, dict[str, str]]]:
        """When each row is put, evenly spread, and the row."""
        step = self.spread_seconds / self.rows
        return [
            (number * step, {"id": f"t{number}", "type": "silo", "account": ACCOUNT, "region": REGION})
            for number in range(self.rows)
        ]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long things take, in seconds; assumed alike for both designs.

    A build takes `build_start` until it synthesizes (provisioning, download, installation).
    """

    row_read: float = 0.004
    status_write: float = 0.008
    build_start: float = 45.0
    first_synth: float = 2.5
    further_synth: float = 0.08
    deploy: float = 40.0

    def synth(self, tenants: int) -> float:
        """Seconds of one synth of some tenants."""
        return self.first_synth + self.further_synth * (tenants - 1)


@dataclass(kw_only=True)
class Outcome:
    """What a design made of a scenario: how often each row was provisioned, and when the last one was."""

    rows: int
    provisioned: Counter[str]
    last_seconds: float
    builds: int
    batches: int
    counts: Counts
    phases: Mapping[str, int] = field(default_factory=dict)

    @property
    def once(self) -> int:
        """Rows provisioned exactly once."""
        return sum(1 for times in self.provisioned.values() if times == 1)

    @property
    def doubled(self) -> int:
        """Rows provisioned more than once."""
        return sum(1 for times in self.provisioned.values() if times > 1)

    @property
    def lost(self) -> int:
        """Rows never provisioned."""
        return self.rows - len(self.provisioned)
