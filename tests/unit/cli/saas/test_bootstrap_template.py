"""`bootstrap-template`: what is trusted, whatever the CLI's own template says, and a CLI that is not the pinned one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.saas.commands.bootstrap_template import _original
from lambdas.common.errors import GranaryError
from lambdas.saas.model.names import SaasNames
from stacks.saas.workload_bootstrap import WorkloadBootstrap

OURS = WorkloadBootstrap(names=SaasNames(prefix="granary"), qualifier="granary", toolchain_account="111111111111")
# The console and StackSets take more, from a bucket: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
_INLINE_TEMPLATE, _INLINE_POLICIES = 51_200, 10_240


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template as it is written for the committed configuration."""
    result = CliRunner().invoke(app, ["bootstrap-template"])
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout) < _INLINE_TEMPLATE
    made: dict[str, Any] = json.loads(result.stdout)
    return made


@pytest.fixture
def original() -> dict[str, Any]:
    """The template as the pinned CLI shows it."""
    return _original()


def _roles(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            yield name, resource["Properties"]


def test_roles_trust_roles_and_nobody_else(template: dict[str, Any]) -> None:
    roles = dict(_roles(template))
    assert len(roles) == 5
    for name, role in roles.items():
        assert role["Path"] == "/granary/"
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        if name == "CloudFormationExecutionRole":
            assert statement["Principal"] == {"Service": "cloudformation.amazonaws.com"}
            continue
        assert statement["Action"] == ["sts:AssumeRole"]
        (account,) = {
            arn["Fn::Sub"].split("iam::")[1][:12] for arn in statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]
        }
        assert statement["Principal"]["AWS"]["Fn::Sub"] == f"arn:${{AWS::Partition}}:iam::{account}:root"


def test_nothing_is_administrator_or_reads_everything(template: dict[str, Any]) -> None:
    attached = {name: [arn["Fn::Sub"] for arn in role.get("ManagedPolicyArns", ())] for name, role in _roles(template)}
    assert {name: arns for name, arns in attached.items() if arns} == {
        "CloudFormationExecutionRole": [
            "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/granary-workload-execution"
        ]
    }
    for _, role in _roles(template):
        assert len(json.dumps(role.get("Policies", []))) < _INLINE_POLICIES


def test_it_fits_every_partition_and_needs_no_parameter(template: dict[str, Any]) -> None:
    assert "arn:aws:" not in json.dumps(template)
    assert {name for name, parameter in template["Parameters"].items() if "Default" not in parameter} == set()
    assert template["Parameters"]["Qualifier"]["Default"] == "granary"


def test_who_publishes_for_components_writes_no_template_of_an_administrators_stack(template: dict[str, Any]) -> None:
    """The CLI deploys what is there under a template's key, with the credentials of whoever runs it."""
    policy = template["Resources"]["FilePublishingRoleDefaultPolicy"]["Properties"]["PolicyDocument"]
    (objects,) = [one for one in policy["Statement"] if "s3:PutObject*" in one["Action"]]
    assert {place["Fn::Sub"] for place in objects["Resource"]} == {
        "${StagingBucket.Arn}",
        "${StagingBucket.Arn}/components/*",
    }


def test_a_stack_set_that_gives_no_parameter_makes_no_key(template: dict[str, Any]) -> None:
    assert template["Parameters"]["FileAssetsBucketKmsKeyId"]["Default"] == "AWS_MANAGED_KEY"


@pytest.mark.parametrize("gone", ["Parameters", "LookupRole", "Conditions"])
def test_a_cli_with_another_template_is_refused(template: dict[str, Any], gone: str) -> None:
    original = {**template, "Resources": dict(template["Resources"])}
    original.pop(gone, None)
    original["Resources"].pop(gone, None)
    with pytest.raises(GranaryError, match="the CDK CLI's bootstrap template has changed"):
        OURS.template(original)


def test_a_cli_that_gives_a_role_another_policy_is_refused(original: dict[str, Any]) -> None:
    original["Resources"]["DeploymentActionRoleDefaultPolicy"] = {"Type": "AWS::IAM::Policy", "Properties": {}}
    with pytest.raises(GranaryError, match="the CDK CLI's bootstrap template has changed"):
        OURS.template(original)


@pytest.mark.parametrize("statements", [[], [{"Action": ["s3:GetObject*"]}], [{"Action": "s3:*"}], None])
def test_a_cli_whose_publishing_policy_is_another_is_refused(original: dict[str, Any], statements: Any) -> None:
    original["Resources"]["FilePublishingRoleDefaultPolicy"]["Properties"]["PolicyDocument"]["Statement"] = statements
    with pytest.raises(GranaryError, match="the CDK CLI's bootstrap template has changed"):
        OURS.template(original)


def test_a_missing_cli_is_told(configuration: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("cli.saas.commands.bootstrap_template._CDK", tmp_path / "cdk")
    result = CliRunner().invoke(app, ["--config", str(configuration), "bootstrap-template"])
    assert result.exit_code == 2
    assert "run `make setup`" in result.stderr


def test_a_boundary_bounds_every_role_and_published_parameters_can_be_looked_at(original: dict[str, Any]) -> None:
    names, boundary = ["/landing/vpc", "/landing/subnets"], "corporate/boundary"
    made = replace(OURS, boundary=boundary, parameters=names).template(original)
    arn = {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/{boundary}"}
    assert {name: role["PermissionsBoundary"] == arn for name, role in _roles(made)} == dict.fromkeys(
        dict(_roles(original)), True
    )
    looks = made["Resources"]["LookupRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    (read,) = [one for one in looks if one["Action"] == ["ssm:GetParameters"]]
    assert [one["Fn::Sub"].rpartition(":parameter")[2] for one in read["Resource"]] == names


def test_without_them_the_template_is_as_before(template: dict[str, Any], original: dict[str, Any]) -> None:
    """The CLI's own boundary, which people may ask for at the command line, stays theirs."""
    assert all(
        role["PermissionsBoundary"] == dict(_roles(original))[name]["PermissionsBoundary"]
        for name, role in _roles(template)
    )
    assert "ssm:GetParameters" not in json.dumps(template["Resources"]["LookupRole"])
