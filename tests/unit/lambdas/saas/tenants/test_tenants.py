"""What other rooms are told of tenants, on a real table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.common import dynamo
from lambdas.common.clients import client
from lambdas.common.errors import GranaryError
from lambdas.saas.model.status import Status
from lambdas.saas.tenants.answer import Asked, Question, answer
from lambdas.saas.tenants.handler import handler

RUN = "r2-c0ffee00"

ITEM = {
    "id": "acme",
    "phase": "UPDATING",
    "type": "silo",
    "account": "222222222222",
    "region": "eu-west-1",
    "revision_deployed": "r1",
    "revision_wanted": "r2",
    "release_ring": "early",
    "release_run": RUN,
    "release_outcome": "running",
    "release_started_at": "2026-11-29T00:00:00.000+00:00",
    "release_execution_id": "execution-2",
    "outputs": {"eu-west-1": {"Address": "https://acme.example.com"}},
}


@pytest.fixture
def ask(make_table: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Ask about deployments of a table that holds one."""
    table = make_table("statuses")
    dynamo.put(table, table="statuses", item=ITEM)
    monkeypatch.setenv("STATUS_TABLE", "statuses")
    client.cache_clear()
    return lambda **event: handler(event, None)


@pytest.mark.parametrize("key", [{"deployment": "acme"}, {"pipeline": "silo-acme-pipeline"}])
def test_a_tenant_is_told_by_id_and_by_pipeline(ask: Callable[..., dict[str, Any]], key: dict[str, str]) -> None:
    told = ask(**key)
    assert (told["known"], told["ring"], told["run"], told["revision"]) == (True, "early", "r2-c0ffee00", "r1")
    assert (told["account"], told["region"], told["phase"]) == ("222222222222", "eu-west-1", "UPDATING")
    assert (told["stack"], told["started_at"]) == ("silo-acme-resources", ITEM["release_started_at"])
    assert told["outputs"] == ITEM["outputs"]


def test_both_places_of_a_tenant_are_told_when_its_pipeline_deploys_there() -> None:
    """Given a row that asks for a standby which no build has provisioned yet, then it is not told."""
    question = Question(deployment="acme")
    placed = [{"type": "silo", "account": "222222222222", "region": region} for region in ("eu-west-1", "us-east-1")]
    for item, told in (
        (ITEM, ""),
        ({**ITEM, "standby_region": "us-east-1", "placed": placed[0]}, ""),
        ({**ITEM, "placed": placed}, "us-east-1"),
    ):
        status = Status.from_item(item)
        assert isinstance(status, Status)
        assert answer(status, question)["standby_region"] == told


@pytest.mark.parametrize(
    ("execution", "revision", "kind", "outcome", "run"),
    [
        ("execution-2", "r2", "STANDARD", "running", RUN),  # which the run has started
        ("execution-3", "r2", "STANDARD", "running", RUN),  # which self-mutation has started in its place
        ("execution-3", "r2", "STANDARD", "rolling_back", RUN),
        ("execution-3", "r1", "STANDARD", "running", ""),  # from before
        ("execution-3", "r2", "ROLLBACK", "running", ""),  # CodePipeline's own
        ("execution-3", "r2", "STANDARD", "succeeded", ""),  # the run does not wait any more
        ("execution-3", "", "", "running", ""),  # forgotten
    ],
)
def test_an_execution_has_the_run_that_waits_for_it(
    execution: str, revision: str, kind: str, outcome: str, run: str
) -> None:
    status = Status.from_item({**ITEM, "release_outcome": outcome})
    assert isinstance(status, Status)
    asked = Asked(revision=revision, rollback=kind == "ROLLBACK") if kind else None
    told = answer(status, Question(deployment="acme", execution=execution), asked)
    assert (told["run"], told["ring"], told["outcome"]) == ((run, "early", outcome) if run else ("", "", ""))
    assert told["rollback"] is (kind == "ROLLBACK")


def test_an_execution_is_read_from_the_tenants_pipeline(
    ask: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto has no executions: the call and what is read of it are CodePipeline's documentation's."""
    codepipeline = boto3.client("codepipeline", region_name="eu-west-1")
    given = {"pipelineName": "silo-acme-pipeline", "pipelineExecutionId": "e0000000-0000-4000-8000-000000000003"}
    source = {"name": "Release", "revisionId": "v1", "revisionSummary": "r2"}
    with Stubber(codepipeline) as stub:
        execution = {"executionType": "STANDARD", "artifactRevisions": [source], "status": "InProgress"}
        found = {"pipelineExecution": execution}
        stub.add_response("get_pipeline_execution", found, given)
        stub.add_client_error("get_pipeline_execution", "PipelineExecutionNotFoundException", expected_params=given)
        clients = {"codepipeline": codepipeline, "dynamodb": client("dynamodb")}
        monkeypatch.setattr("lambdas.saas.tenants.handler.client", clients.__getitem__)
        told = ask(deployment="acme", execution=given["pipelineExecutionId"])
        assert (told["run"], told["execution_status"]) == (RUN, "InProgress")
        told = ask(deployment="acme", execution=given["pipelineExecutionId"])
        assert (told["run"], told["execution_status"], told["started_at"]) == ("", "", "")


def test_a_stranger_is_not_known(ask: Callable[..., dict[str, Any]]) -> None:
    assert ask(deployment="nobody") == {"deployment": "nobody", "known": False}


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"deployment": ""},
        {"deployment": 7},
        {"pipeline": "granary-cicd"},
        {"pipeline": ["silo-acme-pipeline"]},
        {"deployment": "acme", "execution": 7},
    ],
)
def test_a_question_that_names_nobody_is_refused_with_what_to_ask(
    ask: Callable[..., dict[str, Any]], event: dict[str, Any]
) -> None:
    with pytest.raises(GranaryError, match="ask with `deployment`"):
        ask(**event)
