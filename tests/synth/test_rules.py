"""The rules do bite: each finds what is wrong with a small bad template, and nothing in a good one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.synth.assembly import Template
from tests.synth.configurations import AWS, TOOLCHAIN_ACCOUNT
from tests.synth.rules import data, landing_zone, machines, policies, text
from tests.synth.rules.catalog import RULES, Rule, exceptions_used, findings

_EVENTS = {"Service": "events.amazonaws.com"}
_BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {}}


def _template(**resources: Any) -> Template:
    return Template(
        stack="bad", account=TOOLCHAIN_ACCOUNT, region="us-east-1", place=AWS, body={"Resources": resources}
    )


def _statement(action: str | list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, **more}


def _policy(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": [statement]}}}


def _trust(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": statement}}}


def _inline(statement: dict[str, Any]) -> dict[str, Any]:
    role = _trust(_statement("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}))
    role["Properties"]["Policies"] = [{"PolicyDocument": {"Statement": statement}}]
    return role


def _key(statement: dict[str, Any]) -> dict[str, Any]:
    properties = {"KeyPolicy": {"Statement": [statement]}, "EnableKeyRotation": True}
    return {"Type": "AWS::KMS::Key", "Properties": properties, "DeletionPolicy": "RetainExceptOnCreate"}


def _bucket_policy(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": {"Statement": [statement]}}}


def _function(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def _build(kind: str = "PLAINTEXT", **properties: Any) -> dict[str, Any]:
    variables = [{"Name": "X", "Type": kind, "Value": "x"}]
    return {
        "Type": "AWS::CodeBuild::Project",
        "Properties": {"Environment": {"EnvironmentVariables": variables}, **properties},
    }


def _bounded(policy: str) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Role", "Properties": {"PermissionsBoundary": policy}}


_REFUSES_BUCKET_ONLY = _bucket_policy(
    {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": {"Fn::GetAtt": ["Bad", "Arn"]},
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
)

_STARTS = _statement(
    "codebuild:StartBuild",
    Resource="x",
    Condition={"Null": {"codebuild:source.buildspec": "true"}, "StringLike": {"codebuild:source.location": "b/*"}},
)
# Whether a build has Docker is left to who starts it for one project alone.
_PRIVILEGED = _statement(
    "codebuild:StartBuild",
    Resource="x",
    Condition={
        "Null": dict.fromkeys(policies.OVERRIDES - {"codebuild:environment.privilegedMode"}, "true"),
    },
)
_MACHINE = {
    "Type": "AWS::StepFunctions::StateMachine",
    "Properties": {
        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "EncryptionConfiguration": {"KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
        "LoggingConfiguration": {"Level": "ALL"},
    },
}


def _use(condition: dict[str, Any]) -> dict[str, Any]:
    key = {"Fn::GetAtt": ["Key", "Arn"]}
    policy = _policy(_statement(["kms:Decrypt", "kms:GenerateDataKey"], Resource=key, Condition=condition))
    policy["Properties"]["Roles"] = [{"Ref": "Role"}]
    return policy


_DATA = _use({"StringLike": {"kms:EncryptionContext:aws:states:stateMachineArn": ["m", "m/*"]}})
_LOG = _use({"StringEquals": {"kms:EncryptionContext:SourceArn": "arn:logs:*"}})

BAD: tuple[tuple[Rule, Template], ...] = (
    (policies.no_wildcard_actions, _template(Bad=_policy(_statement("*", Resource="x")))),
    (policies.no_wildcard_actions, _template(Bad=_policy(_statement(["s3:GetObject", "s3:*"], Resource="x")))),
    (policies.no_wildcard_actions, _template(Bad=_inline(_statement("sqs:*", Resource="x")))),
    (
        policies.no_wildcard_actions,
        _template(Bad=_key(_statement("kms:*", Principal={"AWS": "arn:aws:iam::999999999999:root"}, Resource="*"))),
    ),
    (policies.no_wildcard_resources, _template(Bad=_policy(_statement("s3:GetObject", Resource="*")))),
    (
        policies.no_wildcard_resources,
        _template(Bad=_policy(_statement(["dynamodb:ListStreams", "dynamodb:Scan"], Resource=["*"]))),
    ),
    (policies.services_are_guarded, _template(Bad=_trust(_statement("sts:AssumeRole", Principal=_EVENTS)))),
    (
        policies.services_are_guarded,
        _template(Bad=_bucket_policy(_statement("s3:PutObject", Principal=_EVENTS, Resource="x"))),
    ),
    (
        policies.services_are_guarded,
        _template(Bad={"Type": "AWS::Lambda::Permission", "Properties": {"Principal": "s3.amazonaws.com"}}),
    ),
    (
        policies.nobody_is_anyone,
        _template(
            Bad=_bucket_policy(
                _statement("s3:GetObject", Principal={"AWS": "*"}, Condition={"ArnLike": {"aws:PrincipalArn": "x"}})
            )
        ),
    ),
    (
        policies.roles_elsewhere_are_members,
        _template(
            Bad=_policy(
                _statement(
                    "sts:AssumeRole",
                    Resource="arn:${AWS::Partition}:iam::*:role/x",
                    Condition={"StringEquals": {"aws:ResourceOrgID": "o-1"}},
                )
            )
        ),
    ),
    (policies.only_tls, _template(Bad=_BUCKET)),
    (policies.only_tls, _template(Bad=_BUCKET, Policy=_REFUSES_BUCKET_ONLY)),
    (policies.builds_run_what_their_projects_say, _template(Bad=_policy(_STARTS))),
    (policies.builds_run_what_their_projects_say, _template(Bad=_inline(_STARTS))),
    (policies.builds_run_what_their_projects_say, _template(Bad=_policy(_PRIVILEGED))),
    (
        policies.builds_run_what_their_projects_say,
        _template(Bad=_policy(_statement("codebuild:StartBuildBatch", Resource="x"))),
    ),
    (data.customer_keys, _template(Bad={"Type": "AWS::SQS::Queue"})),
    (
        data.customer_keys,
        _template(Bad={"Type": "AWS::SNS::Topic", "Properties": {"KmsMasterKeyId": "alias/aws/sns"}}),
    ),
    (data.customer_keys, _template(Bad=_function(Environment={}))),
    (data.keys_rotate, _template(Bad={"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True}})),
    (data.buckets_are_private, _template(Bad=_BUCKET)),
    (data.tables_are_safe, _template(Bad={"Type": "AWS::DynamoDB::Table", "Properties": {}})),
    (
        data.tables_are_safe,
        _template(
            Bad={
                "Type": "AWS::DynamoDB::GlobalTable",
                "DeletionPolicy": "RetainExceptOnCreate",
                "Properties": {
                    "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
                    "Replicas": [
                        {
                            "DeletionProtectionEnabled": True,
                            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                        }
                    ],
                },
            }
        ),
    ),
    (data.logs_are_kept, _template(Bad={"Type": "AWS::Logs::LogGroup", "Properties": {}})),
    (data.logs_are_kept, _template(Bad=_function())),
    (data.verdicts_stand, _template(Bad=_policy(_statement("s3:PutObject", Resource="arn:aws:s3:::a-releases-1/*")))),
    (
        data.verdicts_stand,
        _template(Bad=_policy(_statement("s3:PutObject", Resource="arn:aws:s3:::a-releases-1/survivals/*"))),
    ),
    (
        data.verdicts_stand,
        _template(
            Bad=_policy(
                _statement(
                    "s3:Put*",
                    Resource={"Fn::Join": ["", [{"Fn::GetAtt": ["Reports", "Arn"]}, "/verdicts/payments/*"]]},
                    Condition={"Null": {"s3:if-none-match": "true"}},
                )
            )
        ),
    ),
    (landing_zone.builds_are_alike, _template(Good=_build(VpcConfig={"VpcId": "vpc-1"}), Bad=_build())),
    (landing_zone.builds_are_alike, _template(Good=_build(), Bad=_build("SECRETS_MANAGER"))),
    (landing_zone.roles_are_bounded_alike, _template(Good=_bounded("a"), Bad=_bounded("b"))),
    (machines.machines_use_their_key, _template(Bad=_MACHINE, Data=_DATA)),
    (machines.machines_use_their_key, _template(Bad=_MACHINE, Log=_LOG)),
    (
        machines.machines_use_their_key,
        _template(
            Bad=_MACHINE,
            Data=_use({"StringEquals": {"kms:EncryptionContext:aws:states:stateMachineArn": "m"}}),
            Log=_LOG,
        ),
    ),
    (machines.answers_reach_children, _template(Bad=_policy(_statement("states:SendTaskSuccess", Resource="m")))),
    (machines.answers_reach_children, _template(Bad=_policy(_statement("states:SendTaskFailure", Resource="m/*")))),
    (text.no_literal_partition, _template(Bad=_function(Role="arn:aws:iam::111111111111:role/x"))),
    (text.no_literal_partition, _template(Bad=_function(Role={"Fn::Join": ["", ["arn:aws-cn:s3:::", "x"]]}))),
    (text.no_strange_region, _template(Bad=_function(Handler="logs.ap-south-1.amazonaws.com"))),
    (text.no_secrets, _template(Bad=_function(Environment={"Variables": {"DB_PASSWORD": "x"}}))),
    (text.no_secrets, _template(Bad=_function(Environment={"Variables": {"USER": "AKIA" + "A" * 16}}))),
    (
        text.no_secrets,
        _template(
            Bad={
                "Type": "AWS::CodeBuild::Project",
                "Properties": {"Environment": {"EnvironmentVariables": [{"Name": "API_KEY", "Value": "x"}]}},
            }
        ),
    ),
)


@pytest.mark.parametrize(("rule", "template"), BAD, ids=[f"{rule.__name__}-{n}" for n, (rule, _) in enumerate(BAD)])
def test_a_bad_template_is_found(rule: Rule, template: Template) -> None:
    assert len(rule(template)) >= 1


def test_every_rule_has_a_bad_template() -> None:
    assert {rule for rule, _ in BAD} == set(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_what_is_good_is_left_alone(rule: Rule) -> None:
    account = {"StringEquals": {"aws:SourceAccount": TOOLCHAIN_ACCOUNT}}
    root = {"AWS": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":iam::{TOOLCHAIN_ACCOUNT}:root"]]}}
    template = _template(
        Trust=_trust(_statement("sts:AssumeRole", Principal=_EVENTS, Condition=account)),
        Policy=_policy(_statement("dynamodb:ListStreams", Resource="*")),
        Key=_key(_statement("kms:*", Principal=root, Resource="*")),
        Machine=_MACHINE,
        Data=_DATA,
        Log=_LOG,
        Function=_function(
            KmsKeyArn={"Ref": "Key"}, LoggingConfig={"LogGroup": "x"}, Environment={"Variables": {"TABLE": "t"}}
        ),
    )
    assert rule(template) == []


@pytest.mark.parametrize("stack", ["silo-acme-resources", "pool-shared-1-data"])
def test_the_zone_is_excepted_from_what_it_says_in_its_own_stacks_alone(
    stack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given an exception of one rule, then that end of what that rule finds in a component is hidden."""
    named = {("tables_are_safe", "no stream"): "why", ("logs_are_kept", "not retained"): "why"}
    monkeypatch.setattr("tests.synth.rules.catalog.EXCEPTED", named)
    template = replace(_template(Bad={"Type": "AWS::DynamoDB::Table", "Properties": {}}), stack=stack)
    all_found = {f"{stack}/{one}" for one in data.tables_are_safe(template)}
    assert all_found - set(findings(data.tables_are_safe, template)) == {f"{stack}/Bad: no stream"}
    assert exceptions_used(data.tables_are_safe, template) == [("tables_are_safe", "no stream")]
    for other in ("granary-toolchain", "silo-acme-pipeline"):
        theirs = replace(template, stack=other)
        assert len(findings(data.tables_are_safe, theirs)) == len(all_found)
        assert exceptions_used(data.tables_are_safe, theirs) == []
