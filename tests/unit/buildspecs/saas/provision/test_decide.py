"""What a build does about one deployment."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buildspecs.saas.provision.decide import Job, Step, decide, job
from lambdas.saas.model.record import DeploymentRecord, InvalidRow
from lambdas.saas.model.status import Phase, Placement, StackRef, Status
from tests.unit.lambdas.saas.strategies import records

RECORD = DeploymentRecord(id="silo1", type="silo", account="222222222222", region="eu-west-1")
INVALID = InvalidRow(id="silo1", reasons=("type is missing",))
STACK = StackRef(kind="pipeline", stack_id="arn:p", account="111111111111", region="us-east-1")
NAMED = StackRef(kind="component", stack_id="silo-silo1-resources", account="222222222222", region="eu-west-1")
APPLIED = Status(id="silo1", phase=Phase.ACTIVE, applied_digest=RECORD.digest())


@pytest.mark.parametrize(
    ("wish", "status", "step"),
    [
        (None, None, Step.SKIP),
        (None, APPLIED, Step.SAY_REMOVED),
        (None, replace(APPLIED, row_removed=True), Step.SAY_REMOVED),
        (INVALID, None, Step.SAY_INVALID),
        (INVALID, APPLIED, Step.SAY_INVALID),
        (RECORD, None, Step.PROVISION),
        (RECORD, APPLIED, Step.SKIP),
        (RECORD, replace(APPLIED, phase=Phase.PROVISIONING), Step.SKIP),
        (RECORD, replace(APPLIED, phase=Phase.UPDATING), Step.SKIP),
        (RECORD, replace(APPLIED, phase=Phase.PENDING), Step.PROVISION),
        (RECORD, replace(APPLIED, phase=Phase.FAILED), Step.PROVISION),
        (RECORD, replace(APPLIED, phase=Phase.INVALID), Step.PROVISION),
        (RECORD, replace(APPLIED, applied_digest="of another wish"), Step.PROVISION),
        (RECORD, replace(APPLIED, row_removed=True), Step.PROVISION),
        (RECORD, replace(APPLIED, phase=Phase.PROVISIONING, claimed_by="dead:1"), Step.PROVISION),
    ],
)
def test_each_case(wish: DeploymentRecord | InvalidRow | None, status: Status | None, step: Step) -> None:
    assert decide(wish, status) is step


@settings(deadline=None)
@given(records, records, st.sampled_from(Phase), st.booleans(), st.sampled_from(["", "other:1"]))
def test_only_what_is_applied_and_settled_is_left_alone(
    wish: DeploymentRecord, applied: DeploymentRecord, phase: Phase, removed: bool, claimed_by: str
) -> None:
    status = Status(
        id=wish.id,
        phase=phase,
        applied_digest=applied.digest(),
        row_removed=removed,
        claimed_by=claimed_by,
    )
    settled = phase in (Phase.PROVISIONING, Phase.ACTIVE, Phase.UPDATING, Phase.MOVING)
    left_alone = wish == applied and settled and not removed and not claimed_by
    not_a_builds = phase in (Phase.SUSPENDED, Phase.RETIRING)
    assert decide(wish, status) is (Step.SKIP if left_alone or not_a_builds else Step.PROVISION)


@pytest.mark.parametrize("state", ["suspended", "retired"])
@pytest.mark.parametrize("phase", Phase)
def test_what_is_suspended_or_retired_is_never_provisioned(state: str, phase: Phase) -> None:
    assert decide(replace(RECORD, state=state), replace(APPLIED, phase=phase, applied_digest="")) is Step.SKIP


@pytest.mark.parametrize(
    ("status", "new", "fresh"),
    [
        (None, True, True),
        (replace(APPLIED, pipeline_stack=None), True, True),
        (replace(APPLIED, pipeline_stack=STACK), False, True),
        (replace(APPLIED, pipeline_stack=STACK, revision_deployed="r"), False, False),
        (replace(APPLIED, phase=Phase.RETIRED, pipeline_stack=STACK, revision_deployed="r"), True, True),
    ],
)
def test_what_has_never_stood_is_fresh(status: Status | None, new: bool, fresh: bool) -> None:
    assert job(RECORD, status) == Job(record=RECORD, new=new, fresh=fresh, component=(NAMED,))


def test_a_component_whose_id_is_known_is_looked_for_by_that() -> None:
    known = replace(NAMED, stack_id="arn:aws:cloudformation:eu-west-1:222222222222:stack/silo-silo1-resources/1")
    elsewhere = replace(known, region="us-east-1")
    assert job(RECORD, replace(APPLIED, component_stacks=(elsewhere, known))).component == (known,)
    assert job(RECORD, replace(APPLIED, component_stacks=(elsewhere,))).component == (NAMED,)


STOOD = Placement(type="silo", account="333333333333", region="eu-west-1")
THERE = StackRef(kind="component", stack_id="arn:there", account="333333333333", region="eu-west-1")
HERE = replace(THERE, account="222222222222")
PROVISIONED = replace(APPLIED, pipeline_stack=STACK, placed=(STOOD,), component_stacks=(THERE,))


@pytest.mark.parametrize(
    ("status", "moving"),
    [
        (PROVISIONED, True),
        (replace(PROVISIONED, phase=Phase.FAILED), True),
        (replace(PROVISIONED, placed=(replace(STOOD, account="222222222222", region="us-east-1"),)), True),
        (replace(PROVISIONED, placed=(replace(STOOD, account="222222222222"),)), False),
        (replace(PROVISIONED, former_stacks=(HERE,)), False),
        (replace(PROVISIONED, further_stacks=(HERE,)), False),
        (replace(PROVISIONED, pipeline_stack=None), False),
        (replace(PROVISIONED, phase=Phase.RETIRED), False),
    ],
    ids=["moves", "again", "Region", "stays", "called off", "half there", "new", "retired"],
)
def test_what_moves_needs_room_where_nothing_of_it_stands(status: Status, moving: bool) -> None:
    assert bool(job(RECORD, status).arriving) is moving
