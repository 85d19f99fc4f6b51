"""What a Region does each minute: say what it sees, do what the table says, and go on with what is not done."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from lambdas.common.clock import since, stamp
from lambdas.common.errors import GranaryError
from lambdas.common.isolation import Faults
from lambdas.resilience.failover.commands import Commands
from lambdas.resilience.failover.executing import Executing
from lambdas.resilience.failover.region import Region
from lambdas.resilience.failover.writing import Writing
from lambdas.resilience.model.failover.automatic import ACTOR, begun, request_id
from lambdas.resilience.model.failover.catalogue import Group, Mode
from lambdas.resilience.model.failover.placement import Placement
from lambdas.resilience.model.failover.readiness import REPLICATED, Facts, GroupFacts
from lambdas.resilience.model.failover.request import Progress, RefusedError, Request, State
from lambdas.resilience.model.failover.steps import Kind, steps_of
from lambdas.resilience.store.failover.bus import DISAGREES

_MEASURE, _COMPARE = timedelta(minutes=5), timedelta(minutes=15)
_TOLD = 10


@dataclass(frozen=True, kw_only=True)
class Minute:
    """One run, while `in_time`."""

    region: Region
    commands: Commands
    execute: Callable[[Region], Executing]
    in_time: Callable[[], bool]
    pause: Callable[[float], None] = time.sleep

    def run(self) -> None:
        """Do all of it; what fails is told at the end, and holds up nothing else.

        Raises:
            GranaryError: something has failed.
        """
        faults, catalogue = Faults(), self.region.catalogue
        with faults.contained("the configuration's applications were not written down"):
            digest = hashlib.sha256(catalogue.to_json().encode()).hexdigest()
            self.region.table.register(digest, catalogue.applications, catalogue.groups)
        with faults.contained("what is seen here was not written down"):
            self.publish(faults)
        left = self.go_on(catalogue.groups, faults)
        for group in catalogue.groups:
            with faults.contained(f"group {group.name} failing over by itself"):
                self.automatic(group)
            with faults.contained(f"comparing group {group.name}"):
                self.compare(group)
        while left and self.in_time():
            self.pause(5)
            left = self.go_on(left, faults)
        faults.found.extend(sorted(self.region.table.unread))
        faults.tell()

    def publish(self, faults: Faults) -> None:
        """Publish the switches that live here, from the table, and write down what is seen here."""
        region, now = self.region, self.region.clock()
        switches: dict[tuple[str, str], int] = {}
        for group in region.catalogue.groups:
            with faults.contained(f"the switch of group {group.name} was not published"):
                switches |= region.switches(group, region.table.placement(group))
        if switches:
            region.watch.publish(switches, now=now)
        before = region.table.facts(region.name)
        is_due = since(before.measured_at, now) >= _MEASURE
        other = region.catalogue.other(region.name)
        names = [region.alarm(one.name, other) for one in region.catalogue.groups]
        names += [name for one in region.catalogue.groups for name in one.alarms.get(region.name, ())]
        states = {name: state for name, (state, _) in region.watch.alarms(names).items()}
        found: dict[str, GroupFacts] = {}
        for group in region.catalogue.groups:
            seen = before.of(group.name)
            if is_due:
                lag, capacity, peak = region.watch.measured(group, now=now)
                revision = region.watch.revision(group.revision) if group.revision else ""
                seen = replace(seen, lag=lag, capacity=capacity, peak=peak, revision=revision)
            with faults.contained(f"restored databases of group {group.name}"):
                seen = replace(seen, restored=region.databases.restored(group.databases))
            if (value := switches.get((group.name, other))) is not None:
                seen = replace(seen, published=value, published_at=stamp(now))
            found[group.name] = replace(
                seen,
                alarms={name: states[name] for name in group.alarms.get(region.name, ()) if name in states},
                switch=states.get(region.alarm(group.name, other), ""),
            )
        measured = stamp(now) if is_due else before.measured_at
        region.table.tell_facts(Facts(at=stamp(now), measured_at=measured, groups=found))

    def go_on(self, groups: Sequence[Group], faults: Faults) -> list[Group]:
        """Go on once with each request that leads here; answers the groups that have still something to do."""
        left: dict[str, Group] = {}
        for group in groups:
            with faults.contained(f"requests of group {group.name}"):
                placement = self.region.table.placement(group)
                for request in self.region.table.unfinished(group.name):
                    with faults.contained(f"request {request.id} of group {group.name}"):
                        if request.to == self.region.name and self._is_open_after(request, placement):
                            left[group.name] = group
        return list(left.values())

    def _is_open_after(self, request: Request, placement: Placement) -> bool:
        executing = self.execute(self.commands.deny(request.origin) if request.drill else self.region)
        if placement.is_current(request.id):
            return executing.advance(request).state is State.OPEN
        if since(request.at, self.region.clock()) >= REPLICATED and self._is_later(request, placement):
            executing.supersede(request)
        return False

    def _is_later(self, request: Request, placement: Placement) -> bool:
        """Whether a placement that does not name a request is the later one: the one that does may be on its way."""
        if not self._is_silent():
            return True
        named = [self.region.table.request(request.group, one) for one in (placement.request, placement.single) if one]
        return any(one is not None and one.at >= request.at for one in named)

    def _is_silent(self) -> bool:
        region = self.region
        return region.table.is_silent(region.catalogue.other(region.name), now=region.clock())

    def automatic(self, group: Group) -> None:
        """Fail a group over to here, when its configuration says so and nothing speaks against it."""
        if group.automatic is None or self.region.name == group.primary:
            return
        now, table = self.region.clock(), self.region.table
        states = self.region.watch.alarms(group.automatic.alarms)
        ringing = {name: at for name, (state, at) in states.items() if state == "ALARM"}
        last = next((one.at for one in table.requests(group.name) if not one.applications), "")
        began = begun(group, table.placement(group), ringing=ringing, last=last, now=now)
        if began is None:
            return
        request = Request(
            id=request_id(began, last),
            group=group.name,
            origin=group.primary,
            to=self.region.name,
            reason=f"{', '.join(group.automatic.alarms)} in ALARM since {stamp(began)}",
            actor=ACTOR,
            at=stamp(now),
            mode=group.mode,
            unplanned=True,
        )
        try:
            self.commands.start(request)
        except RefusedError as error:
            self.region.record(group.name, DISAGREES, str(error), key=f"{request.id}/refused", once=True)

    def compare(self, group: Group) -> None:
        """Every quarter of an hour: each Region its switch, if it has one, and one of them DNS, which it puts right.

        Raises:
            GranaryError: some records cannot be read or written; all others are right.
        """
        placement = self.region.table.placement(group)
        if self._is_open(group, placement) or not self.in_time():
            return
        dns = f"compare/{group.name}"
        if group.mode is Mode.SWITCH and self._is_due(switch := f"{dns}/{self.region.name}"):
            self._say(group, placement, self._not_followed(group, placement), key=switch)
        if self._is_due(dns):
            found, refused = self.repair(group, placement)
            self._say(group, placement, found, key=dns)
            if refused:
                raise GranaryError("; ".join(refused[:_TOLD]))

    def _is_due(self, what: str) -> bool:
        now = self.region.clock()
        return self.region.table.lease(what, stamp(now), now=now, lasts=_COMPARE)

    def _say(self, group: Group, placement: Placement, found: Sequence[str], *, key: str) -> None:
        self.region.show(group, placement, len(found))
        if found:
            key = f"{stamp(self.region.clock())}/{key}"
            self.region.record(group.name, DISAGREES, "; ".join(found[:_TOLD]), key=key)

    def _not_followed(self, group: Group, placement: Placement) -> list[str]:
        if not self._is_settled(group, placement) or self.region.is_switched(group, placement):
            return []
        # Since the placement was read the group may have been moved, and the alarm follows that.
        if self.region.table.placement(group) != placement:
            return []
        name = self.region.alarm(group.name, self.region.catalogue.other(self.region.name))
        return [f"alarm {name} in {self.region.name} does not follow the table: look at the function and its metric"]

    def repair(self, group: Group, placement: Placement) -> tuple[list[str], list[str]]:
        """What disagreed with the table, and what was refused; the weights of records have been written as it says.

        But not while the other Region is silent: what was asked for there counts.
        """
        region, other = self.region, self.region.catalogue.other(self.region.name)
        is_silent = self._is_silent()
        comment = f"granary: {group.name} as the table says"
        writing = Writing(
            region=region,
            dns=region.dns,
            comment=comment,
            in_time=self.in_time,
            may_write=not is_silent,
            # A request that came after the placement was read, or has just ended, has written its own.
            current=lambda: region.table.placement(group) == placement,
        )
        writing.run(group, placement)
        found = [f"{name} had other weights than the table: written again" for name in writing.written]
        if is_silent:
            kept = f"has other weights than the table, and keeps them while {other} is not heard of"
            found += [f"{name} {kept}" for batch in writing.waiting for name in batch.names]
        return found + writing.left(), writing.refused

    def _is_settled(self, group: Group, placement: Placement) -> bool:
        """Whether the alarm behind the switch that lives here, if one does, has had the time to follow it."""
        _, progress = self.region.table.known(group.name, placement.request) or (None, Progress(state=State.DONE))
        has_time = progress.state is not State.OPEN and since(progress.ended_at, self.region.clock()) >= REPLICATED
        return has_time and bool(self.region.switches(group, placement))

    def _is_open(self, group: Group, placement: Placement) -> bool:
        """Whether the requests that count have still something to write: being let in may take as long as an outage.

        What nobody knows of a request for some applications holds up nothing: it waits for no data.
        """
        last = bool(placement.request) and self._writes(group, placement, placement.request, unknown=True)
        return last or bool(placement.single and self._writes(group, placement, placement.single, unknown=False))

    def _writes(self, group: Group, placement: Placement, name: str, *, unknown: bool) -> bool:
        request, progress = self.region.table.known(group.name, name) or (None, Progress())
        if request is None or progress.state is State.UNREADABLE:
            return unknown
        left = {one.kind for one in steps_of(request, group, placement) if one.name not in progress.done}
        return progress.state is State.OPEN and bool(left - {Kind.READMIT})
