"""Tenants' assets: their pipelines ask one function, which may look and have one project publish, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.common.cli_projects import PUBLISH
from lambdas.common.cloud_assembly import stages_in
from lambdas.saas.assets.listing import assets_of
from lambdas.saas.model.assets import BUILD_VARIABLES
from lambdas.saas.model.names import SaasNames
from stacks.versions import cdk_cli
from tests.synth.assembly import Template
from tests.synth.asset_tenants import FILES, IMAGES
from tests.synth.configurations import TOOLCHAIN_ACCOUNT, WORKLOAD_ACCOUNTS
from tests.synth.iam import Toolchain

Read = Callable[[str], list[Template]]
NAMES = SaasNames(prefix="granary")
PUBLISHER, FUNCTION = NAMES.asset_publishing_role, NAMES.assets_role
PROJECT = f"arn:aws:codebuild:us-east-1:{TOOLCHAIN_ACCOUNT}:project/{NAMES.assets_project}"
ARTIFACTS = f"granary-artifacts-{TOOLCHAIN_ACCOUNT}-us-east-1"


@pytest.fixture
def toolchain(templates_of: Read) -> Toolchain:
    (template,) = [template for template in templates_of("factory-s3") if template.stack == NAMES.toolchain_stack]
    return Toolchain(template=template)


def _stages(template: Template) -> list[Mapping[str, Any]]:
    ((_, resource),) = template.resources("AWS::CodePipeline::Pipeline")
    stages: list[Mapping[str, Any]] = resource["Properties"]["Stages"]
    return stages


def test_a_pipeline_asks_for_its_assets_and_has_no_project_that_publishes(templates_of: Read) -> None:
    pipelines = {one.stack: one for one in templates_of("tenants-asset") if one.stack.endswith("-pipeline")}
    for record in (FILES, IMAGES):
        template = pipelines[f"{record.type}-{record.id}-pipeline"]
        stages = {stage["Name"]: stage for stage in _stages(template)}
        assert list(stages) == ["Source", "Build", "UpdatePipeline", "Assets", "Deploy"]
        (action,) = stages["Assets"]["Actions"]
        synth = stages["Build"]["Actions"][0]["OutputArtifacts"]
        assert (action["ActionTypeId"]["Provider"], action["InputArtifacts"]) == ("Lambda", synth)
        assert action["Configuration"]["FunctionName"] == NAMES.assets_function
        assert json.loads(action["Configuration"]["UserParameters"]) == {
            "deployment": record.id,
            "type": record.type,
            "cli_version": cdk_cli(),
            "execution": "#{codepipeline.PipelineExecutionId}",
        }
        names = [one["Properties"]["Name"] for _, one in template.resources("AWS::CodeBuild::Project")]
        assert sorted(names) == [NAMES.tenant_project(record.type, record.id, job) for job in ("self-mutate", "synth")]


def test_a_pipeline_without_assets_asks_for_none(templates_of: Read) -> None:
    for template in templates_of("tenants-nothing-runs"):
        if template.stack.endswith("-pipeline"):
            assert "Assets" not in [stage["Name"] for stage in _stages(template)]


def test_what_a_real_assembly_lists_is_read(assembly_of: Callable[[str], Path]) -> None:
    """Two files and an image, and no template of a stack that is deployed from the artifact."""
    root = assembly_of("tenants-asset")
    pipelines = [path.partition("/")[0] for path, _ in stages_in(root)]
    found = [asset for pipeline in pipelines for asset in assets_of(pipeline, root)]
    assert sorted((one.image, one.region) for one in found) == [(False, FILES.region)] * 2 + [(True, IMAGES.region)]
    assert {one.account for one in found} == {WORKLOAD_ACCOUNTS[0]}
    assert all(f"-{'image' if one.image else 'file'}-publishing-role-" in one.role for one in found)


def test_one_project_publishes_with_the_cli_of_the_assemblys_release(toolchain: Toolchain) -> None:
    projects = [one["Properties"] for _, one in toolchain.template.resources("AWS::CodeBuild::Project")]
    (project,) = [one for one in projects if one["Name"] == NAMES.assets_project]
    phases = json.loads(project["Source"]["BuildSpec"])["phases"]
    assert phases["build"]["commands"] == ['npm install -g "aws-cdk@$CLI_VERSION"', PUBLISH]
    assert project["TimeoutInMinutes"] == project["QueuedTimeoutInMinutes"] == 60
    assert toolchain.trusts(PUBLISHER, "codebuild.amazonaws.com", PROJECT)
    # That of a pipeline of an earlier release, which a rollback brings back.
    assert toolchain.trusts(PUBLISHER, "codebuild.amazonaws.com", PROJECT.replace("assets", "silo-acme-assets"))
    there = f"arn:aws:iam::{WORKLOAD_ACCOUNTS[0]}:role/granary/cdk-granary-{{}}-role-{WORKLOAD_ACCOUNTS[0]}-eu-west-1"
    for kind in ("deploy", "file-publishing", "image-publishing"):
        assert toolchain.allows(PUBLISHER, "sts:AssumeRole", there.format(kind))


def test_the_function_may_start_that_project_on_tenants_artifacts_alone(toolchain: Toolchain) -> None:
    """And nothing else of a build may it replace: neither commands nor role."""

    def may(location: str, project: str = PROJECT, **more: str) -> bool:
        context = {"codebuild:source.location": location, **more}
        return toolchain.allows(FUNCTION, "codebuild:StartBuild", project, context)

    names = "codebuild:environment.environmentVariables.name"
    own = f"{ARTIFACTS}/silo-acme-pipeline/x/y"
    assert may(own, **{names: BUILD_VARIABLES[0], "codebuild:environment.privilegedMode": "true"})
    assert not may(own, **{names: "NPM_CONFIG_REGISTRY"})
    assert not may(f"{ARTIFACTS}/granary-cicd/x/y")
    assert not may(own, PROJECT.replace("assets", "provisioning"))
    for key in ("source.buildspec", "serviceRole", "environment.image"):
        assert not may(own, **{f"codebuild:{key}": "another"})


def test_the_function_reaches_no_workload_account_but_as_who_publishes(toolchain: Toolchain) -> None:
    role = f"arn:aws:iam::{WORKLOAD_ACCOUNTS[0]}:role/granary/cdk-granary-file-publishing-role-x"
    assert not toolchain.allows(FUNCTION, "sts:AssumeRole", role)
    assert toolchain.allows(FUNCTION, "sts:AssumeRole", f"arn:aws:iam::{TOOLCHAIN_ACCOUNT}:role/{PUBLISHER}")
    assert not toolchain.allows(FUNCTION, "s3:GetObject", f"arn:aws:s3:::{ARTIFACTS}/silo-acme-pipeline/x/y")
    pipeline = f"arn:aws:lambda:us-east-1:{TOOLCHAIN_ACCOUNT}:function:{NAMES.assets_function}"
    assert toolchain.allows(NAMES.tenant_pipeline_role, "lambda:InvokeFunction", pipeline)
    _, publisher = toolchain.role(PUBLISHER)
    (looking,) = [one for one in publisher["AssumeRolePolicyDocument"]["Statement"] if "AWS" in one["Principal"]]
    who = looking["Condition"]["ArnEquals"]["aws:PrincipalArn"]
    assert toolchain.text(who) == f"arn:aws:iam::{TOOLCHAIN_ACCOUNT}:role/{FUNCTION}"
