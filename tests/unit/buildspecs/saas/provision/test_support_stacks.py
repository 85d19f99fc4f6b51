"""Finding the stacks that CDK puts beside a pipeline stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from buildspecs.saas.provision.support_stacks import DeployedSupport
from lambdas.saas.model.status import StackRef

PIPELINE = "silo-a-pipeline"


class CloudFormation:
    """Stacks of one Region, each with its name as id; any other does not exist."""

    def __init__(self, *names: str, fault: str = "") -> None:
        self.names = names
        self.fault = fault

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if self.fault or StackName not in self.names:
            message = self.fault or f"Stack with id {StackName} does not exist"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")
        return {"Stacks": [{"StackId": f"arn:{StackName}"}]}


def assembly(folder: Path, **stacks: str) -> Path:
    """An assembly with stacks (name: Region) and an artifact of another type."""
    artifacts: dict[str, Any] = {"Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}}}
    for name, region in stacks.items():
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://111111111111/{region}",
            "properties": {"stackName": name.replace("_", "-"), "templateFile": f"{name}.json"},
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")
    return folder


def test_those_of_the_pipeline_that_exist_are_found(tmp_path: Path) -> None:
    """Given support stacks in two Regions, one of them deployed, and stacks of other names,
    when those of the pipeline are looked for, then the deployed one is recorded with its Region."""
    clients = {"eu-west-1": CloudFormation(f"{PIPELINE}-support-eu-west-1"), "eu-central-1": CloudFormation()}
    found = DeployedSupport(cloudformation=clients.__getitem__, account="111111111111").of(
        PIPELINE,
        assembly(
            tmp_path,
            silo_a_pipeline="us-east-1",
            silo_a_pipeline_support_eu_west_1="eu-west-1",
            silo_a_pipeline_support_eu_central_1="eu-central-1",
            silo_a_b_pipeline_support_eu_west_1="eu-west-1",
        ),
    )
    stack_id = f"arn:{PIPELINE}-support-eu-west-1"
    assert found == (StackRef(kind="support", stack_id=stack_id, account="111111111111", region="eu-west-1"),)


def test_a_pipeline_without_any_costs_no_call(tmp_path: Path) -> None:
    def unexpected(region: str) -> Any:
        raise AssertionError(region)

    folder = assembly(tmp_path, silo_a_pipeline="us-east-1")
    assert DeployedSupport(cloudformation=unexpected, account="111111111111").of(PIPELINE, folder) == ()


def test_a_refusal_is_not_taken_for_absence(tmp_path: Path) -> None:
    folder = assembly(tmp_path, silo_a_pipeline_support_eu_west_1="eu-west-1")
    refusing = DeployedSupport(cloudformation=lambda _: CloudFormation(fault="AccessDenied"), account="111111111111")
    with pytest.raises(ClientError, match="AccessDenied"):
        refusing.of(PIPELINE, folder)
