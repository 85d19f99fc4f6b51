"""What the status table keeps of taking over stacks; the fake behaves as DynamoDB does."""

from __future__ import annotations

from lambdas.common.clock import stamp
from lambdas.saas.model.adoption import AdoptionPlan
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Phase
from lambdas.saas.store.tables import Statuses
from tests.unit.lambdas.saas.fakes import START
from tests.unit.lambdas.saas.store.test_statuses_contract import COMPONENT_STACK, PIPELINE_STACK, known

PLAN = AdoptionPlan(
    digest="sha256:" + "0" * 24,
    counts={"remove": 1},
    changes=("remove: T (AWS::X::Y), in a, b",),
    stops=True,
    at=stamp(START),
)


def _waits(statuses: Statuses, record: DeploymentRecord, build_id: str = "b1") -> None:
    assert statuses.claim(record, build_id=build_id, revision="r", now=START)
    assert statuses.adoption_waits(record.id, build_id=build_id, reason="look", plan=PLAN, now=START)


def test_a_plan_is_kept_whole_until_somebody_agrees(statuses: Statuses, silo1: DeploymentRecord) -> None:
    _waits(statuses, silo1)
    status = known(statuses, "silo1")
    assert (status.phase, status.reason, status.retry, status.claimed_by) == (Phase.FAILED, "look", True, "")
    assert status.adoption == PLAN
    assert statuses.pending(silo1, reason="", now=START)
    assert statuses.claim(silo1, build_id="b2", revision="r", now=START)
    assert known(statuses, "silo1").adoption == PLAN
    assert statuses.adopts("silo1", build_id="b2", stacks=(COMPONENT_STACK,), now=START)
    assert statuses.adopts("silo1", build_id="b2", stacks=(COMPONENT_STACK,), now=START)
    assert statuses.provisioned(silo1, build_id="b2", stack=PIPELINE_STACK, now=START)
    status = known(statuses, "silo1")
    assert (status.adoption, status.adopted) == (None, (COMPONENT_STACK,))


def test_whoever_holds_no_claim_writes_nothing(statuses: Statuses, silo1: DeploymentRecord) -> None:
    assert not statuses.adoption_waits("silo1", build_id="b1", reason="look", plan=PLAN, now=START)
    assert not statuses.adopts("silo1", build_id="b1", stacks=(COMPONENT_STACK,), now=START)
    assert statuses.claim(silo1, build_id="b1", revision="r", now=START)
    assert not statuses.adoption_waits("silo1", build_id="b0", reason="look", plan=PLAN, now=START)
    assert not statuses.adopts("silo1", build_id="b0", stacks=(COMPONENT_STACK,), now=START)


def test_another_end_forgets_the_plan(statuses: Statuses, silo1: DeploymentRecord) -> None:
    _waits(statuses, silo1)
    assert statuses.claim(silo1, build_id="b2", revision="r", now=START)
    assert statuses.failed("silo1", build_id="b2", reason="no", retry=True, now=START)
    assert known(statuses, "silo1").adoption is None
    _waits(statuses, silo1, "b3")
    assert statuses.claim(silo1, build_id="b4", revision="r", now=START)
    assert statuses.provisioned(silo1, build_id="b4", stack=PIPELINE_STACK, now=START)
    assert known(statuses, "silo1").adoption is None
