"""The action at the end of each tenant's Deploy stage: asks saas about the tenant, and answers the job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.probe.model.greeting import greeting

from lambdas.common.clients import client
from lambdas.common.settings import read_settings


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    greeting: str
    refuses: str
    tenants_function: str


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Answer one job."""
    settings = read_settings(Settings)
    job = event["CodePipeline.job"]
    given = json.loads(job["data"]["actionConfiguration"]["configuration"]["UserParameters"])
    question = {"deployment": given["deployment"], "execution": given["execution"]}
    answer = client("lambda").invoke(FunctionName=settings.tenants_function, Payload=json.dumps(question).encode())
    said = greeting(settings.greeting, json.loads(answer["Payload"].read()))
    codepipeline = client("codepipeline")
    if given["deployment"] in settings.refuses.split(","):
        codepipeline.put_job_failure_result(
            jobId=job["id"], failureDetails={"type": "JobFailed", "message": f"refused: {said}"}
        )
        return
    codepipeline.put_job_success_result(jobId=job["id"], executionDetails={"summary": said})
