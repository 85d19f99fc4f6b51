"""Jobs of pipelines' Invoke actions: each is answered, whatever happens, for a pipeline waits until it is.

https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from lambdas.common.errors import GranaryError

# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_FailureDetails.html
_MESSAGE_LIMIT = 5_000
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ExecutionDetails.html
_SUMMARY_LIMIT = 2_048


def answer_job(event: Mapping[str, Any], codepipeline: Any, work: Callable[[Mapping[str, Any]], str]) -> None:
    """Do the work of a job, given its parameters; the answer is a summary, or the text of a GranaryError.

    Any other exception fails the job, too, and then the function, which raises its alarm.
    """
    job = event["CodePipeline.job"]
    try:
        parameters = json.loads(job["data"]["actionConfiguration"]["configuration"]["UserParameters"])
        summary = work(parameters)
    except GranaryError as error:
        _fail(codepipeline, job["id"], str(error))
    except Exception as error:
        _fail(codepipeline, job["id"], f"{type(error).__name__}: {error}")
        raise
    else:
        codepipeline.put_job_success_result(jobId=job["id"], executionDetails={"summary": summary[:_SUMMARY_LIMIT]})


def _fail(codepipeline: Any, job_id: str, message: str) -> None:
    details = {"type": "JobFailed", "message": message[:_MESSAGE_LIMIT] or "no reason was given"}
    codepipeline.put_job_failure_result(jobId=job_id, failureDetails=details)


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
