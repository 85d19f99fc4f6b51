"""In a landing zone no project, no role and no policy is left out: whatever room it is of, and however many accounts.

Cases that are synthesized anyway have it on; what only the rooms make is synthesized here, without other rules.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from config.loader import CONFIG_DIR, load
from config.models import Configuration
from config.models.accounts import PATHS_LIMIT, AccountsFile
from constructs_lib.saas.place import PublishedPlace
from lambdas.common.errors import GranaryError
from stacks.lake.pipelines import build_pipelines
from stacks.landing_zone import bound_roles, settle_builds
from stacks.saas.factory import build_factory
from tests.synth.assembly import Template, as_list, flat, read_templates
from tests.synth.asset_tenants import build_asset_tenants
from tests.synth.cases import CASES, artifact_keys
from tests.synth.configurations import AWS, BOUNDARY, BUILDS, ORGANIZATION, TOOLCHAIN_ACCOUNT
from tests.synth.rules.policies import statements
from tests.synth.synthesis import feature_flags

_EXAMPLE = CONFIG_DIR / "examples" / "all"
_TOKEN = "npm_config_//npm.example.com/all/:_authToken"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
# https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
_LIMITS = {
    "AWS::IAM::ManagedPolicy": 6_144,
    "AWS::S3::BucketPolicy": 20 * 1024,
    "AWS::KMS::Key": 32 * 1024,
}
_INLINE_LIMIT = 10_240
# Units five levels down, whose ids make paths nearly as long as they may be.
_DEEP = "/".join((ORGANIZATION, "r-" + "a" * 12, *(["ou-" + "a" * 12 + "-" + "b" * 15] * 5)))
_LONGEST = [f"{_DEEP[:-1]}{number}/*" for number in range(PATHS_LIMIT)]


def _changed(**workloads: Any) -> Configuration:
    """The example that has everything on, in a landing zone, with a repository that is scanned."""
    settings = load(_EXAMPLE)
    toolchain = {"builds": BUILDS, "permissions_boundary": BOUNDARY}
    gates = settings.rooms["gates"].model_dump()
    gates["repositories"] = [
        {
            "name": "payments",
            "source": {"provider": "codecommit", "repository": "payments"},
            "branches": ["main"],
            "gates": [gates["gates"][0]["name"]],
        }
    ]
    return settings.model_copy(
        update={
            "toolchain": type(settings.toolchain).model_validate(settings.toolchain.model_dump() | toolchain),
            "workloads": type(settings.workloads).model_validate(settings.workloads.model_dump() | workloads),
            "rooms": {**settings.rooms, "gates": type(settings.rooms["gates"]).model_validate(gates)},
        }
    )


def _synthesized(folder: Path, settings: Configuration, *builds: Callable[[cdk.App], object]) -> list[Template]:
    app = cdk.App(outdir=str(folder / "out"), context=feature_flags(), analytics_reporting=False)
    bound_roles(app, settings)
    for build in builds:
        build(app)
    settle_builds(app, settings)
    app.synth()
    return read_templates(folder / "out", place=AWS, given=())


def _with_many(count: int) -> Configuration:
    accounts = tuple(f"{number:012}" for number in range(500_000_000_000, 500_000_000_000 + count))
    return _changed(
        accounts=[],
        accounts_file=AccountsFile(accounts=accounts),
        organization_paths=_LONGEST,
        permissions_boundary=f"{BOUNDARY}-workloads",
    )


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> list[Template]:
    """The factory with all rooms, pipelines of tenants with assets and of lakes, and what those deploy."""
    folder, settings = tmp_path_factory.mktemp("everything"), _with_many(2000)
    return _synthesized(
        folder,
        settings,
        lambda app: build_factory(app, configuration=settings),
        lambda app: build_asset_tenants(app, folder, artifact_keys=artifact_keys(AWS)),
        lambda app: build_pipelines(app, configuration=settings, plan_file=str(_EXAMPLE / "lake-pipelines.json")),
    )


def _of(templates: list[Template], kind: str) -> Iterator[tuple[Template, str, Mapping[str, Any]]]:
    for template in templates:
        for logical_id, resource in template.resources(kind):
            yield template, logical_id, resource["Properties"]


def _lacks(project: Mapping[str, Any]) -> list[str]:
    network = project.get("VpcConfig", {})
    known = {one["Name"]: (one["Type"], one["Value"]) for one in project["Environment"].get("EnvironmentVariables", ())}
    wanted = {
        "PIP_INDEX_URL": ("SECRETS_MANAGER", "landing/python-index"),
        "npm_config_registry": ("PLAINTEXT", "https://npm.example.com/all/"),
        _TOKEN: ("SECRETS_MANAGER", "landing/npm"),
    }
    lacking = [name for name, value in wanted.items() if known.get(name) != value]
    inside = (network.get("VpcId"), network.get("Subnets"), network.get("SecurityGroupIds"))
    return lacking + ([] if inside == (BUILDS["vpc"], BUILDS["subnets"], BUILDS["security_groups"]) else ["vpc"])


def test_no_project_of_any_room_is_left_out(everything: list[Template]) -> None:
    projects = {
        properties["Name"]: _lacks(properties) for _, _, properties in _of(everything, "AWS::CodeBuild::Project")
    }
    assert {name: lacking for name, lacking in projects.items() if lacking} == {}
    # Of each that makes some: CI/CD with its rooms' steps, provisioning, tenants, a lake, a gated repository.
    for made in ("cicd-self-mutate", "cicd-synth", "provisioning", "assets"):
        assert f"granary-{made}" in projects
    assert {"granary-gates-payments", "granary-lake-dev-etl-synth", "granary-cicd-lake-pipelines"} <= set(projects)
    assert {name for name in projects if name.endswith("-self-mutate")} >= {"granary-silo-files-self-mutate"}


def test_commands_of_a_tenants_project_still_know_their_stack(everything: list[Template]) -> None:
    for _, _, project in _of(everything, "AWS::CodeBuild::Project"):
        if project["Name"].endswith("-self-mutate") and "cicd-self" not in project["Name"]:
            names = [one["Name"] for one in project["Environment"]["EnvironmentVariables"]]
            assert names.count("PIPELINE_STACK") == 1


def test_every_role_is_bounded_on_both_sides(everything: list[Template]) -> None:
    found = {
        (
            template.account == TOOLCHAIN_ACCOUNT,
            flat(properties.get("PermissionsBoundary", "none")).partition("policy/")[2],
        )
        for template, _, properties in _of(everything, "AWS::IAM::Role")
    }
    assert found == {(True, BOUNDARY), (False, f"{BOUNDARY}-workloads")}


def test_the_lakes_execution_demands_the_accounts_boundary(everything: list[Template]) -> None:
    """Given a role that has one boundary, then what CloudFormation may give it rights under is that one."""
    demanded = {
        json.dumps(statement.body["Condition"]["StringLike"]["iam:PermissionsBoundary"])
        for template in everything
        for statement in statements(template)
        if statement.kind == "identity" and "iam:CreateRole" in statement.actions
    }
    assert demanded == {f'"arn:*:iam::*:policy/{BOUNDARY}-workloads"'}
    for _, logical_id, policy in _of(everything, "AWS::IAM::ManagedPolicy"):
        document = policy["PolicyDocument"]
        assert _size(document) < _LIMITS["AWS::IAM::ManagedPolicy"] - 40 * len(document["Statement"]), logical_id


def test_every_role_of_builds_may_have_its_interface_and_its_secrets(everything: list[Template]) -> None:
    trusting = {
        (template.stack, logical_id)
        for template, logical_id, role in _of(everything, "AWS::IAM::Role")
        if "codebuild.amazonaws.com" in json.dumps(role["AssumeRolePolicyDocument"])
    }
    given: dict[tuple[str, str], set[str]] = {}
    for template, _, policy in _of(everything, "AWS::IAM::Policy"):
        actions = {a for one in policy["PolicyDocument"]["Statement"] for a in as_list(one["Action"])}
        for role in policy["Roles"]:
            given.setdefault((template.stack, role.get("Ref", "")), set()).update(actions)
    needed = {"ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "secretsmanager:GetSecretValue"}
    assert len(trusting) > 10
    assert {role for role in trusting if not needed <= given.get(role, set())} == set()


def test_interfaces_are_made_within_the_subnets_for_codebuild_alone(everything: list[Template]) -> None:
    found = [
        one
        for template in everything
        for one in statements(template)
        if "ec2:CreateNetworkInterfacePermission" in one.actions
    ]
    assert found
    for statement in found:
        condition = statement.body["Condition"]
        assert condition["StringEquals"] == {"ec2:AuthorizedService": "codebuild.amazonaws.com"}
        subnets = [flat(one).rpartition("/")[2] for one in condition["ArnLike"]["ec2:Subnet"]]
        assert subnets == BUILDS["subnets"]


def test_a_project_is_made_when_its_role_may_look_at_the_network(everything: list[Template]) -> None:
    (toolchain,) = [one for one in everything if one.stack == "granary-toolchain"]
    ((_, project),) = [
        one
        for one in toolchain.resources("AWS::CodeBuild::Project")
        if one[1]["Properties"]["Name"] == "granary-provisioning"
    ]
    role = project["Properties"]["ServiceRole"]["Fn::GetAtt"][0]
    assert role in project["DependsOn"]
    assert any(one.startswith(f"{role[:-8]}DefaultPolicy") for one in project["DependsOn"])


def test_cases_without_a_landing_zone_have_nothing_of_it(case_name: str, templates: list[Template]) -> None:
    is_there = CASES[case_name].landing_zone
    for _, _, project in _of(templates, "AWS::CodeBuild::Project"):
        assert (_lacks(project) == []) == is_there
        assert ("VpcConfig" in project) == is_there
    if not case_name.startswith("lake"):  # whose roles have a boundary of the room's
        for _, _, role in _of(templates, "AWS::IAM::Role"):
            assert ("PermissionsBoundary" in role) == is_there


def test_the_organizations_paths_bound_what_reaches_workload_accounts(everything: list[Template]) -> None:
    keys = {"aws:PrincipalOrgPaths": 0, "aws:ResourceOrgPaths": 0}
    for statement in (one for template in everything for one in statements(template)):
        for key, value in statement.body.get("Condition", {}).get("ForAnyValue:StringLike", {}).items():
            if key in keys:
                keys[key] += 1
                assert value == _LONGEST
    assert min(keys.values()) > 5


def test_no_policy_of_2000_accounts_outgrows_its_limit(everything: list[Template]) -> None:
    _fit(everything)


def test_no_policy_of_60_accounts_outgrows_its_limit(tmp_path: Path) -> None:
    settings = _with_many(60).model_copy(update={"rooms": {}})
    _fit(_synthesized(tmp_path, settings, lambda app: build_factory(app, configuration=settings)))


def _fit(templates: list[Template]) -> None:
    assert [one.stack for one in templates if "workload-roles" in one.stack] == ["granary-workload-roles"]
    for kind, limit in _LIMITS.items():
        name = "KeyPolicy" if kind == "AWS::KMS::Key" else "PolicyDocument"
        for template, logical_id, policy in _of(templates, kind):
            assert _size(policy[name]) < limit, (template.stack, logical_id)
    inline: dict[str, int] = {}
    for template, _, policy in _of(templates, "AWS::IAM::Policy"):
        for role in policy["Roles"]:
            key = f"{template.stack}/{flat(role)}"
            inline[key] = inline.get(key, 0) + _size(policy["PolicyDocument"])
    assert {name: size for name, size in inline.items() if size > _INLINE_LIMIT} == {}


def _size(document: Any) -> int:
    """As AWS counts, with a Region and an account where the template has references."""
    return len(json.dumps(_filled(document), separators=(",", ":")))


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) & {"Ref", "Fn::GetAtt", "Fn::Join"} and len(value) == 1:
            return flat(value)
        return {key: _filled(one) for key, one in value.items()}
    return [_filled(one) for one in value] if isinstance(value, list) else value


def test_a_place_gives_references_that_cloudformation_resolves() -> None:
    stack = cdk.Stack()
    place = PublishedPlace(parameters={"vpc": "/landing/vpc", "subnets": "/landing/subnets"})
    cdk.CfnOutput(stack, "Vpc", value=place.vpc(stack))
    cdk.CfnOutput(stack, "Subnets", value=cdk.Fn.join(",", place.subnets(stack)))
    template = assertions.Template.from_stack(stack).to_json()
    assert {
        (one["Type"], one["Default"]) for one in template["Parameters"].values() if "landing" in one["Default"]
    } == {
        ("AWS::SSM::Parameter::Value<String>", "/landing/vpc"),
        ("AWS::SSM::Parameter::Value<List<String>>", "/landing/subnets"),
    }
    with pytest.raises(GranaryError, match="needs a zone of the place where it stands"):
        place.zone(stack)
