"""A job is answered whatever happens, and a question that was not answered is no answer."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.common.errors import GranaryError
from lambdas.common.pipeline_jobs import Later, answer_job, ask


class CodePipeline:
    """What CodePipeline was told of jobs."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def put_job_success_result(self, *, jobId: str, **answer: Any) -> None:
        self._tell(jobId, answer.get("continuationToken") or answer["executionDetails"]["summary"])

    def put_job_failure_result(self, *, jobId: str, failureDetails: Mapping[str, str]) -> None:
        self._tell(jobId, f"{failureDetails['type']}: {failureDetails['message']}")

    def _tell(self, job_id: str, said: str) -> None:
        if job_id in dict(self.told):
            raise ClientError({"Error": {"Code": "InvalidJobStateException", "Message": "no"}}, "PutJobResult")
        self.told.append((job_id, said))


def job(parameters: str = '{"deployment": "acme"}') -> dict[str, Any]:
    configuration = {"FunctionName": "f", "UserParameters": parameters}
    return {"CodePipeline.job": {"id": "job-1", "data": {"actionConfiguration": {"configuration": configuration}}}}


def test_the_answer_is_what_the_work_says() -> None:
    told = CodePipeline()
    answer_job(job(), told, lambda given: f"good morning, {given['deployment']}" + "!" * 5_000)
    ((job_id, summary),) = told.told
    assert (job_id, summary[:18], len(summary)) == ("job-1", "good morning, acme", 2_048)


def test_work_that_is_not_over_is_gone_on_with_later() -> None:
    told = CodePipeline()
    assert answer_job(job(), told, lambda _: Later(token="round 2"))
    assert told.told == [("job-1", "round 2")]


def test_a_job_that_comes_twice_is_answered_once() -> None:
    told = CodePipeline()
    assert answer_job(job(), told, lambda _: "done")
    assert not answer_job(job(), told, lambda _: "done again")
    assert told.told == [("job-1", "done")]


def test_a_reason_reaches_the_pipeline() -> None:
    def refuse(_: Mapping[str, Any]) -> str:
        raise GranaryError("acme is held")

    told = CodePipeline()
    answer_job(job(), told, refuse)
    assert told.told == [("job-1", "JobFailed: acme is held")]


@pytest.mark.parametrize("event", [job(), job("no JSON")])
def test_a_fault_fails_the_job_and_the_function(event: dict[str, Any]) -> None:
    told = CodePipeline()
    with pytest.raises((KeyError, ValueError)):
        answer_job(event, told, lambda given: str(given["nothing"]))
    assert len(told.told) == 1
    assert told.told[0][1].startswith("JobFailed: ")


class Lambda:
    """A function that answers, or fails."""

    def __init__(self, answer: dict[str, Any], *, failed: bool = False) -> None:
        self.answer = {"Payload": io.BytesIO(json.dumps(answer).encode()), **({"FunctionError": "x"} if failed else {})}

    def invoke(self, **_: Any) -> dict[str, Any]:
        return self.answer


def test_who_asks_gets_the_answer_or_the_reason() -> None:
    assert ask("granary-tenants", {"deployment": "acme"}, Lambda({"known": True})) == {"known": True}
    with pytest.raises(GranaryError, match=r"granary-tenants could not answer .*acme.*: status cannot be read"):
        ask("granary-tenants", {"deployment": "acme"}, Lambda({"errorMessage": "status cannot be read"}, failed=True))
