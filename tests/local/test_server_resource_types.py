"""CloudFormation types that the local cloud adds."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from local_cloud.cloud import PROJECT_ROOT
from local_cloud.server.known_types import PRETENDED
from tests.local.local_cloud_fixtures import Workbench, wait_until

_RESOURCES: dict[str, Any] = {
    "Repository": {
        "Type": "AWS::CodeCommit::Repository",
        "Properties": {"RepositoryName": "shop", "RepositoryDescription": "d", "Tags": [{"Key": "team", "Value": "a"}]},
    },
    "Hub": {"Type": "AWS::SecurityHub::Hub", "Properties": {}},
    "Chaos": {
        "Type": "AWS::FIS::ExperimentTemplate",
        "Properties": {
            "Description": "stop one",
            "RoleArn": "arn:aws:iam::111111111111:role/fis",
            "Tags": {"Name": "chaos"},
            "StopConditions": [{"Source": "none"}],
            "Targets": {
                "Servers": {
                    "ResourceType": "aws:ecs:task",
                    "SelectionMode": "ALL",
                    "ResourceTags": {"Chaos": "yes"},
                }
            },
            "Actions": {"Stop": {"ActionId": "aws:ecs:stop-task", "Targets": {"Tasks": "Servers"}}},
        },
    },
    "Settings": {
        "Type": "AWS::LakeFormation::DataLakeSettings",
        "Properties": {"Admins": [{"DataLakePrincipalIdentifier": "arn:aws:iam::111111111111:role/admin"}]},
    },
    "Location": {
        "Type": "AWS::LakeFormation::Resource",
        "Properties": {"ResourceArn": "arn:aws:s3:::lake", "UseServiceLinkedRole": True},
    },
    "Tag": {"Type": "AWS::LakeFormation::Tag", "Properties": {"TagKey": "domain", "TagValues": ["sales", "hr"]}},
    "Database": {
        "Type": "AWS::Glue::Database",
        "Properties": {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": "sales"}},
    },
    "Connection": {
        "Type": "AWS::Glue::Connection",
        "Properties": {
            "CatalogId": {"Ref": "AWS::AccountId"},
            "ConnectionInput": {"Name": "network", "ConnectionType": "NETWORK", "ConnectionProperties": {}},
        },
    },
    "Grant": {
        "Type": "AWS::LakeFormation::PrincipalPermissions",
        "DependsOn": ["Tag", "Database"],
        "Properties": {
            "Principal": {"DataLakePrincipalIdentifier": "arn:aws:iam::111111111111:role/analyst"},
            "Resource": {"Database": {"CatalogId": {"Ref": "AWS::AccountId"}, "Name": "sales"}},
            "Permissions": ["DESCRIBE"],
            "PermissionsWithGrantOption": [],
        },
    },
}


def _settled(workbench: Workbench) -> dict[str, Any]:
    cloudformation = workbench.client("cloudformation")

    def stack() -> dict[str, Any] | None:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName="types")["Stacks"][0]
        return None if found["StackStatus"].endswith("IN_PROGRESS") else found

    settled: dict[str, Any] = wait_until(stack, what="the stack")
    return settled


def test_each_type_is_created_in_its_service_and_deleted_with_the_stack(workbench: Workbench) -> None:
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Repository", "Arn"]}}, "Template": {"Value": {"Ref": "Chaos"}}}
    cloudformation = workbench.client("cloudformation")
    created = cloudformation.create_stack(
        StackName="types", TemplateBody=json.dumps({"Resources": _RESOURCES, "Outputs": outputs})
    )
    stack = _settled(workbench)
    events = cloudformation.describe_stack_events(StackName="types")["StackEvents"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", [
        event["ResourceStatusReason"] for event in events if event.get("ResourceStatusReason")
    ]
    values = {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}
    assert values["Arn"].endswith(f":{workbench.account}:shop")
    fis = workbench.client("fis")
    template = fis.get_experiment_template(id=values["Template"])["experimentTemplate"]
    assert template["targets"]["Servers"]["resourceTags"] == {"Chaos": "yes"}
    assert workbench.client("lakeformation").list_lf_tags()["LFTags"][0]["TagValues"] == ["sales", "hr"]
    assert workbench.client("glue").get_connection(Name="network")["Connection"]["ConnectionType"] == "NETWORK"
    cloudformation.delete_stack(StackName="types")
    wait_until(
        lambda: (
            cloudformation.describe_stacks(StackName=created["StackId"])["Stacks"][0]["StackStatus"]
            == "DELETE_COMPLETE"
        ),
        what="the deletion",
    )
    assert fis.list_experiment_templates()["experimentTemplates"] == []
    assert workbench.client("lakeformation").list_lf_tags()["LFTags"] == []


def test_a_property_that_is_not_applied_fails_the_stack(workbench: Workbench) -> None:
    resource = {
        "Type": "AWS::CodeCommit::Repository",
        "Properties": {"RepositoryName": "seeded", "Code": {"S3": {"Bucket": "b", "Key": "k"}}},
    }
    workbench.client("cloudformation").create_stack(
        StackName="types", TemplateBody=json.dumps({"Resources": {"Repository": resource}})
    )
    assert _settled(workbench)["StackStatus"] == "ROLLBACK_COMPLETE"


def test_the_types_are_told_without_a_server() -> None:
    """What `granary component check` asks: ours are among them, and databases are said to be pretended."""
    words = [sys.executable, "-m", "local_cloud", "types"]
    told = json.loads(subprocess.run(words, cwd=PROJECT_ROOT, capture_output=True, check=True).stdout)
    assert {told[resource["Type"]] for resource in _RESOURCES.values()} == {"deploys"}
    assert {told["AWS::RDS::DBCluster"], told["AWS::EC2::SecurityGroupEgress"]} == {"pretends"}
    assert "AWS::Neptune::DBCluster" not in told
    assert {name.split("::")[1] for name, what in told.items() if what == "pretends"} == PRETENDED
