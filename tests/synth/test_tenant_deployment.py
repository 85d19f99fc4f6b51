"""A tenant's build is no way to the toolchain: what the roles of tenants' pipelines reach, and what they never do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from constructs_lib.common.artifact_store import ArtifactStore
from constructs_lib.common.targets import WorkloadTargets
from constructs_lib.saas.tenant_arns import TENANT_ARTIFACTS
from lambdas.common.cloud_assembly import STACK, artifacts_in
from lambdas.saas.model.names import SaasNames
from tests.synth.assembly import Template, as_list, flat
from tests.synth.cases import CASES, FACTORIES, TENANTS
from tests.synth.configurations import ORGANIZATION, PATHS, TOOLCHAIN_ACCOUNT
from tests.synth.iam import Toolchain

Read = Callable[[str], list[Template]]

DEPLOY, EXECUTION = "granary-tenant-deploy", "granary-tenant-execution"
BUILDS = ("granary-tenant-synth", "granary-self-mutation", "granary-asset-publishing")
DEPLOYERS = {"TenantRolesSelfMutation2AF1EF70", "ProvisioningRoleD74B5848", "LifecycleMachineStepRole635100C5"}
_NEEDS = {
    "AWS::CodePipeline::Pipeline": ("codepipeline", "RoleArn", "CreatePipeline", "UpdatePipeline", "DeletePipeline"),
    "AWS::CodeBuild::Project": ("codebuild", "ServiceRole", "CreateProject", "UpdateProject", "DeleteProject"),
}


def _toolchain(templates: list[Template]) -> Toolchain:
    (template,) = [template for template in templates if template.stack == "granary-toolchain"]
    return Toolchain(template=template)


def _roles(toolchain: Toolchain) -> list[str]:
    return [logical_id for logical_id, _ in toolchain.template.resources("AWS::IAM::Role")]


def _arn(toolchain: Toolchain, service: str, rest: str) -> str:
    region = "" if service in ("iam", "s3") else toolchain.template.region
    account = "" if service == "s3" else TOOLCHAIN_ACCOUNT
    return f"arn:{toolchain.template.place.partition}:{service}:{region}:{account}:{rest}"


@pytest.fixture(params=FACTORIES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def toolchain(case: str, templates_of: Read) -> Toolchain:
    return _toolchain(templates_of(case))


def test_only_ci_cd_assumes_bootstrap_roles_of_the_toolchains_account(case: str, toolchain: Toolchain) -> None:
    asked = {
        "aws:ResourceAccount": TOOLCHAIN_ACCOUNT,
        "aws:ResourceOrgID": ORGANIZATION,
        "aws:ResourceOrgPaths": PATHS[1],
    }
    reaching = {
        role
        for role in _roles(toolchain)
        for kind in ("deploy", "file-publishing", "image-publishing", "lookup")
        for region in CASES[case].place.regions
        if toolchain.allows(
            role,
            "sts:AssumeRole",
            _arn(toolchain, "iam", f"role/cdk-hnb659fds-{kind}-role-{TOOLCHAIN_ACCOUNT}-{region}"),
            asked,
        )
    }
    assert {role for role in reaching if not role.startswith("Cicd")} == set()
    assert any(role.startswith("CicdSelfMutation") for role in reaching), "the question finds nobody"


def test_nobody_passes_the_bootstrap_execution_role(toolchain: Toolchain) -> None:
    region = toolchain.template.region
    admin = _arn(toolchain, "iam", f"role/cdk-hnb659fds-cfn-exec-role-{TOOLCHAIN_ACCOUNT}-{region}")
    assert [role for role in _roles(toolchain) if toolchain.allows(role, "iam:PassRole", admin)] == []


def test_three_roles_deploy_tenants_pipelines(toolchain: Toolchain) -> None:
    role = _arn(toolchain, "iam", f"role/{DEPLOY}")
    assert {one for one in _roles(toolchain) if toolchain.allows(one, "sts:AssumeRole", role, {})} == DEPLOYERS
    _, properties = toolchain.role(DEPLOY)
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert flat(trust["Principal"]["AWS"]).endswith(f":iam::{TOOLCHAIN_ACCOUNT}:root")
    ((operator, keys),) = trust["Condition"].items()
    assert (operator, set(keys)) == ("ArnEquals", {"aws:PrincipalArn"})
    assert {flat(arn) for arn in as_list(keys["aws:PrincipalArn"])} == {f"${{{one}.Arn}}" for one in DEPLOYERS}


def test_cloudformation_alone_acts_as_the_execution_role(toolchain: Toolchain) -> None:
    _, properties = toolchain.role(EXECUTION)
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "cloudformation.amazonaws.com"}
    role = _arn(toolchain, "iam", f"role/{EXECUTION}")
    assert [one for one in _roles(toolchain) if toolchain.allows(one, "sts:AssumeRole", role)] == []
    (deploy, _) = toolchain.role(DEPLOY)
    assert [one for one in _roles(toolchain) if toolchain.allows(one, "iam:PassRole", role)] == [deploy]


def _questions(toolchain: Toolchain) -> Iterator[tuple[bool, str, str, str, dict[str, str]]]:
    """Whether a role may, the role, an action, a resource, and the request's condition keys."""

    def arn(service: str, rest: str) -> str:
        return _arn(toolchain, service, rest)

    own = {"cloudformation:RoleArn": arn("iam", f"role/{EXECUTION}")}
    region = toolchain.template.region
    admin = {"cloudformation:RoleArn": arn("iam", f"role/cdk-hnb659fds-cfn-exec-role-{TOOLCHAIN_ACCOUNT}-{region}")}
    acme, support = arn("cloudformation", "stack/silo-acme-pipeline/1"), "stack/silo-acme-pipeline-support-x/1"
    for action in ("cloudformation:CreateChangeSet", "cloudformation:DeleteStack"):
        yield True, DEPLOY, action, acme, own
        yield False, DEPLOY, action, acme, admin
        yield False, DEPLOY, action, acme, {}
        for stack in ("granary-toolchain", "CDKToolkit", "silo-acme-resources"):
            yield False, DEPLOY, action, arn("cloudformation", f"stack/{stack}/1"), own
    yield True, DEPLOY, "cloudformation:DeleteStack", arn("cloudformation", support), {}
    yield False, DEPLOY, "cloudformation:CreateChangeSet", arn("cloudformation", support), own
    for action in ("CreateStack", "UpdateStack", "RollbackStack", "ContinueUpdateRollback", "SetStackPolicy"):
        yield False, DEPLOY, f"cloudformation:{action}", acme, own
    yield True, DEPLOY, "cloudformation:ExecuteChangeSet", acme, {}
    yield False, DEPLOY, "cloudformation:ExecuteChangeSet", arn("cloudformation", "stack/granary-toolchain/1"), {}
    to_cloudformation = {"iam:PassedToService": "cloudformation.amazonaws.com"}
    yield True, DEPLOY, "iam:PassRole", own["cloudformation:RoleArn"], to_cloudformation
    yield False, DEPLOY, "iam:PassRole", own["cloudformation:RoleArn"], {"iam:PassedToService": "lambda.amazonaws.com"}
    assets = arn("s3", f"cdk-hnb659fds-assets-{TOOLCHAIN_ACCOUNT}-{region}")
    yield True, DEPLOY, "s3:PutObject", f"{assets}/tenants/0a1b.json", {}
    yield False, DEPLOY, "s3:PutObject", f"{assets}/0a1b.zip", {}
    yield False, DEPLOY, "s3:GetObject", f"{assets}/0a1b.zip", {}
    yield from _questions_of_execution(arn)


def _questions_of_execution(
    arn: Callable[[str, str], str],
) -> Iterator[tuple[bool, str, str, str, dict[str, str]]]:
    yield True, EXECUTION, "codepipeline:UpdatePipeline", arn("codepipeline", "pool-x-pipeline"), {}
    yield False, EXECUTION, "codepipeline:UpdatePipeline", arn("codepipeline", "granary-cicd"), {}
    yield True, EXECUTION, "codebuild:UpdateProject", arn("codebuild", "project/granary-silo-acme-synth"), {}
    for project in ("granary-provisioning", "granary-cicd-synth", "granary-cicd-self-mutate"):
        yield False, EXECUTION, "codebuild:UpdateProject", arn("codebuild", f"project/{project}"), {}
    for service, roles in {"codebuild": BUILDS, "codepipeline": ("granary-tenant-pipeline",)}.items():
        for role in roles:
            passed = {"iam:PassedToService": f"{service}.amazonaws.com"}
            yield True, EXECUTION, "iam:PassRole", arn("iam", f"role/{role}"), passed
            elsewhere = {"iam:PassedToService": "lambda.amazonaws.com"}
            yield False, EXECUTION, "iam:PassRole", arn("iam", f"role/{role}"), elsewhere
    for role in ("granary-cicd-self-mutate", "granary-lifecycle", DEPLOY, EXECUTION, "admin"):
        for service in ("codebuild", "codepipeline"):
            passed = {"iam:PassedToService": f"{service}.amazonaws.com"}
            yield False, EXECUTION, "iam:PassRole", arn("iam", f"role/{role}"), passed
    for action in ("iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"):
        for role in ("silo-x", "granary-tenant-synth"):
            yield False, EXECUTION, action, arn("iam", f"role/{role}"), {}
    yield False, EXECUTION, "lambda:CreateFunction", arn("lambda", "function:silo-x"), {}
    yield False, EXECUTION, "s3:PutObject", arn("s3", "granary-releases-111111111111-us-east-1/releases/x"), {}


def test_what_the_roles_may_and_may_not(toolchain: Toolchain) -> None:
    wrong = [
        f"{role} {'may not' if may else 'may'} {action} {resource} {given}"
        for may, role, action, resource, given in _questions(toolchain)
        if toolchain.allows(role, action, resource, given) is not may
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("role", "tenants", "own"),
    [
        ("granary-tenant-pipeline", "rw", ""),
        ("granary-tenant-synth", "rw", ""),
        ("granary-self-mutation", "r", ""),
        ("granary-asset-publishing", "r", ""),
        (DEPLOY, "", ""),
        (EXECUTION, "", ""),
        ("granary-lifecycle", "", ""),
        ("ProvisioningRoleD74B5848", "", ""),
        ("CicdSynthRole3E1245AB", "", "rw"),
        ("granary-cicd-self-mutate", "", "r"),
        ("CicdPublishRole9B21B286", "", "r"),
    ],
)
def test_artifacts_are_apart_by_pipeline(toolchain: Toolchain, role: str, tenants: str, own: str) -> None:
    """Which artifacts a role reads and writes: those of tenants, and those of CI/CD."""
    actions = {"s3:GetObject": "r", "s3:GetObjectVersion": "r", "s3:PutObject": "w"}
    bucket = _arn(toolchain, "s3", f"granary-artifacts-{TOOLCHAIN_ACCOUNT}-")
    reached = {
        (key, letter)
        for key in ("silo-acme-pipeline/Synth_Outp/x", "pool-x-pipeline/Synth_Outp/x", "granary-cicd/Synth_Outp/x")
        for action, letter in actions.items()
        for region in toolchain.template.place.regions
        if toolchain.allows(role, action, f"{bucket}{region}/{key}")
    }
    assert "".join(sorted(letter for key, letter in reached if key.startswith("silo-"))) == tenants
    assert "".join(sorted(letter for key, letter in reached if key.startswith("pool-"))) == tenants
    assert "".join(sorted(letter for key, letter in reached if key.startswith("granary-cicd/"))) == own


@pytest.mark.parametrize("prefix", ["silo", "pool-x"])
def test_a_prefix_that_tells_tenants_and_ci_cd_not_apart_is_refused(prefix: str) -> None:
    targets = WorkloadTargets(accounts=["222222222222"], organization_id=None, regions=["us-east-1"], qualifier="x")
    stack, names = cdk.Stack(cdk.App(), "stack"), SaasNames(prefix=prefix)
    with pytest.raises(ValueError, match=f"toolchain.prefix: {prefix} begins like"):
        ArtifactStore(stack, "Store", names=names, targets=targets, prefixes=TENANT_ARTIFACTS)


def _manifests(directory: Path) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, manifest entry and assets of the stacks with pipelines."""
    for name, artifact in artifacts_in(directory).items():
        if artifact["type"] == STACK:
            assets = json.loads((directory / f"{name}.assets.json").read_text(encoding="utf-8"))
            yield name, artifact["properties"], assets


@pytest.mark.parametrize("name", TENANTS)
def test_every_call_for_a_tenants_stack_names_roles_of_the_toolchain(
    name: str, assembly_of: Callable[[str], Path]
) -> None:
    role = "arn:${AWS::Partition}:iam::111111111111:role"
    found = list(_manifests(assembly_of(name)))
    assert len(found) == 2
    for stack, properties, assets in found:
        assert properties["assumeRoleArn"] == f"{role}/{DEPLOY}", stack
        assert properties["lookupRole"]["arn"] == f"{role}/{DEPLOY}"
        assert properties["cloudFormationExecutionRoleArn"] == f"{role}/{EXECUTION}"
        destinations = [place for file in assets["files"].values() for place in file["destinations"].values()]
        assert {place["assumeRoleArn"] for place in destinations} == {f"{role}/{DEPLOY}"}
        assert {place["objectKey"].partition("/")[0] for place in destinations} == {"tenants"}
        assert assets["dockerImages"] == {}


@pytest.mark.parametrize("name", TENANTS)
def test_components_are_deployed_with_the_roles_of_the_workloads_bootstrap(
    name: str, assembly_of: Callable[[str], Path], templates_of: Read
) -> None:
    """Their roles stand below the path that CloudFormation's policy there names."""
    found = [one for path in assembly_of(name).glob("*/manifest.json") for one in _manifests(path.parent)]
    assert found
    for _, properties, _ in found:
        for arn in (properties["assumeRoleArn"], properties["cloudFormationExecutionRoleArn"]):
            assert ":role/granary/cdk-granary-" in arn
        assert properties["bootstrapStackVersionSsmParameter"] == "/cdk-bootstrap/granary/version"
    components = [template for template in templates_of(name) if template.stack.endswith("-resources")]
    assert len(components) == len(found)
    for template in components:
        for _, role in template.resources("AWS::IAM::Role"):
            assert role["Properties"]["Path"] == "/granary/"


@pytest.mark.parametrize("name", TENANTS)
def test_the_execution_role_may_make_what_the_stacks_hold(name: str, templates_of: Read) -> None:
    factory = {"tenants-gov": "factory-gov", "tenants-china": "factory-china"}.get(name, "factory-s3")
    toolchain = _toolchain(templates_of(factory))
    for template in templates_of(name):
        if not template.stack.endswith("-pipeline"):
            continue
        for _, resource in template.resources():
            service, role, *actions = _NEEDS[resource["Type"]]
            properties = resource["Properties"]
            path = properties["Name"] if service == "codepipeline" else f"project/{properties['Name']}"
            for action in actions:
                assert toolchain.allows(EXECUTION, f"{service}:{action}", _arn(toolchain, service, path), {})
            passed = {"iam:PassedToService": f"{service}.amazonaws.com"}
            assert toolchain.allows(EXECUTION, "iam:PassRole", toolchain.text(properties[role]), passed)
