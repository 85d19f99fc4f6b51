"""`retry ID`: try again what failed."""

from __future__ import annotations

from botocore.exceptions import ClientError

from cli.common.errors import ConflictError, NotFoundError
from cli.common.output import Output
from cli.saas.commands.status import read_details
from cli.saas.details import Details
from cli.saas.retry import Attempt, retry_of
from cli.saas.rows import RowWriter
from cli.saas.session import SaasSession
from lambdas.common import clock
from lambdas.common.aws_errors import NO_OBJECT, code_of
from lambdas.common.idempotency import start_token
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.releases import tenant_key
from lambdas.saas.model.status import Phase, Status


def retry(session: SaasSession, output: Output, *, deployment_id: str) -> None:
    """Do what trying again means here, and say what that was.

    Raises:
        ConflictError: there is nothing to try again, or somebody is at work on it.
    """
    details = read_details(session, deployment_id)
    lost = _lost(session, details.status) if details.status else ""
    chosen = retry_of(
        deployment_id,
        details.wish,
        details.status,
        now=clock.now(),
        run=details.run,
        before=details.before,
        is_current=details.is_current,
        lost=lost,
    )
    if chosen.attempt is Attempt.REFUSE:
        raise ConflictError(chosen.why)
    done = _try(session, details, chosen.attempt)
    document = {"id": deployment_id, "did": str(chosen.attempt), "why": chosen.why, **done}
    output.answer(document, said=f"{deployment_id}: {chosen.why}; did {chosen.attempt}.{_told(done)}")


def _try(session: SaasSession, details: Details, attempt: Attempt) -> dict[str, str]:
    status = details.status
    if attempt is Attempt.TOUCH or status is None:
        rows = RowWriter(client=session.client("dynamodb"), table=session.names.deployments_table)
        if not rows.touch(details.id, now=clock.now()):
            raise NotFoundError(f"{details.id} has no row any more: put it back first")
        return {}
    if attempt is Attempt.LIFECYCLE:
        session.lifecycles.start(details.id, token=start_token(details.id, status.updated_at))
        return {}
    return {"execution_id": _start_pipeline(session, status)}


def _lost(session: SaasSession, status: Status) -> str:
    """What somebody has deleted of a pipeline that failed: starting it would not bring that back."""
    if status.phase is not Phase.FAILED or status.pipeline_stack is None:
        return ""
    client, name = session.client("codepipeline"), _pipeline(status)
    try:
        stages = client.get_pipeline(name=name)["pipeline"]["stages"]
    except client.exceptions.PipelineNotFoundException:
        return f"its pipeline {name}"
    actions = (action["configuration"] for stage in stages for action in stage["actions"])
    projects = sorted({one["ProjectName"] for one in actions if "ProjectName" in one})
    missing = session.client("codebuild").batch_get_projects(names=projects)["projectsNotFound"] if projects else ()
    return f"project {missing[0]} of its pipeline" if missing else _lost_copy(session, status)


def _lost_copy(session: SaasSession, status: Status) -> str:
    """The tenant's copy of a release, if that is gone: each execution would fail at it."""
    key = tenant_key(status.placed_type, status.id)
    bucket = session.names.releases_bucket(session.account, session.region)
    try:
        session.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:  # who may not ask is told by the pipeline
        return f"{key} in the releases bucket" if code_of(error) in NO_OBJECT else ""
    return ""


def _pipeline(status: Status) -> str:
    return pipeline_name(status.placed_type, status.id)


def _start_pipeline(session: SaasSession, status: Status) -> str:
    # The same failure is the same token: of two retries at once, one starts the pipeline.
    started: str = session.client("codepipeline").start_pipeline_execution(
        name=_pipeline(status),
        clientRequestToken=start_token(status.id, status.execution_id, status.updated_at),
    )["pipelineExecutionId"]
    return started


def _told(done: dict[str, str]) -> str:
    return f" Execution {done['execution_id']} runs." if done else ""
