"""The plan of a release."""

from __future__ import annotations

import json
import time
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.record import DeploymentRecord, InvalidRow
from lambdas.saas.model.rings import (
    CHANGES_SHOWN,
    Item,
    Plan,
    ReleasePolicy,
    RingPolicy,
    in_order,
    item_of,
    plan,
    to_items,
)
from lambdas.saas.model.runs import Strategy
from lambdas.saas.model.status import Phase, StackRef, Status

STACK = StackRef(kind="pipeline", stack_id="arn:p", account="111111111111", region="eu-west-1")
POLICY = ReleasePolicy(
    concurrency=5,
    rings=(
        RingPolicy(name="canary", percent=1, minimum=1, bake_minutes=10, alarms=("errors",)),
        RingPolicy(name="early", percent=10, concurrency=3),
        RingPolicy(name="general", max_failures=1, max_failure_percent=10, approval=True),
    ),
)


def record(deployment_id: str, **more: str) -> DeploymentRecord:
    given_ = {"type": "silo", "account": "222222222222", "region": "eu-west-1", **more}
    return DeploymentRecord(id=deployment_id, **given_)  # type: ignore[arg-type]


def stands(deployment_id: str, **more: object) -> Status:
    known = Status(id=deployment_id, phase=Phase.ACTIVE, revision_deployed="old", pipeline_stack=STACK)
    return replace(known, **more)  # type: ignore[arg-type]


def planned(*records: DeploymentRecord, policy: ReleasePolicy = POLICY, resumes: str = "", **statuses: Status) -> Plan:
    known = {one.id: stands(one.id) for one in records} | statuses
    return plan(policy, revision="new", records=records, statuses=known, resumes=resumes)


def rings_of(result: Plan) -> dict[str, set[str]]:
    return {ring.name: {item.id for item in ring.items} for ring in result.rings}


FLEET = [record(f"t{number}") for number in range(100)]


def test_rings_get_their_shares_and_the_last_one_the_rest() -> None:
    result = planned(*FLEET)
    assert [(ring.name, len(ring.items)) for ring in result.rings] == [("canary", 1), ("early", 10), ("general", 89)]
    assert [ring.allowed_failures for ring in result.rings] == [0, 0, 8]
    assert [ring.policy.concurrency for ring in result.rings] == [5, 3, 5]
    assert (result.total, result.there, result.skipped) == (100, 0, ())


def test_a_row_may_name_its_ring() -> None:
    chosen = [replace(one, ring="canary") for one in FLEET[:3]]
    assert {one.id for one in chosen} <= rings_of(planned(*chosen, *FLEET[3:]))["canary"]


MATCHING = replace(
    POLICY,
    rings=(
        replace(POLICY.rings[0], percent=10, match={"tier": "free"}),
        replace(POLICY.rings[1], percent=0, match={"region": "eu-*", "type": "pool"}),
        POLICY.rings[2],
    ),
)


@pytest.mark.parametrize(
    ("more", "ring"),
    [
        ({"tier": "free"}, "canary"),
        ({"tier": "free", "type": "pool"}, "canary"),
        ({"tier": "gold", "type": "pool"}, "early"),
        ({"type": "pool", "region": "us-east-1"}, "general"),
        ({"tier": "free", "ring": "general"}, "general"),
        ({"tier": "free", "ring": "gone"}, "canary"),
        ({}, "general"),
    ],
)
def test_the_first_ring_that_matches_wins_and_a_rows_own_before_it(more: dict[str, str], ring: str) -> None:
    others = [record(f"t{number}", tier="free") for number in range(3)]  # more than the canary's share
    found = rings_of(planned(record("one", **more), *others, policy=MATCHING))
    assert [name for name, ids in found.items() if "one" in ids] == [ring]


def test_who_matches_counts_towards_the_share() -> None:
    """Given a ring of 10 percent that half of its share matches, then it gets the other half by their turn."""
    fleet = [*FLEET[5:], *(record(f"m{number}", tier="free") for number in range(5))]
    found = rings_of(planned(*fleet, policy=MATCHING))
    assert (len(found["canary"]), found["early"]) == (10, set())
    assert {f"m{number}" for number in range(5)} < found["canary"]


def test_a_resumed_run_keeps_who_matched_before() -> None:
    kept = stands("one", release_run="r1", release_ring="general")
    found = planned(record("one", tier="free"), policy=MATCHING, resumes="r1", one=kept)
    assert rings_of(found)["general"] == {"one"}


def test_a_ring_that_the_policy_does_not_have_is_no_ring() -> None:
    assert planned(record("a", ring="gone")).total == 1


def test_few_deployments_leave_later_rings_empty() -> None:
    assert [len(ring.items) for ring in planned(record("a")).rings] == [1, 0, 0]
    assert [len(ring.items) for ring in planned().rings] == [0, 0, 0]


def test_a_new_deployment_moves_few_others() -> None:
    before, after = rings_of(planned(*FLEET)), rings_of(planned(*FLEET, record("another")))
    assert len(before["early"] - after["early"]) <= 1


@pytest.mark.parametrize(
    ("wish", "status", "reason"),
    [
        (record("a", state="suspended"), stands("a"), "its row asks for it to be suspended"),
        (record("a", state="retired"), stands("a"), "its row asks for it to be retired"),
        (record("a"), None, "it is not provisioned yet"),
        (record("a"), stands("a", pipeline_stack=None), "it is not provisioned yet"),
        (record("a"), stands("a", revision_deployed="", phase=Phase.FAILED), "has not deployed anything yet (FAILED)"),
        (record("a"), stands("a", phase=Phase.SUSPENDED), "it is suspended"),
        (record("a"), stands("a", phase=Phase.MOVING), "it is being moved"),
        (record("a"), stands("a", phase=Phase.RETIRING), "it is being retired"),
        (record("a"), stands("a", phase=Phase.RETIRED_WITH_WARNINGS), "it was retired"),
        (record("a"), stands("a", phase=Phase.INVALID), "no build has taken it up yet"),
    ],
)
def test_what_is_not_in_use_is_skipped(wish: DeploymentRecord, status: Status | None, reason: str) -> None:
    result = plan(POLICY, revision="new", records=[wish], statuses={"a": status} if status else {})
    (skipped,) = result.skipped
    assert (result.total, skipped.id) == (0, "a")
    assert reason in str(skipped)


def test_invalid_rows_and_those_that_are_gone_are_named() -> None:
    left = {"b": stands("b"), "c": stands("c", phase=Phase.RETIRED), "d": stands("d", revision_deployed="")}
    bad = InvalidRow(id="a", reasons=("region is missing",))
    result = plan(POLICY, revision="new", records=[], invalid=[bad], statuses=left)
    assert [str(one) for one in result.skipped] == [
        "a: its row is not valid: region is missing",
        "b: it has no row any more",
    ]


@pytest.mark.parametrize("phase", [Phase.ACTIVE, Phase.FAILED, Phase.UPDATING, Phase.PROVISIONING])
def test_what_is_there_already_is_left(phase: Phase) -> None:
    result = planned(record("a"), a=stands("a", revision_deployed="new", phase=phase))
    assert (result.there, result.total) == ((1, 0) if phase is Phase.ACTIVE else (0, 1))


def test_who_waits_for_a_build_or_is_still_being_retired_is_left_out() -> None:
    waits = stands("a", phase=Phase.PENDING)
    ends = stands("b", phase=Phase.FAILED, retire_after="2026-11-25T12:00:00.000+00:00")
    result = planned(record("a"), record("b"), a=waits, b=ends)
    assert (result.total, [one.id for one in result.skipped]) == (0, ["a", "b"])


def test_changes_are_told_in_words() -> None:
    few = planned(record("a"))
    assert few.rings[0].changes == ("a (silo, 222222222222, eu-west-1): old -> new",)
    assert planned(record("a", standby_region="us-east-1")).rings[0].changes == (
        "a (silo, 222222222222, eu-west-1, us-east-1): old -> new",
    )
    many = planned(*FLEET).rings[2].changes
    assert len(many) == CHANGES_SHOWN + 1
    assert many[-1] == "and 69 more"


@pytest.mark.parametrize("strategy", [Strategy.ONE_AT_A_TIME, Strategy.ALL_AT_ONCE])
def test_other_strategies_have_one_ring(strategy: Strategy) -> None:
    (ring,) = planned(*FLEET, policy=replace(POLICY, strategy=strategy.value)).rings
    one = strategy is Strategy.ONE_AT_A_TIME
    assert (ring.name, len(ring.items), ring.policy.approval) == ("all", 100, True)
    assert (ring.policy.concurrency, ring.allowed_failures) == ((1, 0) if one else (5, 10))


@given(
    st.sets(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), max_size=40),
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 5)), min_size=1, max_size=5),
    st.data(),
)
def test_each_deployment_is_in_one_ring(ids: set[str], shares: list[tuple[int, int]], data: st.DataObject) -> None:
    rings = tuple(RingPolicy(name=f"r{n}", percent=p, minimum=m) for n, (p, m) in enumerate(shares))
    names = st.sampled_from(["", *(ring.name for ring in rings)])
    records = [record(one, ring=data.draw(names)) for one in ids]
    policy = ReleasePolicy(rings=rings)
    result = planned(*records, policy=policy)
    placed = [item.id for ring in result.rings for item in ring.items]
    assert sorted(placed) == sorted(ids)
    assert result == planned(*reversed(records), policy=policy), "the order of rows does not matter"
    homes = rings_of(result)
    for one in records:
        assert not one.ring or one.id in homes[one.ring]
    for ring in result.rings[:-1]:
        free = [one for one in records if not one.ring and one.id in homes[ring.name]]
        assert len(free) <= ring.policy.share(len(records))


@given(st.sets(st.integers(0, 60), max_size=30))
def test_a_resumed_run_keeps_the_rings(numbers: set[int]) -> None:
    """Given some deployments are there and the others were in a ring, then what remains stays where it was."""
    records = [record(f"t{number}") for number in numbers]
    before = rings_of(planned(*records))
    after: dict[str, Any] = {
        one.id: stands(one.id, release_run="run1", release_ring=name)
        if int(one.id[1:]) % 2  # what was begun has its ring in its status
        else stands(one.id, revision_deployed="new")
        for name, ids in before.items()
        for one in records
        if one.id in ids
    }
    grown = [record(f"new{number}") for number in range(40)]
    result = rings_of(planned(*records, *grown, resumes="run1", **after))
    for name, ids in before.items():
        remaining = {one for one in ids if after[one].release_run}
        assert remaining <= result[name]


def test_a_policy_is_read_as_it_was_written() -> None:
    assert ReleasePolicy.from_json(POLICY.to_json()) == POLICY


def test_items_are_read_as_they_were_written() -> None:
    items = [Item(id="a", type="silo"), Item(id="b", type="pool")]
    assert [item_of(one) for one in json.loads(to_items(items))] == items


def test_the_order_depends_on_the_id_alone() -> None:
    assert in_order("acme") == in_order("acme") != in_order("acme2")


@pytest.mark.slow
def test_a_large_fleet_is_planned_quickly() -> None:
    records = [record(f"customer-{number:05d}") for number in range(10_000)]
    statuses = {one.id: stands(one.id) for one in records}
    tracemalloc.start()
    began = time.perf_counter()
    result = plan(POLICY, revision="new", records=records, statuses=statuses)
    took = time.perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.total == 10_000
    assert took < 5, "a second without the tracing of memory"
    assert peak < 200_000_000
