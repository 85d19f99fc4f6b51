"""What a Region does each minute: say what it sees, do what the table says, and go on with what is not done."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from lambdas.common.clock import since, stamp
from lambdas.common.isolation import Faults
from lambdas.resilience.failover.commands import Commands, RefusedError
from lambdas.resilience.failover.executing import Executing
from lambdas.resilience.failover.region import DISAGREES, Region
from lambdas.resilience.model.failover.automatic import ACTOR, begun, request_id
from lambdas.resilience.model.failover.catalogue import Group
from lambdas.resilience.model.failover.packing import pack
from lambdas.resilience.model.failover.placement import Placement
from lambdas.resilience.model.failover.readiness import Facts, GroupFacts
from lambdas.resilience.model.failover.request import Request, State

_MEASURE, _COMPARE = timedelta(minutes=5), timedelta(minutes=15)
# Longer than a request takes to come to the other Region.
_REPLICATED = timedelta(minutes=2)
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
        for group in catalogue.groups:
            with faults.contained(f"requests of group {group.name}"):
                self.go_on(group)
            with faults.contained(f"group {group.name} failing over by itself"):
                self.automatic(group)
            with faults.contained(f"comparing group {group.name}"):
                self.compare(group)
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
            if (value := switches.get((group.name, other))) is not None:
                seen = replace(seen, published=value, published_at=stamp(now))
            found[group.name] = replace(
                seen,
                alarms={name: states[name] for name in group.alarms.get(region.name, ()) if name in states},
                switch=states.get(region.alarm(group.name, other), ""),
            )
        measured = stamp(now) if is_due else before.measured_at
        region.table.tell_facts(Facts(at=stamp(now), measured_at=measured, groups=found))

    def go_on(self, group: Group) -> None:
        """Go on with requests that lead here, until they are done or there is no time."""
        table, placement = self.region.table, self.region.table.placement(group)
        for request in table.unfinished(group.name):
            if request.to != self.region.name:
                continue
            executing = self.execute(self.commands.deny(request.origin) if request.drill else self.region)
            if not placement.is_current(request.id):
                if since(request.at, self.region.clock()) >= _REPLICATED:
                    executing.supersede(request)
                continue
            while executing.advance(request).state is State.OPEN and self.in_time():
                self.pause(5)

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
            id=request_id(began),
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
        """Every quarter of an hour, in one Region: say where table, DNS and switch disagree, and put DNS right."""
        region, now = self.region, self.region.clock()
        placement = region.table.placement(group)
        if self._is_open(group, placement) or not self.in_time():
            return
        if not region.table.lease(f"compare/{group.name}", stamp(now), now=now, lasts=_COMPARE):
            return
        found = self.repair(group, placement)
        region.show(group, placement, len(found))
        if found:
            region.record(group.name, DISAGREES, "; ".join(found[:_TOLD]), key=f"{stamp(now)}/disagrees")

    def repair(self, group: Group, placement: Placement) -> list[str]:
        """What disagreed with the table; the weights of records have been written as it says."""
        difference = self.region.differing(group, placement)
        found = [f"there are no records of {name}: deploy their stack" for name in difference.missing]
        for _, records in difference.changes:
            found.append(f"{records[0]['Name']} had other weights than the table: written again")
        for batch in pack(difference.changes):
            if self.region.dns.change(batch, comment=f"granary: {group.name} as the table says") is None:
                found.append(f"zone {batch.zone} is busy: it is tried again in a quarter of an hour")
        if self._is_settled(group, placement) and not self.region.is_switched(group, placement):
            found.append("the alarm behind the switch does not follow the table: look at the function and its metric")
        return found

    def _is_settled(self, group: Group, placement: Placement) -> bool:
        """Whether the alarm behind the switch that lives here, if one does, has had the time to follow it."""
        last, now = self.region.table.request(group.name, placement.request), self.region.clock()
        ended = self.region.table.progress(last).ended_at if last else ""
        return bool(self.region.switches(group, placement)) and since(ended, now) >= _REPLICATED

    def _is_open(self, group: Group, placement: Placement) -> bool:
        requests = (self.region.table.request(group.name, one) for one in (placement.request, placement.single) if one)
        return any(one is None or self.region.table.progress(one).state is State.OPEN for one in requests)
