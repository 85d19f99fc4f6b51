"""Invoke/Lambda: hands the function a job and waits for its result; a continuation token invokes it again.

https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

from __future__ import annotations

import json
from typing import Any, cast

from local_cloud.codepipeline import jobs
from local_cloud.codepipeline.actions.context import Context, Outcome
from local_cloud.codepipeline.errors import ActionFailed
from local_cloud.codepipeline.executions import S3Location

REQUIRED = frozenset({"FunctionName"})
# AWS invokes again after about 30 s; nobody waits for that on a laptop.
_CONTINUE_AFTER_SECONDS = 1.0
_TIMEOUT_MINUTES = 24 * 60


def run(context: Context) -> Outcome:
    """Invoke until the job succeeds or fails; each continuation is a new job with the token of the last one."""
    token: str | None = None
    while True:
        job = jobs.open_job(pipeline=context.pipeline, data=_data(context, token), context=_pipeline_context(context))
        try:
            result = _result(context, job)
        finally:
            jobs.close_job(job)
        if result.failure is not None:
            raise ActionFailed(*result.failure)
        if result.external_id:
            context.describe(external_id=result.external_id)
        context.run.summary = result.summary
        if result.continuation_token is None:
            return Outcome(variables=result.variables, written=frozenset(context.action.outputs))
        token = result.continuation_token
        context.pause(_CONTINUE_AFTER_SECONDS)


def _result(context: Context, job: jobs.Job) -> jobs.Result:
    event = {"CodePipeline.job": {"id": job.id, "accountId": context.pipeline.account, "data": job.data}}
    function = context.setting("FunctionName")
    context.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
    context.wait(lambda: job.result is not None, default_minutes=_TIMEOUT_MINUTES)
    return cast("jobs.Result", job.result)


def _artifacts(places: dict[str, S3Location]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "revision": None,
            "location": {"type": "S3", "s3Location": {"bucketName": place.bucket, "objectKey": place.key}},
        }
        for name, place in places.items()
    ]


def _pipeline_context(context: Context) -> dict[str, Any]:
    """Whose the job is: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineContext.html"""
    return {
        "pipelineName": context.pipeline.definition.name,
        "pipelineArn": context.pipeline.arn,
        "pipelineExecutionId": context.execution.id,
        "stage": {"name": context.run.stage},
        "action": {"name": context.action.name, "actionExecutionId": context.run.id},
    }


def _data(context: Context, token: str | None) -> dict[str, Any]:
    credentials = context.artifact_reader.credentials
    data: dict[str, Any] = {
        "actionConfiguration": {"configuration": dict(context.run.configuration)},
        "inputArtifacts": _artifacts(context.run.inputs),
        "outputArtifacts": _artifacts(context.run.outputs),
        "artifactCredentials": {
            "accessKeyId": credentials["AccessKeyId"],
            "secretAccessKey": credentials["SecretAccessKey"],
            "sessionToken": credentials["SessionToken"],
        },
    }
    if token is not None:
        data["continuationToken"] = token
    if context.store.kms_key_id:
        data["encryptionKey"] = {"id": context.store.kms_key_id, "type": "KMS"}
    return data
