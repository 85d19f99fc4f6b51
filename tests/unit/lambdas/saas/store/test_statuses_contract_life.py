"""The contract of the port to the status table, of moves and ends: against the fake and against DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lambdas.common.clock import stamp
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Observation, Phase, Placement
from lambdas.saas.store.status_writes import write_status
from lambdas.saas.store.tables import Statuses, StatusTable
from tests.unit.lambdas.saas.fakes import START
from tests.unit.lambdas.saas.store.test_statuses_contract import (
    COMPONENT_STACK,
    LATER,
    OBSERVATION,
    known,
    provision,
    settle,
)

THERE = replace(COMPONENT_STACK, stack_id="arn:there", region="us-east-1")


def test_provisioned_says_where(statuses: Statuses, silo1: DeploymentRecord) -> None:
    provision(statuses, silo1)
    assert known(statuses, "silo1").placed == (Placement(type="silo", account="222222222222", region="eu-west-1"),)


def test_a_claim_that_moves_remembers_what_is_left_behind(statuses: Statuses, silo1: DeploymentRecord) -> None:
    settle(statuses, silo1)
    there = replace(silo1, region="us-east-1")
    before = known(statuses, "silo1")
    for _ in range(2):  # a repetition of the same claim changes nothing
        assert statuses.claim(there, build_id="b2", revision="r", now=LATER, moving=before)
        status = known(statuses, "silo1")
        assert (status.phase, status.component_stacks, status.former_stacks) == (Phase.MOVING, (), (COMPONENT_STACK,))


def test_a_claim_that_moves_forgets_no_stack_that_was_found_meanwhile(
    statuses: Statuses, silo1: DeploymentRecord
) -> None:
    """Given a look at the pipeline between the reading and the claim, then the claim is refused."""
    settle(statuses, silo1)
    before = known(statuses, "silo1")
    found = Observation(phase=Phase.FAILED, reason="no", execution_id="e2", further=(THERE,))
    assert statuses.observed("silo1", found, now=LATER)
    there = replace(silo1, region="us-east-1")
    assert not statuses.claim(there, build_id="b2", revision="r", now=LATER, moving=before)
    assert statuses.claim(there, build_id="b2", revision="r", now=LATER, moving=known(statuses, "silo1"))
    assert known(statuses, "silo1").further_stacks == (THERE,)


def test_a_claim_that_is_made_again_forgets_no_stack_either(statuses: Statuses, silo1: DeploymentRecord) -> None:
    """Given a build that has its claim, when a look finds a stack, then what it read before sorts nothing any more."""
    settle(statuses, silo1)
    before = known(statuses, "silo1")
    there = replace(silo1, region="us-east-1")
    assert statuses.claim(there, build_id="b2", revision="r", now=LATER, moving=before)
    found = Observation(phase=Phase.FAILED, reason="no", execution_id="e2", further=(THERE,))
    statuses.observed("silo1", found, now=LATER)
    assert not statuses.claim(there, build_id="b2", revision="r", now=LATER, moving=before)
    status = known(statuses, "silo1")
    assert (status.former_stacks, status.further_stacks) == ((COMPONENT_STACK,), (THERE,))


def test_a_move_is_not_over_when_the_pipeline_succeeded(statuses: Statuses, silo1: DeploymentRecord) -> None:
    """Given a move, when the new place stands, then that is written, and the phase stays until the old one is gone."""
    settle(statuses, silo1)
    there = replace(silo1, region="us-east-1")
    assert statuses.claim(there, build_id="b2", revision="r", now=LATER, moving=known(statuses, "silo1"))
    assert not statuses.observed("silo1", Observation(**{**OBSERVATION, "stacks": (THERE,)}), now=LATER)
    status = known(statuses, "silo1")
    assert (status.phase, status.component_stacks) == (Phase.MOVING, (THERE,))
    failed = Observation(phase=Phase.FAILED, reason="no")
    assert statuses.observed("silo1", failed, now=LATER + timedelta(seconds=1))
    assert known(statuses, "silo1").phase is Phase.FAILED


def retire(statuses: Any, phase: Phase) -> None:
    """Bring a settled deployment to a phase of its end, as the lifecycle machine does."""
    if isinstance(statuses, StatusTable):
        for step in (Phase.RETIRING, phase):
            write_status(statuses.client, table=statuses.name, deployment_id="silo1", now=LATER, phase=step)
    else:
        statuses.items["silo1"] = replace(statuses.items["silo1"], phase=phase)


def fail_retirement(statuses: Any) -> None:
    """Have a settled deployment's retirement fail, as the lifecycle machine does."""
    retire(statuses, Phase.RETIRING)
    facts: dict[str, Any] = {"phase": Phase.FAILED, "reason": "the retirement failed", "retire_after": stamp(LATER)}
    if isinstance(statuses, StatusTable):
        write_status(statuses.client, table=statuses.name, deployment_id="silo1", now=LATER, **facts)
    else:
        statuses.items["silo1"] = replace(statuses.items["silo1"], **facts)


def test_a_retirement_that_failed_is_nobody_elses(statuses: Statuses, silo1: DeploymentRecord) -> None:
    """Given a retirement that failed, then no removal of the row, look at the pipeline or row takes that away."""
    settle(statuses, silo1)
    fail_retirement(statuses)
    assert not statuses.removed("silo1", now=LATER)
    for phase in (Phase.ACTIVE, Phase.UPDATING, Phase.FAILED):
        seen = Observation(**{**OBSERVATION, "phase": phase, "execution_id": "e2", "stacks": (THERE,)})
        assert not statuses.observed("silo1", seen, now=LATER + timedelta(seconds=1))
    assert not statuses.pending(replace(silo1, size="large"), reason="", now=LATER)
    status = known(statuses, "silo1")
    assert (status.phase, status.reason, status.row_removed) == (Phase.FAILED, "the retirement failed", False)
    assert (status.retire_after, status.execution_id) == (stamp(LATER), "e2")
    assert status.component_stacks == (THERE,), "what is seen is known all the same"


@pytest.mark.parametrize("before", ["retiring", "suspended", "failed retirement"])
def test_a_wrong_row_of_what_is_out_of_use_is_told_once(
    statuses: Statuses, silo1: DeploymentRecord, before: str
) -> None:
    """Given a pipeline that is out of use, when the row is wrong, then the reason says so, and the phase stays."""
    settle(statuses, silo1)
    if before == "failed retirement":
        fail_retirement(statuses)
    else:
        retire(statuses, Phase.SUSPENDED if before == "suspended" else Phase.RETIRING)
    phase = known(statuses, "silo1").phase
    for reason in ("region is missing", "account is missing"):
        assert statuses.invalid("silo1", reason=reason, now=LATER)
        assert not statuses.invalid("silo1", reason=reason, now=LATER)
        status = known(statuses, "silo1")
        assert (status.phase, status.row_problem) == (phase, reason)
        assert status.reason == f"its row cannot be acted on: {reason}"


@pytest.mark.parametrize("phase", [Phase.RETIRING, Phase.RETIRED, Phase.RETIRED_WITH_WARNINGS])
def test_nothing_brings_a_deployment_back_from_its_end(
    statuses: Statuses, silo1: DeploymentRecord, phase: Phase
) -> None:
    """Given a deployment at its end, then no row, build, pipeline or removal of the row changes its phase."""
    settle(statuses, silo1)
    retire(statuses, phase)
    assert not statuses.pending(replace(silo1, size="large"), reason="", now=LATER)
    assert not statuses.claim(silo1, build_id="b2", revision="r", now=LATER)
    assert statuses.invalid("silo1", reason="no", now=LATER) == (phase is Phase.RETIRING), "it is told, and stays so"
    assert not statuses.observed("silo1", Observation(**OBSERVATION), now=LATER + timedelta(seconds=1))
    assert not statuses.removed("silo1", now=LATER)
    status = known(statuses, "silo1")
    assert (status.phase, status.row_removed, status.claimed_by) == (phase, False, "")


@pytest.mark.parametrize("phase", Phase)
def test_only_what_has_ended_is_buried(statuses: Statuses, silo1: DeploymentRecord, phase: Phase) -> None:
    settle(statuses, silo1)
    if phase in ENDED:
        retire(statuses, phase)
    assert statuses.bury("silo1") == (phase in ENDED)
    assert (statuses.get("silo1") is None) == (phase in ENDED)


BOTH = (
    Placement(type="silo", account="222222222222", region="eu-west-1"),
    Placement(type="silo", account="222222222222", region="us-east-1"),
)


def test_a_standby_is_said_as_long_as_it_is_asked_for(statuses: Statuses, silo1: DeploymentRecord) -> None:
    wish = replace(silo1, standby_region="us-east-1")
    assert statuses.pending(wish, reason="waiting", now=START)
    assert known(statuses, "silo1").standby_region == "us-east-1"
    provision(statuses, wish)
    status = known(statuses, "silo1")
    assert (status.placed, status.standby_region) == (BOTH, "us-east-1")
    assert statuses.claim(silo1, build_id="b2", revision="r", now=LATER, moving=status)
    assert known(statuses, "silo1").standby_region == ""
    assert known(statuses, "silo1").placed == BOTH, "the pipeline is provisioned for both until the build has ended"


def test_dropping_a_standby_leaves_nothing_confirmed_and_forgets_nothing(
    statuses: Statuses, silo1: DeploymentRecord
) -> None:
    """Given both stacks, when the row drops the standby, then its stack is a former one, and the primary's counts as
    the component's when an execution has deployed it without the standby."""
    provision(statuses, replace(silo1, standby_region="us-east-1"))
    seen = Observation(**{**OBSERVATION, "stacks": (COMPONENT_STACK, THERE)})
    assert statuses.observed("silo1", seen, now=START)
    before = known(statuses, "silo1")
    for _ in range(2):
        assert statuses.claim(silo1, build_id="b2", revision="r", now=LATER, moving=before)
        status = known(statuses, "silo1")
        assert (status.phase, status.component_stacks) == (Phase.MOVING, ())
        assert (status.further_stacks, status.former_stacks) == ((COMPONENT_STACK,), (THERE,))
