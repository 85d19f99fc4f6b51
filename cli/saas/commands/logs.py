"""`logs ID`: the ends of the logs that tell what became of a deployment."""

from __future__ import annotations

from collections.abc import Iterator

from cli.common.errors import NotFoundError
from cli.common.output import Output
from cli.saas.buildlogs import BuildLog, BuildLogs, failed_build
from cli.saas.session import SaasSession
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.status import Status
from lambdas.saas.pipeline_watch.executions import CodePipelineHistory


def show_logs(session: SaasSession, output: Output, *, deployment_id: str, limit: int) -> None:
    """Show the last provisioning build's log and the newest failed pipeline build's.

    Raises:
        NotFoundError: nothing is known of the deployment, or no build was ever started for it.
    """
    status = session.statuses.get(deployment_id)
    if status is None:
        raise NotFoundError(f"nothing is known of {deployment_id}: `granary list` has the ids")
    reader = BuildLogs(codebuild=session.client("codebuild"), logs=session.client("logs"))
    found = [reader.end(what, build_id, limit=limit) for what, build_id in _builds(session, status)]
    if not found:
        raise NotFoundError(f"no build of {deployment_id} is known: `granary status {deployment_id}` tells why")
    output.result([log.document() for log in found], (line for log in found for line in _lines(log)))


def _builds(session: SaasSession, status: Status) -> Iterator[tuple[str, str]]:
    if status.pending_build:
        yield "provisioning, started last", status.pending_build
    if status.build_id:
        yield "provisioning", status.build_id
    if kind := status.placed_type:
        history = CodePipelineHistory(client=session.client("codepipeline"))
        if found := failed_build(history, pipeline_name(kind, status.id)):
            yield found


def _lines(log: BuildLog) -> Iterator[str]:
    yield f"==> {log.what}, build {log.build_id}{f' {log.state}' if log.state else ''}"
    if log.link:
        yield f"    {log.link}"
    yield from log.lines or ([log.missing] if log.missing else ["(the log is empty)"])
    yield ""
