"""Two operators, two Regions that die at any call or hear nothing of each other, throttles, outages, refusals.

There is one end, and it is whole; what Route 53 refuses holds up nothing else.
Whatever of a group cannot be read any more, the other group fails over as ever, and so does this one by force.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.resilience.model.failover.catalogue import Database, Mode
from lambdas.resilience.model.failover.placement import Placement
from lambdas.resilience.model.failover.request import Request, State
from tests.examples import examples
from tests.unit.lambdas.resilience.failover.aws import A, B, KilledError, refusal
from tests.unit.lambdas.resilience.failover.planes import Planes, application, catalogue, group

_REGIONS = st.sampled_from([A, B])
_FAULTS = st.sampled_from(["", "", "killed", "throttled", "lost"])
_FURTHEST = 60
# What a later version may write otherwise, and what it may write.
_KINDS = ("requests", "progress", "placements", "applications", "history", "drills")
_ITEMS = st.sampled_from(["facts/", "registered/", *(f"{kind}/shop" for kind in _KINDS)])
_TEXTS = st.sampled_from([None, "{", '{"state": "PAUSED"}', '{"at": 5, "what": 5}'])


class Failovers(RuleBasedStateMachine):
    """What may happen, in any order; at the end all is well again, and time goes by."""

    @initialize(mode=st.sampled_from(list(Mode)), with_database=st.booleans())
    def begin(self, mode: Mode, with_database: bool) -> None:
        databases = (Database(name="orders", global_cluster="orders", record="db.example.com", zone="Z1"),)
        shop = group(mode=mode, databases=databases if with_database else ())
        applications = [application(1), application(2), application(3, zone="Z2"), application(9, "other", "Z2")]
        self.planes = Planes(catalogue=catalogue(shop, group("other"), applications=applications))
        self.is_spoiled = False
        self.planes.minutes(2)
        self.numbers = count(1)
        self.asked: list[tuple[str, str, tuple[str, ...], str]] = []
        self.told = 0

    @rule(
        at=_REGIONS,
        to=_REGIONS,
        mode=st.sampled_from(["", "weights"]),
        alone=st.sampled_from([(), (), ("app1",), ("app1", "app3")]),
        fault=_FAULTS,
        where=st.integers(0, _FURTHEST),
    )
    def ask(  # noqa: PLR0917 - Hypothesis gives them by name
        self, at: str, to: str, mode: str, alone: tuple[str, ...], fault: str, where: int
    ) -> None:
        request = f"r{next(self.numbers)}"
        self.asked.append((request, to, alone, mode))
        self._meanwhile(at, fault, where, lambda: self._start(at, request, to, alone, mode))

    @precondition(lambda self: bool(getattr(self, "asked", ())))
    @rule(at=_REGIONS, which=st.integers(0, 20))
    def ask_again(self, at: str, which: int) -> None:
        request, to, alone, mode = self.asked[which % len(self.asked)]
        known = self._known(at, request) if at not in self.planes.world.down else None
        before = dict(self.planes.world.tables[at].items)
        is_over = known and self.planes.region(at).table.progress(known).state is not State.OPEN
        self._meanwhile(at, "", 0, lambda: self._start(at, request, to, alone, mode))
        if is_over:
            assert self.planes.world.tables[at].items == before, "a replayed id changes nothing"

    @rule(at=_REGIONS, fault=_FAULTS, where=st.integers(0, _FURTHEST))
    def minute(self, at: str, fault: str, where: int) -> None:
        self._meanwhile(at, fault, where, lambda: self.planes.minute(at))

    @rule(seconds=st.sampled_from([1, 30, 60, 200]))
    def time_goes_by(self, seconds: int) -> None:
        self.planes.world.pass_time(seconds)

    @rule(only=st.sampled_from(["", "", "requests", "placements", "progress", "facts"]))
    def replicate(self, only: str) -> None:
        self.planes.world.replicate(only)

    @rule(at=_REGIONS, item=_ITEMS, which=st.integers(0, 20), text=_TEXTS)
    def cannot_be_read_any_more(self, at: str, item: str, which: int, text: str | None) -> None:
        self.is_spoiled |= self.planes.world.tables[at].spoil(item, which, text)

    @rule(region=_REGIONS)
    def goes_down(self, region: str) -> None:
        self.planes.world.down = {region}

    @rule()
    def comes_back(self) -> None:
        self.planes.world.down.clear()

    @rule()
    def are_parted(self) -> None:
        self.planes.world.parted = True

    @rule()
    def hear_each_other(self) -> None:
        self.planes.world.parted = False

    @rule(names=st.sets(st.sampled_from(["app1.shop.example.com.", "app3.shop.example.com."])))
    def records_are_refused(self, names: set[str]) -> None:
        self.planes.world.route53.poisoned = names

    @rule(zones=st.sets(st.sampled_from(["Z1", "Z2"])))
    def zones_cannot_be_read(self, zones: set[str]) -> None:
        self.planes.world.route53.unreadable = zones

    @invariant()
    def traffic_is_whole_and_the_history_only_grows(self) -> None:
        if not hasattr(self, "planes"):
            return
        self.planes.seen()  # never shares traffic, never loses a health check
        lines = {key for table in self.planes.world.tables.values() for key in table.items if "history/" in key[0]}
        assert len(lines) >= self.told
        self.told = len(lines)

    def teardown(self) -> None:
        if not hasattr(self, "planes"):
            return
        planes, world = self.planes, self.planes.world
        world.down.clear()
        world.parted = False
        world.replicate()
        if world.route53.poisoned or world.route53.unreadable:
            if not self.is_spoiled:
                self._the_rest_agrees()
            world.route53.poisoned, world.route53.unreadable = set(), set()
        if self.is_spoiled:
            self._the_other_group_fails_over_and_by_force_this_one_too()
        else:
            planes.minutes(40)
        mine, its = (self._placement(at) for at in (A, B))
        assert mine == its
        for at in (A, B):
            table = planes.region(at).table
            for request in table.requests("shop"):
                progress = table.progress(request)
                assert progress.state is not State.OPEN, f"{request.id} is half done: {progress}"
                # Whoever is not the last of its kind is either done before, or superseded.
                ends = {State.DONE, State.UNREADABLE} if self.is_spoiled else {State.DONE}
                assert mine.is_current(request.id) <= (progress.state in ends)
        self._table_and_dns_agree(mine)

    def _the_other_group_fails_over_and_by_force_this_one_too(self) -> None:
        planes = self.planes
        self._minutes(2)
        planes.start(B, "other", B, group="other")
        self._minutes(4)
        assert planes.seen()["app9"] == B
        planes.start(B, "out", B, mode="weights", force=True)
        # As the runbook says of applications that cannot be read: they are written anew.
        planes.world.tables[A].delete_item(Key={"id": {"S": "registered"}, "sort": {"S": A}})
        self._minutes(40)
        told = planes.commands(B).run("status", {}, actor="x")["groups"]
        ends = [one["requests"][0] for one in told]
        assert [(one["request"]["id"], one["progress"]["state"]) for one in ends] == [
            ("out", "DONE"),
            ("other", "DONE"),
        ]

    def _minutes(self, count: int) -> None:
        """Nothing but what cannot be read is ever wrong, and each minute says so."""
        for _ in range(count):
            for at in (A, B):
                try:
                    self.planes.minute(at)
                except GranaryError as error:
                    assert "cannot be read" in str(error)  # noqa: PT017 - it need not be raised
                self.planes.world.replicate()
            self.planes.world.pass_time(60)

    def _the_rest_agrees(self) -> None:
        """Not what cannot be written, or read; and all of it waits for the name of the group's database."""
        for _ in range(20):
            for at in (A, B):
                with suppress(GranaryError):
                    self.planes.minute(at)
                self.planes.world.replicate()
            self.planes.world.pass_time(60)
        route53 = self.planes.world.route53
        unreadable, route53.unreadable = route53.unreadable, set()
        if "Z1" in unreadable and self.planes.catalogue.group("shop").databases:
            return
        for one in self.planes.catalogue.applications:
            record = f"{one.record}."
            if one.zone not in unreadable and record not in route53.poisoned:
                assert record not in self.planes.differing(A)

    def _table_and_dns_agree(self, placement: Placement) -> None:
        shop = self.planes.catalogue.group("shop")
        for name, seen in self.planes.seen().items():
            if name == "app9":
                continue
            at_home = placement.active == placement.favourite
            assert seen == (placement.favourite_of(name) if at_home else placement.active), f"{name}: {placement}"
        assert self.planes.differing(A) == []
        if shop.databases and placement.request:
            assert self.planes.world.rds.writer("orders") == placement.active

    def _placement(self, at: str) -> Placement:
        return self.planes.region(at).table.placement(self.planes.catalogue.group("shop"))

    def _known(self, at: str, request: str) -> Request | None:
        with suppress(UnreadableError):
            return self.planes.region(at).table.request("shop", request)
        return None

    def _start(self, at: str, request: str, to: str, alone: tuple[str, ...], mode: str) -> Any:
        return self.planes.start(at, request, to, *alone, mode=mode, force=True)

    def _meanwhile(self, at: str, fault: str, where: int, work: Callable[[], Any]) -> None:
        """Do something that dies, is throttled or loses the answer at its n-th call; who is dead gives nothing back."""
        world, calls = self.planes.world, count()

        def meet(_region: str, _call: str) -> None:
            number = next(calls)
            if fault == "killed" and number >= where:
                raise KilledError
            if fault and number == where:
                raise refusal("ThrottlingException") if fault == "throttled" else refusal("InternalFailure", status=500)

        world.fault = meet
        try:
            if at not in world.down:
                work()
        except (KilledError, GranaryError):
            pass
        except Exception as error:
            if "Throttling" not in str(error) and "InternalFailure" not in str(error):
                raise
        finally:
            world.fault = lambda _region, _call: None


Failovers.TestCase.settings = settings(max_examples=examples(160), stateful_step_count=25, deadline=None)
TestFailovers = Failovers.TestCase
