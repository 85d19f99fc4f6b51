"""What the demo shows while it waits: CI/CD's stages, and each tenant's way through its phases."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lambdas.saas.model.status import Status
from local_cloud.factory.granary import NAMES, Granary, Row

_COLOURS = {
    "Succeeded": "green",
    "ACTIVE": "green",
    "InProgress": "yellow",
    "PROVISIONING": "yellow",
    "UPDATING": "yellow",
    "PENDING": "cyan",
    "Failed": "red",
    "FAILED": "red",
    "INVALID": "red",
}


@dataclass(frozen=True, kw_only=True)
class Sight:
    """Everything that is looked at in one go; `pipelines` has (stage, state) pairs by pipeline name."""

    statuses: dict[str, Status | None]
    pipelines: dict[str, list[tuple[str, str]]]


@dataclass
class Board:
    """Prints a line for every change and, on a terminal, keeps a table below them."""

    console: Console
    granary: Granary
    rows: Sequence[Row]
    began: float = field(default_factory=time.monotonic)
    _last: dict[str, str] = field(default_factory=dict)

    def live(self) -> Live:
        """The live table; on anything but a terminal only the lines are printed."""
        return Live(console=self.console, refresh_per_second=4, transient=True, auto_refresh=self.console.is_terminal)

    def look(self) -> Sight:
        """Read tables and pipelines."""
        pipelines = [NAMES.cicd_pipeline, *(row.pipeline for row in self.rows)]
        return Sight(
            statuses={row.id: self.granary.status(row.id) for row in self.rows},
            pipelines={name: self.granary.stages(name) for name in pipelines},
        )

    def show(self, live: Live, sight: Sight) -> None:
        """Print what has changed since the last time, and redraw the table."""
        for name, stages in sight.pipelines.items():
            running = next((stage for stage, state in stages if state in ("InProgress", "Failed")), None)
            done = stages and all(state == "Succeeded" for _, state in stages)
            self._say(name, f"{running}" if running else ("succeeded" if done else ""))
        for deployment_id, status in sight.statuses.items():
            self._say(deployment_id, f"{status.phase} {status.reason}".strip() if status else "")
        if self.console.is_terminal:
            live.update(Group(self._table(sight)))

    def _say(self, who: str, what: str) -> None:
        if what and self._last.get(who) != what:
            self._last[who] = what
            colour = _COLOURS.get(what.split(" ", 1)[0], "default")
            line = Text(f"{time.monotonic() - self.began:6.1f} s  {who:<22} ").append(what, style=colour)
            self.console.print(line)

    def _table(self, sight: Sight) -> Table:
        table = Table("deployment", "type", "region", "phase", "pipeline", expand=False)
        table.add_row("(CI/CD)", "", "", "", _stages(sight.pipelines[NAMES.cicd_pipeline]))
        for row in self.rows:
            status = sight.statuses[row.id]
            phase = status.phase if status else ""
            table.add_row(
                row.id,
                row.type,
                row.region,
                Text(phase, style=_COLOURS.get(phase, "default")),
                _stages(sight.pipelines[row.pipeline]),
            )
        return table


def _stages(stages: Sequence[tuple[str, str]]) -> Text:
    text = Text()
    for name, state in stages:
        text.append(f"{name} ", style=_COLOURS.get(state, "dim"))
    return text
