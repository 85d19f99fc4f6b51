"""A round: what tenants are against what is claimed, in the table and in Route 53, and the steps from here to there.

Every step may be the last one of a run that dies: the next round goes on from what it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.common.isolation import Faults
from lambdas.resilience.failover_tenants.listing import listed
from lambdas.resilience.model.failover.catalogue import Application, Catalogue, Group, Mode
from lambdas.resilience.model.failover.claims import Health, Name, Step
from lambdas.resilience.model.failover.packing import Key, pack
from lambdas.resilience.model.failover.plan import Known, Plan, plan
from lambdas.resilience.model.failover.tenants import SOURCE, Seen, Wishes, wishes
from lambdas.resilience.store.failover.batches import Batches
from lambdas.resilience.store.failover.bus import CHANGED, DISAGREES, Bus
from lambdas.resilience.store.failover.dns import Dns
from lambdas.resilience.store.failover.table import CLAIMS, FailoverTable, applications_of

# Longer than the function may run.
LEASE = timedelta(minutes=6)
_TOLD = 10


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round in the Region `region`, as `holder`, while `in_time`.

    `ask` asks the room saas, and `checks` has the health checks of a group by Region, those that there are.
    """

    region: str
    holder: str
    catalogue: Catalogue
    table: FailoverTable
    dns: Dns
    bus: Bus
    ask: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    checks: Callable[[Group], Mapping[str, str]]
    clock: Callable[[], datetime]
    in_time: Callable[[], bool]

    def run(self, confirmed: int = 0) -> None:
        """Do all of it; so many as were `confirmed` may go, where it would be too many.

        Raises:
            GranaryError: something has failed, or another round is at work; all else was done.
        """
        now = self.clock()
        if not self.table.lease("tenants", self.holder, now=now, lasts=LEASE):
            raise GranaryError("another round is at work, or has died less than six minutes ago: try again then")
        try:
            self._run(confirmed)
        finally:
            self.table.give_back("tenants", self.holder, now=self.clock())

    def _run(self, confirmed: int) -> None:
        faults, listing = Faults(), listed(self.ask)
        faults.found.extend(listing.problems)
        wanted = wishes(self.catalogue, listing.tenants)
        names = self._with_records(self._names(wanted), wanted, faults)
        # Where a group is and whether it moves is read last: what happens after that refuses what was read before.
        held, busy = dict[str, str](), dict[str, str]()
        for group in self.catalogue.groups:
            self._look(group, held, busy)
        known = Known(
            names=names,
            wishes=wanted,
            health=self._health(names, wanted, held, faults),
            held=held,
            busy=busy,
            whole=not listing.problems,
            confirmed=confirmed,
        )
        planned = plan(self.catalogue, known)
        done = self._do(planned.steps, faults)
        self._tell(planned, done, faults)
        faults.found.extend(sorted(self.table.unread))
        faults.tell()

    def _names(self, wanted: Wishes) -> list[Name]:
        """Each name that is wanted, claimed or an application; one of which something cannot be read is left alone."""
        claims = self.table.by_name(CLAIMS)
        groups = {one.name for one in self.catalogue.groups} | {one.group for one in claims.values() if one}
        written = [self.table.by_name(applications_of(group)) for group in sorted(groups)]
        unread = {name for found in (claims, *written) for name, one in found.items() if one is None}
        items: dict[str, list[Application]] = {}
        for one in (one for found in written for one in found.values() if one and one.source == SOURCE):
            items.setdefault(one.record, []).append(one)
        names = {*wanted.wanted, *claims, *items} - unread
        return [Name(record=name, claim=claims.get(name), items=tuple(items.get(name, ()))) for name in sorted(names)]

    def _with_records(self, names: Sequence[Name], wanted: Wishes, faults: Faults) -> list[Name]:
        """The same with what their zones have of them, without those whose zone cannot be read."""
        zones: dict[str, list[Name]] = {}
        for one in names:
            zone = one.known[0].zone if one.known else wanted.wanted[one.record].zone
            zones.setdefault(zone, []).append(one)
        found: list[Name] = []
        for zone, its in sorted(zones.items()):
            with faults.contained(f"zone {zone} cannot be read"):
                records = self.dns.records(zone, [one.record for one in its], every=True)
                of: dict[str, dict[Key, Mapping[str, Any]]] = {}
                for key, record in records.items():
                    of.setdefault(key[0], {})[key] = record
                found += [replace(one, records=of.get(one.record, {})) for one in its]
        return found

    def _look(self, group: Group, held: dict[str, str], busy: dict[str, str]) -> None:
        """Whether nothing is written of a group now, or only what a request that is under way may wait for."""
        other = self.catalogue.other(self.region)
        if self.table.is_silent(other, now=self.clock()):
            held[group.name] = f"nothing is heard of {other}, and what was asked for there counts"
            return
        try:
            placement = self.table.placement(group)
            for name in filter(None, (placement.request, placement.single)):
                if self.table.is_open(group.name, name):
                    busy[group.name] = f"request {name} of its group is under way"
        except UnreadableError as error:
            held[group.name] = str(error)

    def _health(self, names: Sequence[Name], wanted: Wishes, held: dict[str, str], faults: Faults) -> dict[str, Health]:
        """What records of the groups need that are not held; of one that nobody knows it of, nothing is written."""
        found: dict[str, Health] = {}
        used = {one.group for one in (*wanted.wanted.values(), *(its for name in names for its in name.items))}
        used -= held.keys()
        for group in (one for one in self.catalogue.groups if one.name in used):
            held[group.name] = "its health checks cannot be read"
            with faults.contained(f"the health checks of group {group.name} cannot be read"):
                checks = self.checks(group) if group.mode is Mode.SWITCH else {}
                found[group.name] = Health(placement=self.table.placement(group), checks=checks)
                del held[group.name]
        return found

    def _do(self, steps: Sequence[Step], faults: Faults) -> dict[str, dict[str, list[str]]]:
        """Take the steps; answers the names that came, changed and went, by their groups."""
        begun: list[Step] = []
        for step in steps:
            with faults.contained(f"{step.name.record} was left as it is"):
                if step.claim:
                    self.table.put(CLAIMS, step.claim)
                for one in step.drop:
                    self.table.forget(applications_of(one.group), one.name)
                begun.append(step)
        batches = Batches(dns=self.dns, comment="granary: applications of tenants", in_time=self.in_time)
        batches.waiting = pack([(step.of.zone, step.changes) for step in begun if step.changes])
        batches.finish()
        faults.found.extend(batches.refused)
        written = {name.rstrip(".") for name in batches.written}
        done: dict[str, dict[str, list[str]]] = {}
        for step in begun:
            if step.changes and step.name.record not in written:
                continue
            with faults.contained(f"{step.name.record} is as far as its records are"):
                if step.put:
                    self.table.put(applications_of(step.put.group), step.put)
                if step.free:
                    self.table.forget(CLAIMS, step.name.record)
                if step.kind:
                    done.setdefault(step.of.group, {}).setdefault(step.kind, []).append(step.name.record)
        return done

    def _tell(self, planned: Plan, done: Mapping[str, Mapping[str, Sequence[str]]], faults: Faults) -> None:
        """Say what has changed, once, and keep what is told of a group for its status."""
        at, groups = stamp(self.clock()), [one.name for one in self.catalogue.groups]
        for group in groups:
            seen = Seen.of(at, planned.waiting.get(group, {}), planned.wrong.get(group, {}))
            if changed := done.get(group):
                parts = [f"{len(names)} {kind} ({', '.join(names[:_TOLD])})" for kind, names in changed.items()]
                self._say(group, CHANGED, f"applications of tenants: {'; '.join(parts)}", f"{at}/tenants")
            if seen.wrong and seen.wrong != self.table.seen(group).wrong:
                wrong = "; ".join(f"{name}: {why}" for name, why in list(seen.wrong.items())[:_TOLD])
                self._say(group, DISAGREES, f"tenants that are left as they are: {wrong}", f"{at}/tenants-wrong")
            self.table.tell_seen(group, seen)
        # Nobody looks at the status of a group that the configuration has no more.
        strays = [its for group, its in planned.wrong.items() if group not in groups]
        faults.found.extend(f"{name}: {why}" for its in strays for name, why in its.items())

    def _say(self, group: str, kind: str, message: str, key: str) -> None:
        what = {"at": stamp(self.clock()), "region": self.region, "message": message, "request": ""}
        self.bus.say(self.table, group, kind, what, key=key)
