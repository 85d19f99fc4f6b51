"""A job is answered whatever happens, and a question that was not answered is no answer."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.common.errors import GranaryError
from lambdas.common.pipeline_jobs import Later, UnheardError, answer_job, ask


class CodePipeline:
    """What CodePipeline was told of jobs; `context` is what it tells of them, or the code with which it refuses to."""

    def __init__(self, context: Mapping[str, Any] | str | None = None) -> None:
        self.told: list[tuple[str, str]] = []
        self.context = context

    def get_job_details(self, *, jobId: str) -> dict[str, Any]:
        if isinstance(self.context, str):
            raise ClientError({"Error": {"Code": self.context, "Message": "no"}}, "GetJobDetails")
        return {"jobDetails": {"id": jobId, "data": {"pipelineContext": self.context} if self.context else {}}}

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


def acmes(given: Mapping[str, Any]) -> str:
    """The pipeline that may ask."""
    return f"silo-{given['deployment']}-pipeline"


@pytest.mark.parametrize("context", [{"pipelineName": "silo-acme-pipeline"}, {}, None])
def test_the_pipeline_that_is_named_may_ask_and_one_that_is_not_told_is_not_refused(context: Any) -> None:
    told = CodePipeline(context)
    assert answer_job(job(), told, lambda _: "done", asker=acmes)
    assert told.told == [("job-1", "done")]


def nothing(_: Mapping[str, Any]) -> str:
    """Work that nobody may ask for."""
    raise AssertionError("it was done")


def test_another_pipeline_is_refused_before_anything_is_done() -> None:
    """Given a pipeline whose action names another's tenant, then it fails, and nothing was done for it."""
    told = CodePipeline({"pipelineName": "silo-evil-pipeline"})
    assert answer_job(job(), told, nothing, asker=acmes)
    refused = "pipeline silo-evil-pipeline asks for what only silo-acme-pipeline may ask for: nothing was done"
    assert told.told == [("job-1", f"JobFailed: {refused}")]


@pytest.mark.parametrize("code", ["JobNotFoundException", "InvalidJobStateException"])
def test_nothing_is_done_for_a_job_for_which_nobody_waits(code: str) -> None:
    """Whoever stops an execution right after its job was handed out learns and does no more than before."""
    told = CodePipeline(code)
    answer_job(job(), told, nothing, asker=acmes)
    assert [said for _, said in told.told] == ["JobFailed: nobody waits for job job-1 any more"]


def test_whose_a_job_is_waits_for_lambdas_next_try() -> None:
    told = CodePipeline("ThrottlingException")
    with pytest.raises(UnheardError):
        answer_job(job(), told, nothing, asker=acmes)
    assert told.told == []
    told.context = {"pipelineName": "silo-acme-pipeline"}
    assert answer_job(job(), told, lambda _: "done", asker=acmes)


def test_a_right_that_is_missing_fails_the_job_and_the_function() -> None:
    told = CodePipeline("AccessDeniedException")
    with pytest.raises(ClientError):
        answer_job(job(), told, nothing, asker=acmes)
    assert "AccessDeniedException" in told.told[0][1]


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
