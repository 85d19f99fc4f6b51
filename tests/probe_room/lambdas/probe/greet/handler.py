"""The action at the end of each tenant's Deploy stage: asks saas about the tenant, and answers the job."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from lambdas.probe.model.greeting import greeting

from lambdas.common.clients import client


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Answer one job."""
    job = event["CodePipeline.job"]
    given = json.loads(job["data"]["actionConfiguration"]["configuration"]["UserParameters"])
    question = {"deployment": given["deployment"], "execution": given["execution"]}
    answer = client("lambda").invoke(FunctionName=os.environ["TENANTS_FUNCTION"], Payload=json.dumps(question).encode())
    said = greeting(os.environ["GREETING"], json.loads(answer["Payload"].read()))
    codepipeline = client("codepipeline")
    if given["deployment"] in os.environ["REFUSES"].split(","):
        codepipeline.put_job_failure_result(
            jobId=job["id"], failureDetails={"type": "JobFailed", "message": f"refused: {said}"}
        )
        return
    codepipeline.put_job_success_result(jobId=job["id"], executionDetails={"summary": said})
