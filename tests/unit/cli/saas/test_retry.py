"""What trying again means, and doing it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.saas.retry import Attempt, retry_of
from lambdas.common.clock import moment
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, Wanted
from lambdas.saas.model.status import Outcome, Phase, Status
from tests.unit.cli.saas.factory import ACCOUNT, NAMES, NOW, PLACED, REGION, Factory, ref, stack

_WISH = DeploymentRecord(id="acme", type="silo", account="222222222222", region="eu-west-1")
_LATER = "2026-11-25T11:00:00.000+00:00"


def _status(phase: Phase = Phase.FAILED, **facts: Any) -> Status:
    known = {"applied_digest": _WISH.digest(), "placed": (PLACED,), "updated_at": NOW, **facts}
    return Status(id="acme", phase=phase, **known)


def _attempt(wish: DeploymentRecord | InvalidRow | None, status: Status | None) -> Attempt:
    return retry_of("acme", wish, status, now=moment(NOW)).attempt


@pytest.mark.parametrize(
    ("status", "attempt"),
    [
        (None, Attempt.TOUCH),
        (_status(applied_digest=""), Attempt.TOUCH),
        (_status(applied_digest="of another wish"), Attempt.TOUCH),
        (_status(Phase.INVALID), Attempt.TOUCH),
        (_status(Phase.PENDING), Attempt.TOUCH),
        (_status(Phase.RETIRED), Attempt.TOUCH),
        (_status(), Attempt.PIPELINE),
        (_status(execution_id="e", reason="is in ROLLBACK_COMPLETE state"), Attempt.LIFECYCLE),
        (_status(execution_id="e", first_failure="no"), Attempt.LIFECYCLE),
        (_status(execution_id="e", first_failure="no", revision_deployed="r"), Attempt.PIPELINE),
        (_status(Phase.SUSPENDED), Attempt.LIFECYCLE),
        (
            _status(Phase.MOVING, component_stacks=(ref("component"),), former_stacks=(ref("component", region="x"),)),
            Attempt.LIFECYCLE,
        ),
        (_status(Phase.ACTIVE), Attempt.TOUCH),
        (_status(Phase.UPDATING), Attempt.REFUSE),
        (_status(Phase.ACTIVE, release_outcome=Outcome.ROLLED_BACK.value), Attempt.REFUSE),
    ],
)
def test_an_active_row(status: Status | None, attempt: Attempt) -> None:
    assert _attempt(_WISH, status) is attempt


def test_what_was_deleted_of_a_pipeline_is_made_by_a_build() -> None:
    chosen = retry_of("acme", _WISH, _status(), now=moment(NOW), lost="its pipeline silo-acme-pipeline")
    assert (chosen.attempt, chosen.why) == (Attempt.TOUCH, "its pipeline silo-acme-pipeline is gone")


def test_a_pipeline_that_is_gone_is_found(factory: Factory) -> None:
    """Given a tenant that failed for its pipeline is gone, then its row is touched."""
    factory.row()
    factory.status(phase="FAILED", pipeline_stack=stack("pipeline"))
    answer = factory.granary("retry", "acme")
    assert (answer.code, "silo-acme-pipeline is gone" in answer.stdout) == (0, True)
    assert "touched_at" in (factory.read_row() or {})


class _Standing:
    """A pipeline that stands, and starts."""

    class exceptions:
        class PipelineNotFoundException(Exception):
            pass

    def get_pipeline(self, **_request: Any) -> dict[str, Any]:
        return {"pipeline": {"stages": []}}

    def start_pipeline_execution(self, **_request: Any) -> dict[str, str]:
        return {"pipelineExecutionId": "e2"}


@pytest.mark.parametrize("there", [True, False])
def test_a_copy_of_the_release_that_is_gone_is_made_by_a_build(factory: Factory, there: bool) -> None:
    """Given a tenant whose source somebody has deleted, then its pipeline, which would fail again, is not started."""
    s3, bucket = boto3.client("s3", region_name=REGION), NAMES.releases_bucket(ACCOUNT, REGION)
    s3.create_bucket(Bucket=bucket)
    if there:
        s3.put_object(Bucket=bucket, Key="tenants/silo-acme/source.zip", Body=b"")
    factory.row()
    factory.status(phase="FAILED", pipeline_stack=stack("pipeline"), revision_deployed="old", execution_id="e")
    _with_client(factory, "codepipeline", _Standing())
    answer = factory.granary("retry", "acme", "--json")
    assert answer.document["did"] == ("start the pipeline" if there else "touch the row")
    assert ("tenants/silo-acme/source.zip in the releases bucket is gone" in answer.document["why"]) is not there


def test_an_end_that_its_row_cannot_tell_of_is_tried_again() -> None:
    gone = InvalidRow(id="acme", reasons=("account is not one of the configured",), state="retired")
    assert _attempt(gone, _status(build_id="b", retire_after=NOW)) is Attempt.LIFECYCLE


def test_a_failed_retirement_is_the_machines() -> None:
    wish = replace(_WISH, state=Wanted.RETIRED.value)
    assert _attempt(wish, _status(retire_after=NOW)) is Attempt.LIFECYCLE
    assert _attempt(wish, _status(Phase.RETIRED)) is Attempt.REFUSE


def test_without_a_row_only_a_retirement_goes_on() -> None:
    assert _attempt(None, _status(retire_after=NOW)) is Attempt.LIFECYCLE
    assert _attempt(None, _status()) is Attempt.REFUSE


def test_a_row_that_is_not_valid_is_corrected_first() -> None:
    chosen = retry_of("acme", InvalidRow(id="acme", reasons=("region is missing",)), _status(), now=moment(NOW))
    assert chosen.attempt is Attempt.REFUSE
    assert "region is missing" in chosen.why


@given(st.sampled_from(Phase), st.sampled_from(Wanted))
def test_nobody_is_disturbed_at_work(phase: Phase, state: Wanted) -> None:
    held = _status(phase, claimed_by="release/r1", claim_expires_at=_LATER)
    assert _attempt(replace(_WISH, state=state.value), held) is Attempt.REFUSE


@given(st.sampled_from(Phase), st.sampled_from(Wanted), st.booleans())
def test_a_pipeline_is_started_only_when_the_row_wants_it_and_it_failed(
    phase: Phase, state: Wanted, applied: bool
) -> None:
    status = _status(phase, applied_digest=_WISH.digest() if applied else "")
    attempt = _attempt(replace(_WISH, state=state.value), status)
    if attempt is Attempt.PIPELINE:
        assert phase is Phase.FAILED
        assert applied
        assert state is Wanted.ACTIVE
    if phase in ENDED:
        assert attempt in (Attempt.TOUCH, Attempt.REFUSE)


def test_a_failed_build_touches_the_row(factory: Factory) -> None:
    row = factory.row()
    factory.status(phase="FAILED", applied_digest="")
    answer = factory.granary("retry", "acme", "--json")
    assert answer.document["did"] == "touch the row"
    touched = factory.read_row()
    assert touched is not None
    assert touched.pop("touched_at")
    assert touched == row


def test_a_failed_pipeline_is_started(factory: Factory) -> None:
    factory.row()
    started: list[dict[str, Any]] = []

    class Pipelines:
        def start_pipeline_execution(self, **request: Any) -> dict[str, str]:
            started.append(request)
            return {"pipelineExecutionId": "e2"}

    factory.status(
        phase="FAILED", placed={"type": "silo", "account": "222222222222", "region": "eu-west-1"}, execution_id="e1"
    )
    _with_client(factory, "codepipeline", Pipelines())
    answers = [factory.granary("retry", "acme") for _ in range(2)]
    assert [answer.code for answer in answers] == [0, 0]
    assert "Execution e2 runs" in answers[0].stdout
    assert started[0]["name"] == "silo-acme-pipeline"
    assert started[0] == started[1], "the same failure is the same token"


def test_a_failed_retirement_starts_the_machine(factory: Factory) -> None:
    machine = factory.machine(NAMES.lifecycle_machine)
    factory.row(state="retired")
    factory.status(phase="FAILED", retire_after=NOW, component_stacks=[stack("component")])
    assert factory.granary("retry", "acme").code == 0
    arn = f"arn:aws:states:{REGION}:123456789012:stateMachine:{NAMES.lifecycle_machine}"
    executions = machine.list_executions(stateMachineArn=arn)["executions"]
    assert [execution["name"][:5] for execution in executions] == ["acme-"]


def test_nothing_failed_is_a_conflict(factory: Factory) -> None:
    factory.row()
    factory.status(phase="UPDATING")
    answer = factory.granary("retry", "acme")
    assert (answer.code, answer.stdout) == (5, "")
    assert "nothing of it failed" in answer.stderr


def _with_client(factory: Factory, service: str, fake: Any) -> None:
    from cli.saas.session import SaasSession

    real = SaasSession.client
    factory.monkeypatch.setattr(
        SaasSession, "client", lambda self, name: fake if name == service else real(self, name), raising=True
    )
