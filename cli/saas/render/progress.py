"""A run's progress: rings as bars on a terminal, lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from cli.common.output import Output
from cli.saas.progress import Sight, approvals, counts, headline, lines, next_step
from lambdas.saas.model.runs import Ring, RingState

_COLOURS = {
    RingState.APPROVAL: "cyan",
    RingState.ADVANCING: "yellow",
    RingState.BAKING: "yellow",
    RingState.ROLLING_BACK: "magenta",
    RingState.DONE: "green",
    RingState.FAILED: "red",
}
_FAILURES_SHOWN = 10


class Board:
    """Shows sights of a run as they come; on stderr, for stdout has the result."""

    def __init__(self, output: Output) -> None:
        self._console = output.stderr
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, sight: Sight) -> None:
        """Draw a sight, or tell what has changed since the last one."""
        if self._live:
            self._live.update(drawn(sight), refresh=True)
            return
        for line in lines(sight):
            if line not in self._told:
                self._told.add(line)
                self._console.print(line, markup=False, soft_wrap=True)


def drawn(sight: Sight) -> Group:
    """A sight with a bar for each ring, and below who approved them and the failed deployments."""
    parts: list[RenderableType] = [Text(headline(sight), style="bold"), _bars(sight)]
    parts += map(Text, approvals(sight))
    parts += [Text(failure.line(), style="red") for failure in sight.failures[:_FAILURES_SHOWN]]
    if len(sight.failures) > _FAILURES_SHOWN:
        parts.append(Text(f"and {len(sight.failures) - _FAILURES_SHOWN} more: granary list --failed", style="red"))
    if step := next_step(sight):
        parts.append(Text(step, style="bold"))
    return Group(*parts)


def _bars(sight: Sight) -> Progress:
    progress = Progress(
        TextColumn("{task.fields[ring]}", markup=False),
        TextColumn("[{task.fields[colour]}]{task.fields[state]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[counts]}", markup=False),
    )
    for ring in sight.rings:
        progress.add_task(
            ring.name,
            total=ring.total or 1,
            completed=ring.done if ring.total else _without_deployments(ring),
            ring=ring.name,
            state=ring.state,
            colour=_COLOURS.get(RingState(ring.state), "default"),
            counts=counts(ring),
        )
    return progress


def _without_deployments(ring: Ring) -> int:
    return int(ring.state == RingState.DONE)
