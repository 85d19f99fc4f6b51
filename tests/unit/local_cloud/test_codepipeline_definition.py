"""Conversion and checks of pipeline structures."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from local_cloud.codepipeline.authorization import resource_arn
from local_cloud.codepipeline.cfn import document
from local_cloud.codepipeline.definition import parse_definition
from local_cloud.codepipeline.errors import ServiceError
from local_cloud.codepipeline.validation import check_definition, check_document, with_defaults
from local_cloud.server.iam_gaps import Request

REGION = "eu-west-1"


def source(name: str = "Fetch", output: str = "Source") -> dict[str, Any]:
    """A source action in CloudFormation's spelling."""
    return {
        "Name": name,
        "ActionTypeId": {"Category": "Source", "Owner": "AWS", "Provider": "S3", "Version": 1},
        "Configuration": {"S3Bucket": "b", "S3ObjectKey": "k", "PollForSourceChanges": False},
        "OutputArtifacts": [{"Name": output}],
    }


def approval(name: str, run_order: Any = 1) -> dict[str, Any]:
    """An approval in CloudFormation's spelling."""
    kind = {"Category": "Approval", "Owner": "AWS", "Provider": "Manual", "Version": "1"}
    return {"Name": name, "ActionTypeId": kind, "RunOrder": run_order}


def properties(**changes: Any) -> dict[str, Any]:
    """The properties of a small pipeline."""
    return {
        "RoleArn": "arn:aws:iam::111111111111:role/pipeline",
        "PipelineType": "V2",
        "RestartExecutionOnUpdate": True,
        "Tags": [{"Key": "a", "Value": "b"}],
        "ArtifactStores": [
            {"Region": REGION, "ArtifactStore": {"Type": "S3", "Location": "near"}},
            {
                "Region": "us-west-2",
                "ArtifactStore": {"Type": "S3", "Location": "far", "EncryptionKey": {"Id": "key", "Type": "KMS"}},
            },
        ],
        "Stages": [
            {"Name": "Source", "Actions": [source()]},
            {"Name": "Wait", "Actions": [approval("Last", "2"), approval("One"), approval("Two")]},
        ],
        **changes,
    }


def check(declared: dict[str, Any]) -> None:
    """All checks that a pipeline passes when it is created."""
    check_document(declared)
    check_definition(parse_definition(with_defaults(declared, version=1), region=REGION), region=REGION)


def test_properties_become_the_api_document() -> None:
    converted = document(properties(), name="p")
    first, second = converted["stages"]
    assert first["actions"][0]["actionTypeId"]["version"] == "1"
    assert first["actions"][0]["configuration"] == {
        "S3Bucket": "b",
        "S3ObjectKey": "k",
        "PollForSourceChanges": "false",
    }
    assert second["actions"][0]["runOrder"] == 2
    assert converted["artifactStores"]["us-west-2"]["encryptionKey"] == {"id": "key", "type": "KMS"}
    assert not {"tags", "restartExecutionOnUpdate"} & set(converted)
    check(converted)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Colour": "red"}, "no property Colour"),
        ({"ExecutionMode": "SOMETIMES"}, "'SOMETIMES' at 'PipelineDeclaration.executionMode'"),
        ({"RoleArn": "role"}, "does not satisfy the pattern"),
    ],
)
def test_wrong_properties_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        document(properties(**changes), name="p")


def test_definition_groups_actions_by_run_order() -> None:
    declared = with_defaults(document(properties(), name="p"), version=3)
    definition = parse_definition(declared, region=REGION)
    groups = [[action.name for action in group] for group in definition.stages[1].groups()]
    assert groups == [["One", "Two"], ["Last"]]
    assert (definition.version, definition.execution_mode) == (3, "SUPERSEDED")
    assert definition.stores["us-west-2"].kms_key_id == "key"


def _two_outputs(declared: dict[str, Any]) -> None:
    declared["stages"][0]["actions"].append({**declared["stages"][0]["actions"][0], "name": "Twin"})


def _same_stage(declared: dict[str, Any]) -> None:
    declared["stages"][1]["name"] = "Source"


def _no_source(declared: dict[str, Any]) -> None:
    declared["stages"].reverse()


def _empty_stage(declared: dict[str, Any]) -> None:
    declared["stages"][1]["actions"] = []


def _far_action(declared: dict[str, Any]) -> None:
    declared["stages"][1]["actions"][0]["region"] = "ap-south-1"


def _both_stores(declared: dict[str, Any]) -> None:
    declared["artifactStore"] = {"type": "S3", "location": "b"}


def _git_trigger(declared: dict[str, Any]) -> None:
    declared["triggers"] = [{"providerType": "CodeStarSourceConnection"}]


def _commands(declared: dict[str, Any]) -> None:
    declared["stages"][1]["actions"][0]["commands"] = ["true"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_two_outputs, "More than one output artifact has the name Source"),
        (_same_stage, "More than one stage has the name Source"),
        (_no_source, "the first stage holds only sources"),
        (_empty_stage, "Stage Wait has no action"),
        (_far_action, "no artifact store in its Region ap-south-1"),
        (_both_stores, "either artifactStore or artifactStores"),
        (_git_trigger, "does not execute Git triggers"),
        (_commands, "does not execute an action's commands"),
    ],
)
def test_wrong_structures_are_refused(spoil: Any, message: str) -> None:
    declared = copy.deepcopy(document(properties(), name="p"))
    spoil(declared)
    with pytest.raises(ServiceError, match=message):
        check(declared)


@pytest.mark.parametrize(
    ("body", "resource"),
    [
        ({"name": "p"}, "p"),
        ({"pipeline": {"name": "p"}}, "p"),
        ({"pipelineName": "p", "stageName": "s"}, "p/s"),
        ({"pipelineName": "p", "stageName": "s", "actionName": "a"}, "p/s/a"),
    ],
)
def test_requests_are_authorised_on_what_they_name(body: dict[str, Any], resource: str) -> None:
    request = Request(operation="Any", path="/", body=body, region=REGION, account="111111111111")
    assert resource_arn(request) == f"arn:aws:codepipeline:{REGION}:111111111111:{resource}"


def test_requests_without_a_pipeline_are_authorised_on_everything() -> None:
    request = Request(operation="PutJobSuccessResult", path="/", body={"jobId": "1"}, region=REGION, account="1")
    assert resource_arn(request) == "*"
