"""A Region's half of the control plane: everything that it works with is in this Region, but for Route 53."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lambdas.common.clock import stamp
from lambdas.resilience.model.failover.catalogue import Application, Catalogue, Group, Mode
from lambdas.resilience.model.failover.packing import Difference, difference
from lambdas.resilience.model.failover.placement import Placement, answers, taken_out
from lambdas.resilience.model.failover.request import Progress, Request, State
from lambdas.resilience.model.failover.steps import data_of
from lambdas.resilience.store.failover.bus import CHANGED, Bus
from lambdas.resilience.store.failover.databases import Databases
from lambdas.resilience.store.failover.dns import Dns
from lambdas.resilience.store.failover.table import FailoverTable
from lambdas.resilience.store.failover.watch import Watch


@dataclass(frozen=True, kw_only=True)
class Region:
    """The Region `name`: its table, CloudWatch and databases, and Route 53; `alarm` names a group's switch."""

    name: str
    catalogue: Catalogue
    table: FailoverTable
    watch: Watch
    dns: Dns
    databases: Databases
    bus: Bus
    alarm: Callable[[str, str], str]
    clock: Callable[[], datetime]

    def switches(self, group: Group, placement: Placement) -> dict[tuple[str, str], int]:
        """The switch of a group that lives here, and what it must say: whether the other Region is out.

        None while the databases of the last request are on their way: an alarm without data stays as it is, and traffic
        follows them.
        """
        if group.mode is not Mode.SWITCH or not self._has_data(group, placement):
            return {}
        other = self.catalogue.other(self.name)
        return {(group.name, other): int(other in self.out(group, placement))}

    def out(self, group: Group, placement: Placement) -> frozenset[str]:
        """The Regions that are to be out."""
        is_open = self.table.is_open(group.name, placement.request)
        return taken_out(placement, is_open=is_open, catalogue=self.catalogue)

    def _has_data(self, group: Group, placement: Placement) -> bool:
        """Whether the databases are where the last request leads to, as far as this Region has heard, and can read."""
        if not placement.request:
            return True
        last, progress = self.table.known(group.name, placement.request) or (None, Progress())
        is_over = progress.state in {State.DONE, State.SUPERSEDED}
        return last is not None and (is_over or data_of(last, group, placement) <= set(progress.done))

    def is_switched(self, group: Group, placement: Placement) -> bool:
        """Whether the alarm behind this Region's switch follows it."""
        ((_, other), value), *_ = self.switches(group, placement).items()
        name = self.alarm(group.name, other)
        state, _ = self.watch.alarms([name]).get(name, ("", None))
        return (state == "ALARM") is bool(value)

    def zones(self, group: Group, names: Sequence[str] | None = None) -> dict[str, list[Application]]:
        """The applications of a group, or some of them, by the zone that they are in."""
        found: dict[str, list[Application]] = {}
        for one in sorted(self.table.applications(group.name), key=lambda one: one.zone):
            if names is None or one.name in names:
                found.setdefault(one.zone, []).append(one)
        return found

    def differing(self, zone: str, applications: Sequence[Application], placement: Placement) -> Difference:
        """Records of applications, all in one zone, that are not as the table says."""
        records = self.dns.records(zone, [one.record for one in applications])
        return difference(applications, records, placement.favourite_of)

    def show(self, group: Group, placement: Placement, disagreements: int | None = None) -> None:
        """Draw which Region DNS answers with, in per cent of the group's applications, and what was found to differ."""
        out, names = self.out(group, placement), [one.name for one in self.table.applications(group.name)]
        served = [answers(placement.favourite_of(one), out, self.catalogue) for one in names]
        shares = {one: 100 * served.count(one) / len(served) for one in self.catalogue.regions if served}
        self.watch.show(group.name, shares, disagreements, now=self.clock())

    def tell(self, request: Request, progress: Progress, message: str) -> None:
        """Add to the history and say on the bus what became of a request."""
        key = f"{request.at}/{request.id}/{progress.state}"
        self.record(request.group, CHANGED, message, key=key, request=request.id)

    def record(self, group: str, kind: str, message: str, *, key: str, request: str = "", once: bool = False) -> None:
        """Keep a line about a group in its history, once a `key`, and say it on the bus, `once` as well."""
        what = {"at": stamp(self.clock()), "region": self.name, "message": message, "request": request}
        self.bus.say(self.table, group, kind, what, key=key, once=once)
