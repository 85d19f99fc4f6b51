"""Jobs that Lambda functions work on, and the results that they put."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from local_cloud.codepipeline import host
from local_cloud.codepipeline.errors import ServiceError
from local_cloud.codepipeline.store import Pipeline


@dataclass(frozen=True, kw_only=True)
class Result:
    """What the function reported: a failure (type, message), a continuation, or a success."""

    failure: tuple[str, str] | None = None
    continuation_token: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    external_id: str | None = None
    summary: str | None = None


@dataclass(kw_only=True)
class Job:
    """One invocation's job; `context` is what is told of it to who asks, beside its data."""

    pipeline: Pipeline
    data: dict[str, Any]
    context: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    result: Result | None = None


_jobs: host.ScopedStore[Job] = host.ScopedStore()


def open_job(*, pipeline: Pipeline, data: dict[str, Any], context: dict[str, Any]) -> Job:
    """A new job in the pipeline's account and Region."""
    job = Job(pipeline=pipeline, data=data, context=context)
    _jobs.put(job.id, job)
    return job


def close_job(job: Job) -> None:
    """Forget a job: results for it are refused from now on."""
    _jobs.pop(job.id)


def find_job(job_id: str) -> Job:
    """The job of that id."""
    job = _jobs.get(job_id)
    if job is None:
        raise ServiceError("JobNotFoundException", f"Job {job_id} does not exist or has ended")
    return job


def put_result(job_id: str, result: Result) -> None:
    """Record a job's result; a job takes only one."""
    job = find_job(job_id)
    with job.pipeline.changed:
        if job.result is not None:
            raise ServiceError("InvalidJobStateException", f"Job {job_id} already has a result")
        job.result = result
        job.pipeline.changed.notify_all()
