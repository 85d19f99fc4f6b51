"""Going on with a request, in the Region that it leads to, until it is done, superseded, or has to wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.isolation import fault
from lambdas.resilience.failover.region import Region
from lambdas.resilience.failover.writing import Writing
from lambdas.resilience.model.failover.catalogue import Group
from lambdas.resilience.model.failover.placement import Placement
from lambdas.resilience.model.failover.request import Progress, Request, State
from lambdas.resilience.model.failover.steps import Kind, Step, steps_of

# Longer than the function may run, however slow AWS is: who woke up after another run would act on what was before it.
# Who dies holds up the request for so long, and no other request.
LEASE = timedelta(minutes=6)
_TOLD = 5
_MOVED = frozenset({Kind.SWITCH, Kind.WEIGHTS})


@dataclass(frozen=True, kw_only=True)
class Executing:
    """Works as `holder`, while `in_time`; what is not done then, the next minute's run goes on with.

    Who is waited for asks `may_begin` before each step. A minute's run does not: a group that AWS holds up would keep
    those after it from their turn, minute after minute.
    """

    region: Region
    holder: str
    in_time: Callable[[], bool] = lambda: True
    may_begin: Callable[[], bool] = lambda: True

    def advance(self, request: Request) -> Progress:
        """Do what can be done now; everything that was done is found again, by whoever comes next."""
        return self._alone(request, self._advance)

    def supersede(self, request: Request) -> Progress:
        """End a request that another has replaced, in the other Region at the same time or by force.

        What it has written, the other finds: it looks once more when name servers have its own changes.
        """
        return self._alone(request, partial(self._end, state=State.SUPERSEDED))

    def _alone(self, request: Request, work: Callable[[Request, Progress], Progress]) -> Progress:
        """Work on an open request with its lease."""
        table, lease = self.region.table, f"{request.group}/{request.id}"
        if table.lease(lease, self.holder, now=self.region.clock(), lasts=LEASE):
            try:
                progress = table.progress(request)
                return work(request, progress) if progress.state is State.OPEN else progress
            finally:
                table.give_back(lease, self.holder, now=self.region.clock())
        return table.progress(request)

    def _advance(self, request: Request, progress: Progress) -> Progress:
        table, group = self.region.table, self.region.catalogue.group(request.group)
        for step in steps_of(request, group, table.placement(group)):
            if step.name in progress.done:
                continue
            if not self.may_begin():
                return progress
            placement = table.placement(group)
            if not placement.is_current(request.id):
                return self._end(request, progress, State.SUPERSEDED)
            try:
                problem = self._problem(step, request, group, placement)
            except Exception as error:
                table.save(request, replace(progress, problem=f"{step.name}: {fault(error)}"))
                raise
            if problem:
                progress = replace(progress, problem=f"{step.name}: {problem}")
                table.save(request, progress)
                return progress
            progress = self._after(step, request, progress)
            table.save(request, progress)
        return self._end(request, progress, State.DONE)

    def _after(self, step: Step, request: Request, progress: Progress) -> Progress:
        progress = replace(progress, done=(*progress.done, step.name), problem="")
        if step.kind not in _MOVED or progress.shifted_at:
            return progress
        lag = self.region.table.facts(request.to).of(request.group).lag
        return replace(progress, shifted_at=stamp(self.region.clock()), lag_seconds=lag)

    def _end(self, request: Request, progress: Progress, state: State) -> Progress:
        now = stamp(self.region.clock())
        progress = replace(progress, state=state, problem="", ended_at=now)
        if state is State.DONE and request.drill:
            self.region.table.drilled(request.group, now)
        self.region.tell(request, progress, told(request, progress))
        self.region.table.save(request, progress)
        group = self.region.catalogue.group(request.group)
        self.region.show(group, self.region.table.placement(group))
        return progress

    def _problem(self, step: Step, request: Request, group: Group, placement: Placement) -> str:
        """Do a step as far as it goes; answers what it waits for, or nothing when it is done."""
        region = self.region
        if step.kind in {Kind.DATABASE, Kind.NAME}:
            (database,) = [one for one in group.databases if one.name == step.of]
            arrival = region.databases.bring(database, unplanned=request.unplanned)
            if arrival.waiting or step.kind is Kind.DATABASE:
                return arrival.waiting
            return region.dns.point(zone=database.zone, record=database.record, to=arrival.address)
        if step.kind is Kind.SWITCH:
            region.watch.publish(region.switches(group, placement), now=region.clock())
            return "" if region.is_switched(group, placement) else "the alarm has not followed the metric yet"
        if step.kind is Kind.WEIGHTS:
            return self._write(group, placement, None if request.every else request.weights)
        left = region.table.facts(request.origin).of(group.name)
        let_in = left.switch == "OK" and not left.published and left.published_at >= request.at
        return "" if let_in else f"{request.to} serves; {request.origin} has still to let it in for its part"

    def _write(self, group: Group, placement: Placement, names: tuple[str, ...] | None = None) -> str:
        """Write the records that differ, until none does and every name server has them.

        Raises:
            GranaryError: some cannot be read or written; all others are.
        """
        comment = f"granary: failover of {group.name}"
        writing = Writing(region=self.region, dns=self.region.dns, comment=comment, in_time=self.in_time)
        writing.run(group, placement, names)
        left = "; ".join(writing.left()[:_TOLD])
        if writing.refused:
            raise GranaryError(left)
        if left:
            return left
        # Who has no time to ask does not know that they are.
        changes = writing.changes.items()
        late = [zone for zone, change in changes if not (self.in_time() and self.region.dns.is_everywhere(change))]
        return f"zones {', '.join(late)} are not on all name servers yet" if late else ""


def told(request: Request, progress: Progress) -> str:
    """What became of a request, in a sentence."""
    what = ", ".join(request.applications[:5]) or f"group {request.group}"
    if progress.state is State.SUPERSEDED:
        # The table has them where they were asked for.
        rest = (
            "; its applications that the later one does not name follow within 15 minutes"
            if request.applications
            else ""
        )
        return f"request {request.id} ({what} to {request.to}) was superseded by a later one{rest}"
    lag = "how far data was behind is unknown"
    if progress.lag_seconds is not None:
        lag = f"data was behind by {progress.lag_seconds} s"
    kind = "drill: " if request.drill else ""
    return (
        f"{kind}{what} is served from {request.to} since {progress.shifted_at or progress.ended_at}, asked for at "
        f"{request.at} by {request.actor}; {lag} ({request.reason})"
    )
