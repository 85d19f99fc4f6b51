"""The contract of the port to the status table, run against the fake and against DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lambdas.common import dynamo
from lambdas.common.clock import stamp
from lambdas.common.versioned_json import plain
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Observation, Phase, StackRef, Status
from lambdas.saas.store.tables import CLAIM_LEASE, Statuses, StatusTable
from tests.unit.lambdas.saas.fakes import START, FakeStatuses

LATER = START + timedelta(seconds=1)
PIPELINE_STACK = StackRef(kind="pipeline", stack_id="arn:p", account="111111111111", region="eu-west-1")
COMPONENT_STACK = StackRef(kind="component", stack_id="arn:c", account="222222222222", region="eu-west-1")
OBSERVATION: dict[str, Any] = {
    "phase": Phase.ACTIVE,
    "reason": "",
    "execution_id": "e1",
    "execution_url": "https://console/e1",
    "revision": "abc123",
    "stacks": (COMPONENT_STACK,),
    "outputs": {"eu-west-1": {"Address": "https://acme.example.com"}},
}


def known(statuses: Statuses, deployment_id: str) -> Status:
    status = statuses.get(deployment_id)
    assert status is not None
    return status


def put(statuses: Statuses, status: Status) -> None:
    """Have the table hold a status, as somebody may write it."""
    if isinstance(statuses, StatusTable):
        dynamo.put(statuses.client, table=statuses.name, item=plain(status))
    else:
        assert isinstance(statuses, FakeStatuses)
        statuses.items[status.id] = status


def provision(statuses: Statuses, record: DeploymentRecord) -> None:
    assert statuses.claim(record, build_id="b1", revision="abc123", now=START)
    assert statuses.provisioned(record, build_id="b1", stack=PIPELINE_STACK, now=START)


def settle(statuses: Statuses, record: DeploymentRecord) -> None:
    provision(statuses, record)
    assert statuses.observed(record.id, Observation(**OBSERVATION), now=START)


def test_an_unknown_id_has_no_status(statuses: Statuses) -> None:
    assert statuses.get("nobody") is None
    assert list(statuses.all()) == []


def test_pending_is_written_whole(statuses: Statuses, silo1: DeploymentRecord) -> None:
    assert statuses.pending(silo1, reason="waiting: x", now=START)
    assert known(statuses, "silo1") == Status(
        id="silo1",
        phase=Phase.PENDING,
        reason="waiting: x",
        type="silo",
        account="222222222222",
        region="eu-west-1",
        wanted_digest=silo1.digest(),
        updated_at=stamp(START),
        pending_since=stamp(START),
    )


def test_what_is_applied_is_kept_apart_from_what_is_wished(statuses: Statuses, silo1: DeploymentRecord) -> None:
    """Given a row whose parameters change, then until a build is through the status has those of before."""
    says = replace(silo1, tier="gold", parameters=(("domain", "a"), ("plan", "x")), external_id="4711")
    settle(statuses, says)
    status = known(statuses, "silo1")
    assert (status.applied_tier, status.applied_parameters) == ("gold", {"domain": "a", "plan": "x"})
    assert (status.external_id, status.has_parameters) == ("4711", True)
    assert statuses.pending(silo1, reason="", now=LATER)
    assert known(statuses, "silo1").applied_parameters == {"domain": "a", "plan": "x"}
    assert known(statuses, "silo1").external_id == ""
    provision(statuses, silo1)
    status = known(statuses, "silo1")
    assert (status.applied_tier, status.applied_parameters, status.has_parameters) == ("", {}, False)


def test_what_others_call_it_changes_nothing_else(statuses: Statuses, silo1: DeploymentRecord) -> None:
    named = replace(silo1, external_id="4711")
    assert not statuses.called(named, now=START), "it is not known yet"
    assert statuses.get("silo1") is None
    settle(statuses, silo1)
    before = known(statuses, "silo1")
    for record in (named, silo1):
        assert statuses.called(record, now=LATER)
        expected = replace(before, external_id=record.external_id, updated_at=stamp(LATER))
        assert known(statuses, "silo1") == expected


def test_pending_again_is_harmless(statuses: Statuses, silo1: DeploymentRecord) -> None:
    assert statuses.pending(silo1, reason="", now=START)
    assert statuses.pending(silo1, reason="", now=LATER)
    status = known(statuses, "silo1")
    assert (status.updated_at, status.pending_since) == (stamp(LATER), stamp(START)), "it has waited all the time"
    provision(statuses, silo1)
    assert known(statuses, "silo1").pending_since == ""


def test_a_settled_deployment_needs_no_build(statuses: Statuses, silo1: DeploymentRecord) -> None:
    settle(statuses, silo1)
    assert not statuses.pending(silo1, reason="", now=LATER)
    assert known(statuses, "silo1").phase is Phase.ACTIVE


def test_another_wish_unsettles(statuses: Statuses, silo1: DeploymentRecord) -> None:
    settle(statuses, silo1)
    assert statuses.pending(replace(silo1, region="us-east-1"), reason="", now=LATER)
    status = known(statuses, "silo1")
    assert (status.phase, status.region) == (Phase.PENDING, "us-east-1")


def test_a_row_that_comes_back_is_looked_at(statuses: Statuses, silo1: DeploymentRecord) -> None:
    settle(statuses, silo1)
    assert statuses.removed("silo1", now=LATER)
    assert known(statuses, "silo1").row_removed
    assert statuses.pending(silo1, reason="", now=LATER)
    assert not known(statuses, "silo1").row_removed


@pytest.mark.parametrize("write", ["failed", "invalid"])
def test_failed_and_invalid_rows_may_be_tried_again(statuses: Statuses, silo1: DeploymentRecord, write: str) -> None:
    settle(statuses, silo1)
    if write == "failed":
        statuses.observed("silo1", Observation(**{**OBSERVATION, "phase": Phase.FAILED}), now=LATER)
    else:
        statuses.invalid("silo1", reason="region is missing", now=LATER)
    assert statuses.pending(silo1, reason="", now=LATER)


def test_removed_needs_a_known_deployment(statuses: Statuses) -> None:
    assert not statuses.removed("nobody", now=START)
    assert statuses.get("nobody") is None


@pytest.mark.parametrize("phase", [Phase.INVALID, Phase.PENDING])
def test_nothing_is_left_of_a_removed_row_that_no_build_took_up(
    statuses: Statuses, silo1: DeploymentRecord, phase: Phase
) -> None:
    statuses.pending(silo1, reason="", now=START)
    if phase is Phase.INVALID:
        statuses.invalid("silo1", reason="region is missing", now=START)
    assert statuses.removed("silo1", now=LATER)
    assert statuses.get("silo1") is None
    assert not statuses.removed("silo1", now=LATER)


@pytest.mark.parametrize("history", ["claimed", "failed", "failed, then waiting", "invalid while claimed", "observed"])
def test_a_removed_row_that_may_have_led_to_a_stack_stays_known(
    statuses: Statuses, silo1: DeploymentRecord, history: str
) -> None:
    if history == "observed":  # of a pipeline whose status was lost
        statuses.pending(silo1, reason="", now=START)
        statuses.observed("silo1", Observation(**OBSERVATION), now=START)
    else:
        assert statuses.claim(silo1, build_id="b1", revision="r", now=START)
    if history.startswith("failed"):
        statuses.failed("silo1", build_id="b1", reason="no", retry=True, now=START)
    if history == "failed, then waiting":
        statuses.pending(silo1, reason="", now=START)
    if history == "invalid while claimed":
        statuses.invalid("silo1", reason="region is missing", now=START)
    before = known(statuses, "silo1")
    for _ in range(2):
        assert statuses.removed("silo1", now=LATER)
        status = known(statuses, "silo1")
        assert status.row_removed
        # With on_row_removed `retire` as well, so nothing is said of what becomes of it.
        assert status.reason.endswith("put the row back to keep it")
        assert "destroyed" not in status.reason
        assert (status.phase, status.claimed_by, status.build_id) == (before.phase, before.claimed_by, before.build_id)


def test_invalid_keeps_what_is_deployed(statuses: Statuses, silo1: DeploymentRecord) -> None:
    settle(statuses, silo1)
    assert statuses.invalid("silo1", reason="region is missing", now=LATER)
    status = known(statuses, "silo1")
    assert (status.phase, status.reason) == (Phase.INVALID, "region is missing")
    assert (status.revision_deployed, status.applied_digest) == ("abc123", silo1.digest())


def test_a_release_that_refuses_a_row_counts_as_an_attempt(statuses: Statuses, silo1: DeploymentRecord) -> None:
    settle(statuses, silo1)
    for attempts in (1, 2):
        assert statuses.invalid("silo1", reason="tier is none", revision="abc123", now=LATER)
        status = known(statuses, "silo1")
        assert (status.phase, status.refused_by, status.attempts) == (Phase.INVALID, "abc123", attempts)
    assert statuses.invalid("silo1", reason="region is missing", now=LATER)
    assert (known(statuses, "silo1").refused_by, known(statuses, "silo1").attempts) == ("", 2)
    assert statuses.invalid("silo1", reason="tier is none", revision="abc123", now=LATER)
    assert statuses.claim(silo1, build_id="b2", revision="later", now=LATER)
    assert known(statuses, "silo1").refused_by == ""


def test_a_claim_is_written_whole(statuses: Statuses, silo1: DeploymentRecord) -> None:
    assert statuses.claim(silo1, build_id="b1", revision="abc123", now=START)
    status = known(statuses, "silo1")
    assert status.phase is Phase.PROVISIONING
    assert (status.claimed_by, status.build_id, status.attempts) == ("b1", "b1", 1)
    assert status.claim_expires_at == stamp(START + CLAIM_LEASE)
    assert status.revision_wanted == "abc123"
    assert status.claimed_at(stamp(START))


def test_a_held_claim_is_not_taken(statuses: Statuses, silo1: DeploymentRecord) -> None:
    assert statuses.claim(silo1, build_id="b1", revision="r", now=START)
    assert not statuses.claim(silo1, build_id="b2", revision="r", now=LATER)
    assert not statuses.pending(silo1, reason="", now=LATER)
    assert known(statuses, "silo1").claimed_by == "b1"


def test_the_holder_may_claim_again(statuses: Statuses, silo1: DeploymentRecord) -> None:
    assert statuses.claim(silo1, build_id="b1", revision="r", now=START)
    assert statuses.claim(silo1, build_id="b1", revision="r", now=LATER)
    assert known(statuses, "silo1").attempts == 2


@pytest.mark.parametrize(("over", "taken"), [(timedelta(0), False), (timedelta(milliseconds=1), True)])
def test_an_expired_claim_is_taken(statuses: Statuses, silo1: DeploymentRecord, over: timedelta, taken: bool) -> None:
    assert statuses.claim(silo1, build_id="b1", revision="r", now=START)
    now = START + CLAIM_LEASE + over
    assert statuses.pending(silo1, reason="", now=now) is taken
    assert statuses.claim(silo1, build_id="b2", revision="r", now=now) is taken


@pytest.mark.parametrize("until", ["", stamp(START + timedelta(days=900))], ids=["no end", "far times"])
def test_a_claim_that_nobody_can_have_written_is_taken(statuses: Statuses, silo1: DeploymentRecord, until: str) -> None:
    """Given the end of a claim that somebody has spoilt, then it holds the deployment for nobody."""
    assert statuses.claim(silo1, build_id="b1", revision="r", now=START)
    put(statuses, replace(known(statuses, "silo1"), claim_expires_at=until))
    assert not known(statuses, "silo1").claimed_at(stamp(LATER))
    assert statuses.pending(silo1, reason="", now=LATER)
    assert statuses.claim(silo1, build_id="b2", revision="r", now=LATER)


def test_provisioned_gives_the_claim_back(statuses: Statuses, silo1: DeploymentRecord) -> None:
    provision(statuses, silo1)
    status = known(statuses, "silo1")
    assert (status.claimed_by, status.claim_expires_at) == ("", "")
    assert (status.phase, status.applied_digest) == (Phase.PROVISIONING, silo1.digest())
    assert status.pipeline_stack == PIPELINE_STACK


def test_failed_gives_the_claim_back(statuses: Statuses, silo1: DeploymentRecord) -> None:
    assert statuses.claim(silo1, build_id="b1", revision="r", now=START)
    assert statuses.failed("silo1", build_id="b1", reason="no", retry=True, now=START)
    status = known(statuses, "silo1")
    assert (status.phase, status.reason, status.retry, status.claimed_by) == (Phase.FAILED, "no", True, "")


def test_a_build_that_fails_leaves_no_link_to_an_older_execution(statuses: Statuses, silo1: DeploymentRecord) -> None:
    settle(statuses, silo1)
    assert statuses.claim(silo1, build_id="b2", revision="r", now=LATER)
    assert statuses.failed("silo1", build_id="b2", reason="no", retry=True, now=LATER)
    status = known(statuses, "silo1")
    assert (status.execution_id, status.execution_url) == ("e1", "")


@pytest.mark.parametrize("holder", [None, "b2"])
def test_only_the_holder_gives_a_claim_back(statuses: Statuses, silo1: DeploymentRecord, holder: str | None) -> None:
    if holder:
        assert statuses.claim(silo1, build_id=holder, revision="r", now=START)
    before = statuses.get("silo1")
    assert not statuses.failed("silo1", build_id="b1", reason="no", retry=True, now=START)
    assert not statuses.provisioned(silo1, build_id="b1", stack=PIPELINE_STACK, now=START)
    assert statuses.get("silo1") == before


def test_observed_is_written_whole(statuses: Statuses, silo1: DeploymentRecord) -> None:
    settle(statuses, silo1)
    status = known(statuses, "silo1")
    assert (status.phase, status.execution_id, status.execution_url) == (
        Phase.ACTIVE,
        "e1",
        "https://console/e1",
    )
    assert (status.revision_deployed, status.component_stacks) == ("abc123", (COMPONENT_STACK,))
    assert status.outputs == OBSERVATION["outputs"]


def test_observed_leaves_what_it_does_not_tell(statuses: Statuses, silo1: DeploymentRecord) -> None:
    settle(statuses, silo1)
    told = {**OBSERVATION, "phase": Phase.UPDATING, "execution_id": "e2", "revision": "", "stacks": (), "outputs": None}
    assert statuses.observed("silo1", Observation(**told), now=LATER)
    status = known(statuses, "silo1")
    assert (status.phase, status.execution_id) == (Phase.UPDATING, "e2")
    assert (status.revision_deployed, status.component_stacks) == ("abc123", (COMPONENT_STACK,))
    assert status.outputs == OBSERVATION["outputs"]
    assert statuses.observed("silo1", Observation(**{**told, "outputs": {}}), now=LATER)
    assert known(statuses, "silo1").outputs == {}


def test_observed_needs_a_known_deployment(statuses: Statuses) -> None:
    assert not statuses.observed("nobody", Observation(**OBSERVATION), now=START)
    assert statuses.get("nobody") is None


def test_an_outdated_look_changes_nothing(statuses: Statuses, silo1: DeploymentRecord) -> None:
    provision(statuses, silo1)
    assert statuses.observed("silo1", Observation(**OBSERVATION), now=LATER)
    before = statuses.get("silo1")
    assert not statuses.observed("silo1", Observation(**{**OBSERVATION, "phase": Phase.UPDATING}), now=START)
    assert statuses.get("silo1") == before


def test_a_look_of_times_to_come_bars_no_look(statuses: Statuses, silo1: DeploymentRecord) -> None:
    """Given a time of the last look that somebody has spoilt, then the next look is written, and counts."""
    settle(statuses, silo1)
    assert statuses.observed("silo1", Observation(**OBSERVATION), now=START + timedelta(days=900))
    assert statuses.observed("silo1", Observation(**{**OBSERVATION, "phase": Phase.UPDATING}), now=LATER)
    assert (known(statuses, "silo1").phase, known(statuses, "silo1").observed_at) == (Phase.UPDATING, stamp(LATER))


@pytest.mark.parametrize("phase", [Phase.INVALID, Phase.PENDING])
def test_observed_leaves_the_phase_of_a_row_to_look_at(
    statuses: Statuses, silo1: DeploymentRecord, phase: Phase
) -> None:
    if phase is Phase.PENDING:
        statuses.pending(silo1, reason="waiting: x", now=START)
    else:
        statuses.invalid("silo1", reason="waiting: x", now=START)
    assert not statuses.observed("silo1", Observation(**OBSERVATION), now=LATER)
    status = known(statuses, "silo1")
    assert (status.phase, status.reason) == (phase, "waiting: x")
    assert (status.revision_deployed, status.execution_id) == ("abc123", "e1")
    assert status.component_stacks == (COMPONENT_STACK,)


def test_all_lists_every_status(statuses: Statuses, silo1: DeploymentRecord) -> None:
    others = [replace(silo1, id=f"silo{number}") for number in range(5)]
    for record in others:
        statuses.pending(record, reason="", now=START)
    assert {status.id for status in statuses.all()} == {record.id for record in others}


def test_a_success_forgets_the_tries_before_it(statuses: Statuses, silo1: DeploymentRecord) -> None:
    """What has failed before does not put the retry of a later failure off."""
    assert statuses.claim(silo1, build_id="b1", revision="r1", now=START)
    assert statuses.provisioned(silo1, build_id="b1", stack=PIPELINE_STACK, now=START)
    assert known(statuses, silo1.id).attempts == 0


def test_the_build_that_was_started_is_known_until_it_claims(statuses: Statuses, silo1: DeploymentRecord) -> None:
    assert statuses.pending(silo1, reason="", build_id="b:1", now=START)
    assert known(statuses, silo1.id).pending_build == "b:1"
    assert statuses.pending(silo1, reason="waiting: full", now=START)
    assert known(statuses, silo1.id).pending_build == ""
    assert statuses.pending(silo1, reason="", build_id="b:2", now=START)
    assert statuses.claim(silo1, build_id="b:2", revision="r1", now=START)
    assert known(statuses, silo1.id).pending_build == ""
