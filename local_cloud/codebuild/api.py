"""StartBuild, StopBuild and BatchGetBuilds, as ministack's CodeBuild calls them.

Quotas: AWS CodeBuild User Guide, "Quotas for AWS CodeBuild" (concurrently running builds, adjustable): `places`.
"""

from __future__ import annotations

import contextvars
import json
import signal
import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import codebuild as ministack_codebuild

from local_cloud.codebuild import executor, pipeline_builds, places, projects, record, validation
from local_cloud.codebuild.job import Job
from local_cloud.server import settings as server_settings
from local_cloud.server.responses import Response, error, success

_TOKEN_SECONDS = 5 * 60

# Held while a build is admitted, so that two calls cannot both take the last place or use the same token.
_admission = threading.Lock()
_tokens: dict[tuple[str, str, str, str], tuple[float, str, str]] = {}
_jobs: dict[str, Job] = {}


def start_build(data: dict[str, Any]) -> Response:
    """Admit a build and start its thread."""
    project = ministack_codebuild._projects.get(data.get("projectName", ""))
    if project is None:
        return error("ResourceNotFoundException", f"Project cannot be found: {data.get('projectName')}")
    pipeline = pipeline_builds.expected(data.get("idempotencyToken"))
    effective = projects.overridden(project, data)
    try:
        validation.check_request(data)
        validation.check_build(effective, from_pipeline=pipeline is not None)
    except validation.InvalidInput as refused:
        return error("InvalidInputException", str(refused))
    with _admission:
        known = _known_build(data)
        if known is not None:
            return known
        refusal = _over_limit(effective)
        if refusal is not None:
            return refusal
        job = _admit(effective, data, pipeline)
    answer = success({"build": record.snapshot(job.build)})
    # The stores that the build's thread touches are scoped by context variables.
    context = contextvars.copy_context()
    threading.Thread(
        target=context.run, args=(executor.Execution(job).run,), daemon=True, name=f"codebuild-{job.build['id']}"
    ).start()
    return answer


def stop_build(data: dict[str, Any]) -> Response:
    """Ask a running build to end; the record shows STOPPED when it has."""
    build_id = data.get("id", "").rsplit("build/", 1)[-1]
    job = _jobs.get(build_id)
    if job is None or build_id not in ministack_codebuild._builds:
        return error("ResourceNotFoundException", f"Build cannot be found: {data.get('id')}")
    job.control.interrupt("STOPPED")
    return success({"build": record.snapshot(job.build)})


def batch_get_builds(data: dict[str, Any]) -> Response:
    """The records of up to 100 builds, by id or ARN."""
    ids = data.get("ids") or []
    found = {name: ministack_codebuild._builds.get(name.rsplit("build/", 1)[-1]) for name in ids}
    return success(
        {
            "builds": [record.snapshot(build) for build in found.values() if build is not None],
            "buildsNotFound": [name for name, build in found.items() if build is None],
        }
    )


def stop_all() -> None:
    """End every build's processes; the server is about to end."""
    for job in tuple(_jobs.values()):
        if not job.build["buildComplete"]:
            job.control.interrupt("STOPPED")
            job.control.end_processes(signal.SIGKILL)


def _known_build(data: Mapping[str, Any]) -> Response | None:
    """The build that this token started before, or the refusal of changed parameters."""
    token = data.get("idempotencyToken")
    if token is None:
        return None
    started, parameters, build_id = _tokens.get(_token_key(data), (0.0, "", ""))
    build = ministack_codebuild._builds.get(build_id)
    if build is None or time.monotonic() - started > _TOKEN_SECONDS:
        return None
    if parameters != _canonical(data):
        return error(
            "InvalidInputException",
            "Parameter mismatch: the idempotency token "
            f"{token} was used with other parameters within the last five minutes.",
        )
    return success({"build": record.snapshot(build)})


def _token_key(data: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return get_account_id(), get_region(), data["projectName"], data["idempotencyToken"]


def _canonical(data: Mapping[str, Any]) -> str:
    return json.dumps(data, sort_keys=True)


def _over_limit(project: Mapping[str, Any]) -> Response | None:
    running = [build for build in ministack_codebuild._builds.values() if not build["buildComplete"]]
    of_project = [build for build in running if build["projectName"] == project["name"]]
    of_kind = [build for build in running if places.kind_of(build) == places.kind_of(project)]
    project_limit = project.get("concurrentBuildLimit")
    if project_limit is not None and len(of_project) >= int(project_limit):
        return error(
            "AccountLimitExceededException", f"Cannot have more than {project_limit} active builds for the project"
        )
    if places.is_full(len(of_kind)):
        return error(
            "AccountLimitExceededException", f"Cannot have more than {places.queue()} builds in queue for the account"
        )
    return None


def _admit(project: dict[str, Any], data: Mapping[str, Any], pipeline: pipeline_builds.PipelineBuild | None) -> Job:
    build_id = ministack_codebuild._build_id(project["name"])
    number = 1 + sum(build["projectName"] == project["name"] for build in ministack_codebuild._builds.values())
    initiator = pipeline.initiator if pipeline is not None else _caller()
    build = record.new(
        build_id=build_id,
        arn=ministack_codebuild._build_arn(build_id),
        number=number,
        project=project,
        initiator=initiator,
        source_version=project.get("sourceVersion") or "",
    )
    directory = server_settings.current().builds_dir / build_id.rsplit(":", 1)[-1]
    directory.mkdir(parents=True)
    job = Job(
        build=build,
        account=get_account_id(),
        region=get_region(),
        directory=directory,
        project=project,
        pipeline=pipeline,
    )
    ministack_codebuild._builds[build_id] = build
    _jobs[build_id] = job
    if data.get("idempotencyToken") is not None:
        _tokens[_token_key(data)] = (time.monotonic(), _canonical(data), build_id)
    return job


def _caller() -> str:
    """Who called, as CodeBuild names initiators: role/session, a user's name, or root."""
    resource = str(iam_evaluator.caller_arn()).rsplit(":", 1)[-1]
    return resource.removeprefix("assumed-role/").removeprefix("user/")
