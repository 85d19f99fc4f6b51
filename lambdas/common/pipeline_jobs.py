"""Jobs of pipelines' Invoke actions: each is answered, whatever happens, for a pipeline waits until it is.

https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.aws_errors import ignoring
from lambdas.common.errors import GranaryError

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


def answer_job(event: Mapping[str, Any], codepipeline: Any, work: Callable[[Mapping[str, Any]], str | Later]) -> bool:
    """Do the work of a job, given its parameters; the answer is a summary, `Later`, or the text of a GranaryError.

    Any other exception fails the job, too, and then the function, which raises its alarm. Answers whether CodePipeline
    took it: a job may be delivered twice, and is answered once.
    """
    job = event["CodePipeline.job"]
    try:
        parameters = json.loads(job["data"]["actionConfiguration"]["configuration"]["UserParameters"])
        said = work(parameters)
    except GranaryError as error:
        return fail_job(codepipeline, job["id"], str(error))
    except Exception as error:
        fail_job(codepipeline, job["id"], f"{type(error).__name__}: {error}")
        raise
    return pass_job(codepipeline, job["id"], said)


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
