"""Tenants come, change and go while rounds and failovers die at any call, and people put records of their own.

Nothing of theirs is ever touched, an application always has its records, nobody goes by a list that is not whole; and
when all is well again, table, claims and zone are as the tenants are, with the weights that the table says.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lambdas.common.errors import GranaryError
from lambdas.resilience.model.failover.catalogue import Mode
from tests.examples import examples
from tests.unit.lambdas.resilience.failover.aws import A, B, KilledError, refusal
from tests.unit.lambdas.resilience.failover.planes import Planes
from tests.unit.lambdas.resilience.failover_tenants.places import FAR, SHOP, Places, catalogue, name_of, standby

_TENANTS = st.sampled_from(["acme", "other"])
_REGIONS = st.sampled_from([A, B])
_FAULTS = st.sampled_from(["", "", "killed", "killed", "throttled", "refused"])
_FURTHEST = 40


class Rounds(RuleBasedStateMachine):
    """What may happen, in any order; at the end all is well again, and time goes by."""

    @initialize(mode=st.sampled_from(list(Mode)))
    def begin(self, mode: Mode) -> None:
        self.places = Places(planes=Planes(catalogue=catalogue(mode=mode)))
        self.places.tenants["acme"] = standby("acme")
        self.places.rounds()
        self.numbers = count(1)
        self.strange: dict[tuple[str, str, str], dict[str, Any]] = {}
        # Names one of whose own records went, when somebody put another in its place.
        self.replaced: set[str] = set()

    @rule(tenant=_TENANTS, number=st.integers(0, 2), region=_REGIONS)
    def stands(self, tenant: str, number: int, region: str) -> None:
        self.places.tenants[tenant] = standby(tenant, number=number, region=region)

    @rule(tenant=_TENANTS, lacking=_REGIONS)
    def lacks(self, tenant: str, lacking: str) -> None:
        self.places.tenants[tenant] = {**standby(tenant), "outputs": {lacking: {"Endpoint": "x.example.net"}}}

    @rule(tenant=_TENANTS)
    def drops(self, tenant: str) -> None:
        self.places.tenants.pop(tenant, None)

    @rule(is_whole=st.booleans())
    def unreadable(self, is_whole: bool) -> None:
        self.places.unreadable = [] if is_whole else ["broken"]

    @rule(fault=_FAULTS, where=st.integers(0, _FURTHEST), minutes=st.sampled_from([1, 1, 7]))
    def round(self, fault: str, where: int, minutes: int) -> None:
        self._meanwhile("", 0, lambda: self.places.planes.minutes(minutes))
        before = self._own()
        self._meanwhile(fault, where, self.places.round)
        if self.places.unreadable:
            assert before <= self._own()

    @rule(fault=_FAULTS, where=st.integers(0, _FURTHEST), at=_REGIONS)
    def minute(self, fault: str, where: int, at: str) -> None:
        if at not in self.places.planes.world.down:
            self._meanwhile(fault, where, lambda: self.places.planes.minute(at))
            self.places.planes.world.replicate()
            self.places.planes.world.pass_time(60)

    @rule(group=st.sampled_from([SHOP, FAR]), to=_REGIONS)
    def fails_over(self, group: str, to: str) -> None:
        request = f"r{next(self.numbers)}"
        if to not in self.places.planes.world.down:
            start = self.places.planes.start
            self._meanwhile("", 0, lambda: start(to, request, to, group=group, force=True))

    @rule(is_down=st.booleans())
    def down(self, is_down: bool) -> None:
        self.places.planes.world.down = {B} if is_down else set()

    @rule(tenant=_TENANTS, which=st.sampled_from([A, B, "x", "TXT"]))
    def somebody_puts_a_record(self, tenant: str, which: str) -> None:
        name = f"{name_of(tenant)}."
        record: dict[str, Any] = {"Name": name, "Type": "CNAME", "ResourceRecords": [{"Value": "x.example.org"}]}
        record |= {"Type": "TXT"} if which == "TXT" else {"SetIdentifier": which, "Weight": 1}
        others = {key[1] for key in self.places.zone if key[0] == name}
        # Route 53 takes no CNAME beside others.
        if others <= {record["Type"]}:
            key = (name, record["Type"], record.get("SetIdentifier", ""))
            self.replaced |= {name_of(tenant)} if key in self.places.zone else set()
            self.places.zone[key] = self.strange[key] = record

    @rule()
    def they_take_them_away(self) -> None:
        for key in self.strange:
            del self.places.zone[key]
        self.strange.clear()

    @invariant()
    def nothing_of_theirs_is_touched(self) -> None:
        for key, record in getattr(self, "strange", {}).items():
            # A failover writes weights of what an application has, whoever led it elsewhere.
            has = self.places.zone[key]
            assert {**has, "Weight": 0} == {**record, "Weight": 0}

    @invariant()
    def an_application_has_its_records(self) -> None:
        for name in self.places.applications() if hasattr(self, "places") else ():
            keys = {(f"{name}.", "CNAME", at) for at in (A, B)}
            assert name in self.replaced or keys <= self.places.zone.keys()

    def _own(self) -> set[tuple[str, str, str]]:
        return set(self.places.zone) - self.strange.keys()

    def _meanwhile(self, fault: str, where: int, work: Callable[[], Any]) -> None:
        """Do it, with a fault at one of its calls; what it could not do, it says."""
        calls = count()

        def fails(_region: str, _call: str) -> None:
            number = next(calls)
            if fault == "killed" and number >= where:
                raise KilledError
            if fault and number == where:
                raise refusal("Throttling" if fault == "throttled" else "InternalError")

        self.places.planes.world.fault = fails
        with suppress(GranaryError, KilledError, ClientError, EndpointConnectionError):
            work()
        self.places.planes.world.fault = lambda _region, _call: None

    def teardown(self) -> None:
        if not hasattr(self, "places"):
            return
        self.they_take_them_away()
        self.places.unreadable.clear()
        self.places.planes.world.down.clear()
        for tenant, one in list(self.places.tenants.items()):
            if set(one["outputs"]) != {A, B}:
                self.places.tenants[tenant] = standby(tenant)
        self.places.planes.minutes(20)
        # A claim first, a change of the group, one of the endpoints; and who goes takes two.
        self.places.rounds(4)
        self.places.planes.minutes(20)
        wanted = {name_of(one): its for one, its in self.places.tenants.items()}
        found = self.places.applications()
        assert found.keys() == self.places.claims() == wanted.keys()
        assert {(name, kind) for name, kind, _ in self.places.zone} == {(f"{one}.", "CNAME") for one in wanted}
        for name, its in wanted.items():
            tenant = name.partition(".")[0]
            led = self.places.led(tenant)
            endpoints = {at: its["outputs"][at]["Endpoint"].split("/")[2] for at in (A, B)}
            assert {at: value for at, (value, _, _) in led.items()} == endpoints
            assert found[name].group == (SHOP if its["region"] == A else FAR)
            checks = {check for _, _, check in led.values()}
            is_switched = self.places.planes.catalogue.group(SHOP).mode is Mode.SWITCH
            assert checks == ({f"{found[name].group}/{at}" for at in (A, B)} if is_switched else {""})
        assert not self.places.planes.differing(A)
        assert self.places.round() is None  # type: ignore[func-returns-value]


TestRounds = Rounds.TestCase
TestRounds.settings = settings(max_examples=examples(40), stateful_step_count=25, deadline=None)
