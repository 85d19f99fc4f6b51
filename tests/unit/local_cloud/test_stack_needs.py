"""What CloudFormation needs for a change of a resource."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_cloud.server.stack_needs import Change, Need, facts_of, needs

_ACCOUNT, _REGION = "222222222222", "eu-west-1"
_PLACE = f"{_REGION}:{_ACCOUNT}"
_SNAPSHOTS = Path(__file__).parents[2] / "synth" / "__snapshots__" / "test_snapshots"
_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/worker"
_MANAGED = "arn:aws:iam::aws:policy/ReadOnlyAccess"
Properties = Mapping[str, Any]


def _needs(
    type_name: str, identifier: str, *, before: Properties | None = None, after: Properties | None = None
) -> list[Need]:
    change = Change(
        type_name=f"AWS::{type_name}",
        identifier=identifier,
        account=_ACCOUNT,
        region=_REGION,
        before=before,
        after=after,
    )
    return needs(change)


def _said(found: list[Need]) -> list[tuple[str, str]]:
    return [(need.action, need.resource) for need in found]


def test_every_type_of_our_templates_is_known() -> None:
    templates = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in _SNAPSHOTS.iterdir()]
    types = {resource["Type"] for template in templates for resource in template["Resources"].values()}
    assert [name for name in sorted(types) if facts_of(name) is None] == []


def test_a_type_that_the_table_lacks_needs_nothing() -> None:
    assert facts_of("AWS::New::Thing") is None
    assert _needs("New::Thing", "thing", after={}) == []


def test_a_new_function_needs_its_code_its_role_and_its_key() -> None:
    key = f"arn:aws:kms:{_PLACE}:key/1"
    properties = {"Code": {"S3Bucket": "assets", "S3Key": "a.zip"}, "Role": _ROLE, "KmsKeyArn": key}
    found = _needs("Lambda::Function", "sum", after=properties)
    function = f"arn:aws:lambda:{_PLACE}:function:sum"
    assert sorted(_said(found)) == [
        ("iam:PassRole", _ROLE),
        ("kms:CreateGrant", key),
        ("kms:Encrypt", key),
        ("lambda:CreateFunction", function),
        ("lambda:GetFunction", function),
        ("s3:GetObject", "arn:aws:s3:::assets/a.zip"),
    ]
    (passing,) = [need for need in found if need.action == "iam:PassRole"]
    assert passing.context == {"iam:passedtoservice": "lambda.amazonaws.com"}


def test_an_update_needs_what_differs() -> None:
    before = {"Code": {"S3Bucket": "assets", "S3Key": "a.zip"}, "Role": _ROLE, "Timeout": 3}
    code = {**before, "Code": {"S3Bucket": "assets", "S3Key": "b.zip"}}
    changed = [action for action, _ in _said(_needs("Lambda::Function", "sum", before=before, after=code))]
    assert changed == ["lambda:GetFunction", "lambda:UpdateFunctionCode", "s3:GetObject"]
    longer = _said(_needs("Lambda::Function", "sum", before=before, after={**before, "Timeout": 4}))
    assert [action for action, _ in longer] == ["lambda:GetFunction", "lambda:UpdateFunctionConfiguration"]


def test_a_role_needs_each_policy_that_it_gains_or_loses() -> None:
    other = "arn:aws:iam::aws:policy/PowerUserAccess"
    before, after = {"ManagedPolicyArns": [_MANAGED]}, {"ManagedPolicyArns": [other]}
    found = {need.action: need for need in _needs("IAM::Role", "worker", before=before, after=after)}
    assert {action: need.context for action, need in found.items()} == {
        "iam:AttachRolePolicy": {"iam:policyarn": other},
        "iam:DetachRolePolicy": {"iam:policyarn": _MANAGED},
    }
    assert {need.resource for need in found.values()} == {_ROLE}
    deleted = [need.action for need in _needs("IAM::Role", "worker", before=before)]
    assert deleted[-2:] == ["iam:DeleteRole", "iam:DetachRolePolicy"]


def test_a_new_role_is_made_under_its_boundary() -> None:
    (create, *_) = _needs("IAM::Role", "worker", after={"PermissionsBoundary": _MANAGED})
    assert create.context == {"iam:permissionsboundary": _MANAGED}
    bounded = {"PermissionsBoundary": _MANAGED, "ManagedPolicyArns": [_MANAGED]}
    (*_, attach) = _needs("IAM::Role", "worker", after=bounded)
    assert (attach.action, attach.context["iam:permissionsboundary"]) == ("iam:AttachRolePolicy", _MANAGED)


@pytest.mark.parametrize(
    ("before", "after", "actions"),
    [
        (None, {}, []),
        (None, {"a": "1"}, ["sqs:TagQueue"]),
        (None, {"aws:cloudformation:stack-name": "s"}, []),
        ({"a": "1"}, {"a": "1"}, []),
        ({"a": "1"}, {"a": "2"}, ["sqs:TagQueue"]),
        ({"a": "1"}, {}, ["sqs:UntagQueue"]),
        ({"a": "1"}, None, []),
    ],
)
def test_tags_of_the_template_need_a_permission(
    before: dict[str, str] | None, after: dict[str, str] | None, actions: list[str]
) -> None:
    def properties(tags: dict[str, str] | None) -> Properties | None:
        return None if tags is None else {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    found = _needs("SQS::Queue", "orders", before=properties(before), after=properties(after))
    assert [need.action for need in found if "ag" in need.action] == actions


def test_tags_of_a_new_resource_are_condition_keys() -> None:
    (create, *_) = _needs("SQS::Queue", "orders", after={"Tags": [{"Key": "Team", "Value": "a"}]})
    assert create.context == {"aws:tagkeys": ["Team"], "aws:requesttag/team": "a"}


@pytest.mark.parametrize(
    ("type_name", "identifier", "properties", "resource"),
    [
        ("SQS::Queue", f"https://sqs.{_REGION}.amazonaws.com/{_ACCOUNT}/orders", {}, f"arn:aws:sqs:{_PLACE}:orders"),
        ("SNS::Topic", f"arn:aws:sns:{_PLACE}:news", {}, f"arn:aws:sns:{_PLACE}:news"),
        ("SSM::Parameter", "/a/b", {}, f"arn:aws:ssm:{_PLACE}:parameter/a/b"),
        ("Events::Rule", "daily", {"EventBusName": "own"}, f"arn:aws:events:{_PLACE}:rule/own/daily"),
        ("Events::Rule", "daily", {}, f"arn:aws:events:{_PLACE}:rule/daily"),
        (
            "Lambda::Permission",
            "id",
            {"FunctionName": f"arn:aws:lambda:{_PLACE}:function:sum"},
            f"arn:aws:lambda:{_PLACE}:function:sum",
        ),
        ("Lambda::Permission", "id", {}, "*"),
        ("ECS::TaskDefinition", f"arn:aws:ecs:{_PLACE}:task-definition/web:3", {}, "*"),
    ],
)
def test_the_resource_of_a_deletion(type_name: str, identifier: str, properties: Properties, resource: str) -> None:
    assert _needs(type_name, identifier, before=properties)[0].resource == resource


def test_a_custom_resource_needs_its_function() -> None:
    token = f"arn:aws:lambda:{_PLACE}:function:provider"
    change = Change(
        type_name="Custom::Thing", identifier="x", account=_ACCOUNT, region=_REGION, after={"ServiceToken": token}
    )
    assert _said(needs(change)) == [("lambda:InvokeFunction", token)]


def test_the_facts_are_written_as_they_are_read() -> None:
    """A misspelt rule would need nothing, and be silent about it."""
    rules = {
        "arn",
        "name",
        "longest",
        "create",
        "update",
        "delete",
        "set",
        "changed",
        "each",
        "added",
        "removed",
        "tag",
    }
    folder = Path(__file__).parents[3] / "local_cloud" / "server" / "stack_needs"
    tables = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    used = {rule for table in tables for facts in table.values() for rule in facts}
    assert used == rules
    assert [len(tables), sorted(tables[0]), sorted(tables[1])] == [2, list(tables[0]), list(tables[1])]


def test_a_new_table_needs_its_database_and_the_catalog_too() -> None:
    found = _said(_needs("Glue::Table", "rides", after={"DatabaseName": "lake", "TableInput": {"Name": "rides"}}))
    resources = ("catalog", "database/lake", "table/lake/rides")
    assert found == [("glue:CreateTable", f"arn:aws:glue:{_PLACE}:{name}") for name in resources]


def test_a_job_needs_the_role_that_it_gets() -> None:
    found = _said(_needs("Glue::Job", "job", after={"Name": "job", "Role": _ROLE, "Tags": {"team": "lake"}}))
    job = f"arn:aws:glue:{_PLACE}:job/job"
    assert sorted(found) == [("glue:CreateJob", job), ("glue:TagResource", job), ("iam:PassRole", _ROLE)]


def test_a_new_subnet_needs_its_network_and_tags() -> None:
    tags = [{"Key": "granary:room", "Value": "granary/lake"}]
    found = _needs("EC2::Subnet", "lake-Subnet", after={"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "Tags": tags})
    place = f"arn:aws:ec2:{_PLACE}"
    assert [one for one in _said(found) if "Describe" not in one[0]] == [
        ("ec2:CreateSubnet", f"{place}:vpc/vpc-1"),
        ("ec2:CreateSubnet", f"{place}:subnet/*"),
        ("ec2:CreateTags", f"{place}:subnet/*"),
    ]
    assert {need.context["aws:requesttag/granary:room"] for need in found} == {"granary/lake"}
    assert [need.context.get("ec2:createaction") for need in found][:3] == [None, None, "CreateSubnet"]


def test_a_new_security_group_has_its_tags_when_it_gets_its_rules() -> None:
    egress = [{"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}]
    after = {"VpcId": "vpc-1", "SecurityGroupEgress": egress, "Tags": [{"Key": "team", "Value": "lake"}]}
    found = {need.action: need for need in _needs("EC2::SecurityGroup", "group", after=after)}
    ruled = found["ec2:AuthorizeSecurityGroupEgress"]
    assert ruled.resource == f"arn:aws:ec2:{_PLACE}:security-group/group"
    assert ruled.context["aws:resourcetag/team"] == "lake"
    assert "aws:resourcetag/team" not in found["ec2:CreateSecurityGroup"].context


def test_a_global_table_needs_its_replicas_and_their_keys() -> None:
    keys = [f"arn:aws:kms:{at}:{_ACCOUNT}:key/1" for at in ("eu-west-1", "us-east-1")]
    replicas = [{"Region": key.split(":")[3], "SSESpecification": {"KMSMasterKeyId": key}} for key in keys]
    before = {"TableName": "notes", "Replicas": replicas[:1]}
    after = {"TableName": "notes", "Replicas": replicas}
    everywhere = f"arn:aws:dynamodb:*:{_ACCOUNT}:table/notes"
    added = _said(_needs("DynamoDB::GlobalTable", "notes", before=before, after=after))
    assert ("dynamodb:CreateTableReplica", everywhere) in added
    assert [resource for action, resource in added if action == "kms:CreateGrant"] == keys[1:]
    removed = _said(_needs("DynamoDB::GlobalTable", "notes", before=after, after=before))
    assert ("dynamodb:DeleteTableReplica", everywhere) in removed


def test_a_resource_has_its_tags_as_soon_as_it_is_made() -> None:
    """What a policy bounds by tag: the request's while it is made, then its own."""
    tags = {"Tags": [{"Key": "granary:deployment", "Value": "acme"}], "EnableKeyRotation": True}
    made = {need.action: need.context for need in _needs("KMS::Key", "k", after=tags)}
    assert "aws:requesttag/granary:deployment" in made["kms:CreateKey"]
    assert "aws:resourcetag/granary:deployment" not in made["kms:CreateKey"]
    assert made["kms:EnableKeyRotation"]["aws:resourcetag/granary:deployment"] == "acme"
    gone = {need.action: need.context for need in _needs("KMS::Key", "k", before=tags)}
    assert gone["kms:ScheduleKeyDeletion"]["aws:resourcetag/granary:deployment"] == "acme"
    untagged = {need.action: need.context for need in _needs("KMS::Key", "k", before={})}
    assert untagged["kms:ScheduleKeyDeletion"] == {}
