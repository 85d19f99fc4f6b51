"""The adapters that releases use besides the tables: transactions, tokens, tenants' copies and pipelines."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from lambdas.common.errors import CapacityError, GranaryError
from lambdas.common.task_tokens import StepFunctionsTokens
from lambdas.common.transactions import transact
from lambdas.saas.model.releases import tenant_key
from lambdas.saas.store.tenant_copies import TenantCopies
from tests.unit.lambdas.saas.fakes import RELEASE

BUCKET = "releases"


def stub(service: str) -> tuple[Any, Stubber]:
    client = boto3.client(  # type: ignore[call-overload]
        service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stubber = Stubber(client)
    stubber.activate()
    return client, stubber


class Transactions:
    """A client whose transactions end as they are told to."""

    def __init__(self, *endings: list[str] | str) -> None:
        self.endings = list(endings)

    def transact_write_items(self, **_request: Any) -> None:
        ending = self.endings.pop(0)
        if isinstance(ending, str):
            raise ClientError({"Error": {"Code": ending, "Message": ""}}, "TransactWriteItems")
        if ending:
            response: Any = {
                "Error": {"Code": "TransactionCanceledException", "Message": ""},
                "CancellationReasons": [{"Code": code} for code in ending],
            }
            raise ClientError(response, "TransactWriteItems")


def test_a_transaction_that_is_in_the_way_of_another_is_tried_again() -> None:
    pauses: list[float] = []
    client = Transactions(["TransactionConflict", "None"], ["None", "TransactionConflict"], [])
    assert transact(client, [], pause=pauses.append) is None
    assert len(pauses) == 2
    assert all(0 <= pause <= 1 for pause in pauses)


def test_a_condition_that_does_not_hold_is_told() -> None:
    assert transact(Transactions(["None", "ConditionalCheckFailed"]), []) == [True, False]


@pytest.mark.parametrize("endings", [["ThrottlingException"], [["TransactionConflict"]] * 12, [["ValidationError"]]])
def test_other_refusals_of_a_transaction_are_faults(endings: list[Any]) -> None:
    with pytest.raises(ClientError):
        transact(Transactions(*endings), [], pause=lambda _seconds: None)


def test_a_task_is_answered() -> None:
    client, stubber = stub("stepfunctions")
    output = json.dumps({"outcome": "succeeded"})
    stubber.add_response("send_task_success", {}, {"taskToken": "t", "output": output})
    stubber.add_response("send_task_failure", {}, {"taskToken": "t", "error": "Busy", "cause": "x" * 4000})
    tokens = StepFunctionsTokens(client=client)
    tokens.succeed("t", {"outcome": "succeeded"})
    tokens.fail("t", error="Busy", cause="x" * 5000)
    stubber.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["TaskDoesNotExist", "TaskTimedOut", "InvalidToken"])
def test_a_token_that_nobody_waits_for_is_no_error(code: str) -> None:
    client, stubber = stub("stepfunctions")
    stubber.add_client_error("send_task_success", code)
    StepFunctionsTokens(client=client).succeed("t", {})


def test_an_answer_that_is_refused_is_a_fault() -> None:
    client, stubber = stub("stepfunctions")
    stubber.add_client_error("send_task_success", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        StepFunctionsTokens(client=client).succeed("t", {})


def copies() -> tuple[TenantCopies, Stubber, Stubber]:
    s3, s3_stub = stub("s3")
    codepipeline, pipeline_stub = stub("codepipeline")
    return TenantCopies(s3=s3, codepipeline=codepipeline, releases_bucket=BUCKET), s3_stub, pipeline_stub


def copied(stubber: Stubber) -> None:
    source = {"Bucket": BUCKET, "Key": RELEASE.key, "VersionId": RELEASE.version_id}
    request = {"Bucket": BUCKET, "Key": tenant_key("silo", "acme"), "CopySource": source}
    stubber.add_response("copy_object", {}, request)


def test_the_pinned_source_is_copied_before_the_pipeline_starts() -> None:
    tenants, s3, pipelines = copies()
    copied(s3)
    request = {"name": "silo-acme-pipeline", "clientRequestToken": ANY}
    pipelines.add_response("start_pipeline_execution", {"pipelineExecutionId": "e1"}, request)
    assert tenants.start("silo", "acme", release=RELEASE, token="run1 acme") == "e1"
    s3.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ThrottlingException", 400, CapacityError),
        ("ConcurrentPipelineExecutionsLimitExceededException", 400, CapacityError),
        ("InternalFailure", 500, CapacityError),
        ("PipelineNotFoundException", 400, GranaryError),
        ("AccessDeniedException", 400, GranaryError),
    ],
)
def test_refusals_that_pass_are_told_from_those_that_do_not(code: str, status: int, error: type[Exception]) -> None:
    tenants, s3, pipelines = copies()
    copied(s3)
    pipelines.add_client_error("start_pipeline_execution", code, "no", http_status_code=status)
    with pytest.raises(error, match="StartPipelineExecution was refused: no") as told:
        tenants.start("silo", "acme", release=RELEASE, token="run1 acme")
    assert isinstance(told.value, CapacityError) == (error is CapacityError)
