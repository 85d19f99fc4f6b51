"""The table of transitions, who acts on a row, and what a changed row may ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.lifecycle import (
    ENDED,
    NOT_THE_PIPELINES,
    TRANSITIONS,
    Course,
    allowed,
    change_problem,
    checked,
    course,
    moved,
    moves,
    retirement_failed,
    sources,
)
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, Wanted
from lambdas.saas.model.status import Phase, Placement, StackRef, Status

WISH = DeploymentRecord(id="silo1", type="silo", account="222222222222", region="eu-west-1")
PLACED = Placement(type="silo", account="222222222222", region="eu-west-1")
STATUS = Status(id="silo1", phase=Phase.ACTIVE, placed=(PLACED,))
HERE = StackRef(kind="component", stack_id="arn:here", account="222222222222", region="eu-west-1")
THERE = replace(HERE, stack_id="arn:there", region="us-east-1")

phases = st.sampled_from(Phase)


def test_every_phase_has_its_row_in_the_table() -> None:
    assert set(TRANSITIONS) == set(Phase)


@given(phases, phases)
def test_sources_are_the_table_read_backwards(before: Phase, after: Phase) -> None:
    assert (before in sources(after)) == allowed(before, after)


def test_what_is_retired_can_only_be_buried() -> None:
    """Nothing late may bring a retired deployment back: neither a build, nor a pipeline's event, nor a release."""
    for phase in Phase:
        assert allowed(Phase.RETIRED, phase) == (phase is Phase.RETIRED)


@pytest.mark.parametrize("after", [Phase.PENDING, Phase.PROVISIONING, Phase.MOVING, Phase.INVALID])
@pytest.mark.parametrize("before", [Phase.SUSPENDED, Phase.RETIRING])
def test_no_build_takes_up_what_is_suspended_or_being_retired(before: Phase, after: Phase) -> None:
    assert not allowed(before, after)


def test_every_phase_but_the_last_leads_to_an_end() -> None:
    for start in Phase:
        reached = {start}
        while more := {after for before in reached for after in TRANSITIONS[before]} - reached:
            reached |= more
        assert reached & ENDED, start


@given(st.sampled_from(Wanted), st.one_of(st.none(), phases))
def test_a_row_is_for_one_actor_alone(state: Wanted, phase: Phase | None) -> None:
    """Given any row and phase, then builds act on active rows only, and never where the lifecycle machine works."""
    status = None if phase is None else replace(STATUS, phase=phase)
    found = course(replace(WISH, state=state.value), status)
    if found is Course.PROVISION:
        assert state is Wanted.ACTIVE
        assert phase not in (Phase.SUSPENDED, Phase.RETIRING)
    if phase in ENDED and state is not Wanted.ACTIVE:
        assert found is Course.NOTHING


def test_another_place_is_a_move_and_needs_consent() -> None:
    wish = replace(WISH, region="us-east-1")
    assert moves(wish, STATUS)
    assert 'add "allow_move": {"BOOL": true}' in str(change_problem(wish, STATUS))
    assert change_problem(replace(wish, allow_move=True), STATUS) is None
    assert isinstance(checked(wish, STATUS), InvalidRow)
    assert checked(replace(wish, allow_move=True), STATUS) == replace(wish, allow_move=True)


def test_the_type_never_changes() -> None:
    assert "put another id" in str(change_problem(replace(WISH, type="pool", allow_move=True), STATUS))


@pytest.mark.parametrize("status", [None, replace(STATUS, placed=()), replace(STATUS, phase=Phase.RETIRED)])
def test_what_does_not_stand_may_go_anywhere(status: Status | None) -> None:
    wish = replace(WISH, type="pool", region="us-east-1")
    assert not moves(wish, status)
    assert checked(wish, status) == wish


def test_a_row_that_retires_need_not_name_the_right_place() -> None:
    wish = replace(WISH, region="us-east-1", state="retired")
    assert checked(wish, STATUS) == wish
    assert checked(replace(wish, type="pool"), STATUS) == replace(wish, type="pool")


def test_a_move_is_over_when_the_new_place_stands() -> None:
    there = replace(PLACED, region="us-east-1")
    moving = replace(STATUS, phase=Phase.MOVING, placed=(there,), former_stacks=(HERE,))
    assert not moved(moving)
    stands = replace(moving, component_stacks=(THERE,))
    assert moved(stands)
    assert moved(replace(stands, phase=Phase.ACTIVE)), "it failed on its way, and a release made up for that"
    assert not moved(replace(stands, phase=Phase.FAILED))
    assert not moved(replace(stands, component_stacks=(HERE, THERE))), "the former place is in use"
    assert not moved(replace(stands, former_stacks=(THERE,)))


@pytest.mark.parametrize("amiss", [{"row_problem": "region is missing"}, {"row_removed": True}])
def test_a_suspended_deployment_whose_row_was_amiss_is_looked_at(amiss: dict[str, Any]) -> None:
    """Given a suspended deployment whose reason tells of its row, when that is right again, then the reason goes."""
    suspended = replace(STATUS, phase=Phase.SUSPENDED)
    wish = replace(WISH, state=Wanted.SUSPENDED.value)
    assert course(wish, suspended) is Course.NOTHING
    assert course(wish, replace(suspended, **amiss)) is Course.LIFECYCLE


def test_a_retirement_that_failed_is_known_by_its_date() -> None:
    failed = replace(STATUS, phase=Phase.FAILED, reason="whatever is said of it")
    assert not retirement_failed(failed)
    assert retirement_failed(replace(failed, retire_after="2026-11-23T12:00:00.000+00:00"))


def test_what_the_pipeline_tells_does_not_end_a_suspension() -> None:
    assert {Phase.SUSPENDED, Phase.RETIRING, Phase.MOVING, *ENDED} <= NOT_THE_PIPELINES


BOTH = replace(WISH, standby_region="us-east-1")
WITH_STANDBY = replace(STATUS, placed=(PLACED, replace(PLACED, region="us-east-1")))


@pytest.mark.parametrize(
    ("wish", "status", "told"),
    [
        (
            BOTH,
            STATUS,
            "and the row names account 222222222222, eu-west-1 with a standby in us-east-1: that is a change",
        ),
        (
            WISH,
            WITH_STANDBY,
            "eu-west-1 with a standby in us-east-1, and the row names account 222222222222, eu-west-1:",
        ),
        (replace(WISH, standby_region="eu-north-1"), WITH_STANDBY, "which leaves its data behind; put the old places"),
        (replace(WISH, region="us-east-1", standby_region="eu-west-1"), WITH_STANDBY, "that is a change of place; put"),
    ],
    ids=["add", "drop", "move", "swap"],
)
def test_another_standby_is_a_change_of_place_and_needs_consent(
    wish: DeploymentRecord, status: Status, told: str
) -> None:
    assert moves(wish, status)
    assert told in str(change_problem(wish, status))
    assert change_problem(replace(wish, allow_move=True), status) is None


def test_the_same_places_are_no_change() -> None:
    assert not moves(BOTH, WITH_STANDBY)
    assert change_problem(BOTH, WITH_STANDBY) is None
