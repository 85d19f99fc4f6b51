"""Jobs of pipelines' Invoke actions: each is answered, whatever happens, for a pipeline waits until it is.

https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.aws_errors import code_of, ignoring, may_pass
from lambdas.common.errors import GranaryError

logger = logging.getLogger(__name__)

# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_FailureDetails.html
_MESSAGE_LIMIT = 5_000
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ExecutionDetails.html
_SUMMARY_LIMIT = 2_048


# The job was answered before, or its execution is over.
_NOBODY_WAITS = ("InvalidJobStateException", "JobNotFoundException")


@dataclass(frozen=True, kw_only=True)
class Later:
    """The answer of work that is not over: CodePipeline asks again in a while, with the token."""

    token: str


class UnheardError(Exception):
    """CodePipeline did not say whose a job is, and may when it is asked again; nothing was done."""


def answer_job(
    event: Mapping[str, Any],
    codepipeline: Any,
    work: Callable[[Mapping[str, Any]], str | Later],
    *,
    asker: Callable[[Mapping[str, Any]], str] | None = None,
) -> bool:
    """Do the work of a job, given its parameters; the answer is a summary, `Later`, or the text of a GranaryError.

    `asker` names the pipeline that may ask with these parameters: whoever changes a pipeline writes them. Any other
    exception fails the job, too, and then the function, which raises its alarm. Answers whether CodePipeline took it: a
    job may be delivered twice, and is answered once.

    Raises:
        UnheardError: the job was not answered; Lambda invokes the function once more.
    """
    job = event["CodePipeline.job"]
    try:
        parameters = json.loads(job["data"]["actionConfiguration"]["configuration"]["UserParameters"])
        if asker:
            _require_asked_by(asker(parameters), codepipeline, job["id"])
        said = work(parameters)
    except GranaryError as error:
        return fail_job(codepipeline, job["id"], str(error))
    except UnheardError:
        raise
    except Exception as error:
        fail_job(codepipeline, job["id"], f"{type(error).__name__}: {error}")
        raise
    return pass_job(codepipeline, job["id"], said)


def _require_asked_by(pipeline: str, codepipeline: Any, job_id: str) -> None:
    """Refuse a job of another pipeline, as CodePipeline knows it: the job itself does not say whose it is.

    Where that is not told, which no page excludes, nobody is refused: an asker has no say in it.
    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_GetJobDetails.html
    """
    try:
        details = codepipeline.get_job_details(jobId=job_id)["jobDetails"]
    except (BotoCoreError, ClientError) as error:
        if may_pass(error):
            raise UnheardError(f"whose job {job_id} is has to wait: {error}") from error
        if isinstance(error, ClientError) and code_of(error) in _NOBODY_WAITS:
            raise GranaryError(f"nobody waits for job {job_id} any more") from error
        raise
    known = details.get("data", {}).get("pipelineContext", {}).get("pipelineName", "")
    if not known:
        logger.warning("CodePipeline does not tell whose job %s is", job_id)
    elif known != pipeline:
        raise GranaryError(f"pipeline {known} asks for what only {pipeline} may ask for: nothing was done")


def pass_job(codepipeline: Any, job_id: str, said: str | Later) -> bool:
    """Let a job succeed, or go on later; answers whether anybody waited for that."""
    answer: dict[str, Any] = (
        {"continuationToken": said.token}
        if isinstance(said, Later)
        else {"executionDetails": {"summary": said[:_SUMMARY_LIMIT]}}
    )
    with ignoring(*_NOBODY_WAITS):
        codepipeline.put_job_success_result(jobId=job_id, **answer)
        return True
    return False


def fail_job(codepipeline: Any, job_id: str, message: str) -> bool:
    """Let a job fail; answers whether anybody waited for that."""
    details = {"type": "JobFailed", "message": message[:_MESSAGE_LIMIT] or "no reason was given"}
    with ignoring(*_NOBODY_WAITS):
        codepipeline.put_job_failure_result(jobId=job_id, failureDetails=details)
        return True
    return False


def ask(function: str, question: Mapping[str, Any], aws_lambda: Any) -> dict[str, Any]:
    """Ask a function of another room.

    Raises:
        GranaryError: it failed.
    """
    answer = aws_lambda.invoke(FunctionName=function, Payload=json.dumps(question).encode())
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise GranaryError(f"{function} could not answer {dict(question)}: {payload.get('errorMessage', payload)}")
    return dict(payload)
