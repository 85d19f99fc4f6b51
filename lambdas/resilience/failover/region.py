"""A Region's half of the control plane: everything that it works with is in this Region, but for Route 53."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.common.bus import put_event
from lambdas.common.clock import stamp
from lambdas.common.isolation import contained
from lambdas.resilience.model.failover.catalogue import Catalogue, Group, Mode
from lambdas.resilience.model.failover.packing import Difference, difference
from lambdas.resilience.model.failover.placement import Placement, answers, taken_out
from lambdas.resilience.model.failover.request import Progress, Request, State
from lambdas.resilience.model.failover.steps import data_of
from lambdas.resilience.store.failover.databases import Databases
from lambdas.resilience.store.failover.dns import Dns
from lambdas.resilience.store.failover.table import FailoverTable
from lambdas.resilience.store.failover.watch import Watch

logger = logging.getLogger(__name__)
# Kinds of events on the bus.
CHANGED, DISAGREES = "Failover Changed", "Failover Disagrees"


@dataclass(frozen=True, kw_only=True)
class Region:
    """The Region `name`: its table, CloudWatch and databases, and Route 53; `alarm` names a group's switch."""

    name: str
    catalogue: Catalogue
    table: FailoverTable
    watch: Watch
    dns: Dns
    databases: Databases
    events: Any
    bus: str
    factory: str
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
        last = self.table.request(group.name, placement.request)
        # One that has not been replicated to this Region yet may be open.
        is_open = last is None or self.table.progress(last).state is State.OPEN
        return taken_out(placement, is_open=is_open, catalogue=self.catalogue)

    def _has_data(self, group: Group, placement: Placement) -> bool:
        """Whether the databases are where the last request leads to, as far as this Region has heard."""
        if not placement.request:
            return True
        last = self.table.request(group.name, placement.request)
        if last is None:
            return False
        progress = self.table.progress(last)
        return progress.state is not State.OPEN or data_of(last, group, placement) <= set(progress.done)

    def is_switched(self, group: Group, placement: Placement) -> bool:
        """Whether the alarm behind this Region's switch follows it."""
        ((_, other), value), *_ = self.switches(group, placement).items()
        name = self.alarm(group.name, other)
        state, _ = self.watch.alarms([name]).get(name, ("", None))
        return (state == "ALARM") is bool(value)

    def differing(self, group: Group, placement: Placement, names: Sequence[str] | None = None) -> Difference:
        """Records of a group, or of some of its applications, that are not as the table says."""
        applications = self.table.applications(group.name)
        wanted = [one for one in applications if names is None or one.name in names]
        return difference(wanted, self.dns.records(one.zone for one in wanted), placement.favourite_of)

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
        if not self.table.say(group, {**what, "kind": kind}, key=key) and once:
            return
        detail = {**what, "group": group}
        # Nothing is held up because nobody could be told.
        with contained(f"telling of group {group}"):
            if problem := put_event(self.events, bus=self.bus, source=self.factory, kind=kind, detail=detail):
                logger.error("the bus %s has not taken an event about group %s: %s", self.bus, group, problem)
