"""The factory's own pipeline: its sources, its pinned tools, its self-mutation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from stacks.versions import cdk_cli
from tests.synth.assembly import Template, flat
from tests.synth.cases import CASES, FACTORIES
from tests.synth.configurations import CONNECTION, TOOLCHAIN_ACCOUNT
from tests.synth.iam import Toolchain
from tests.synth.rules.policies import statements

Read = Callable[[str], list[Template]]

_PROVIDERS = {
    "factory-s3": "S3",
    "factory-home": "S3",
    "factory-codecommit": "CodeCommit",
    "factory-connection": "CodeStarSourceConnection",
    "factory-gov": "CodeCommit",
    "factory-china": "S3",
}


@pytest.fixture(params=FACTORIES)
def toolchain(request: pytest.FixtureRequest, templates_of: Read) -> Template:
    (template,) = [found for found in templates_of(str(request.param)) if found.stack == "granary-toolchain"]
    return template


def _pipeline(template: Template) -> Mapping[str, Any]:
    ((_, resource),) = template.resources("AWS::CodePipeline::Pipeline")
    properties: Mapping[str, Any] = resource["Properties"]
    return properties


def test_each_case_has_its_provider(templates_of: Read) -> None:
    assert set(_PROVIDERS) == set(FACTORIES)
    for case, provider in _PROVIDERS.items():
        (template,) = [found for found in templates_of(case) if found.stack == "granary-toolchain"]
        (source,) = _pipeline(template)["Stages"][0]["Actions"]
        assert source["ActionTypeId"]["Provider"] == provider
        if provider == "CodeStarSourceConnection":
            assert source["Configuration"]["ConnectionArn"] == CONNECTION
        if provider == "S3":
            assert source["Configuration"]["PollForSourceChanges"] is False


def test_the_pipeline_is_v2_and_queued(toolchain: Template) -> None:
    pipeline = _pipeline(toolchain)
    assert pipeline["PipelineType"] == "V2"
    assert pipeline["ExecutionMode"] == "QUEUED"
    assert pipeline["RestartExecutionOnUpdate"] is True
    assert flat(pipeline["ArtifactStore"]["EncryptionKey"]["Id"]).endswith(".Arn}")


def test_self_mutation_brings_every_stack_along_with_a_pinned_cli(toolchain: Template) -> None:
    (project,) = [
        resource["Properties"]
        for _, resource in toolchain.resources("AWS::CodeBuild::Project")
        if resource["Properties"]["Name"] == "granary-cicd-self-mutate"
    ]
    phases = json.loads(project["Source"]["BuildSpec"])["phases"]
    assert phases["install"]["commands"] == [f"npm install -g aws-cdk@{cdk_cli()}"]
    assert "deploy granary-toolchain" in phases["build"]["commands"][0]
    arn = flat(project["ServiceRole"]).replace("${AWS::Partition}", toolchain.place.partition)
    assert arn == f"arn:{toolchain.place.partition}:iam::{TOOLCHAIN_ACCOUNT}:role/granary-cicd-self-mutate"


def test_self_mutation_assumes_bootstrap_roles_of_its_own_account_and_regions_only(toolchain: Template) -> None:
    decided = Toolchain(template=toolchain)
    role = "granary-cicd-self-mutate"
    for region in toolchain.place.regions:
        assert decided.allows(role, "sts:AssumeRole", _bootstrap(toolchain, TOOLCHAIN_ACCOUNT, region))
    assert not decided.allows(role, "sts:AssumeRole", _bootstrap(toolchain, TOOLCHAIN_ACCOUNT, "sa-east-1"))
    assert not decided.allows(role, "sts:AssumeRole", _bootstrap(toolchain, "222222222222", toolchain.region))


def _bootstrap(template: Template, account: str, region: str) -> str:
    return f"arn:{template.place.partition}:iam::{account}:role/cdk-hnb659fds-deploy-role-{account}-{region}"


@pytest.mark.parametrize("case", FACTORIES)
def test_there_is_an_artifact_store_in_every_region(case: str, templates_of: Read) -> None:
    buckets = {
        (template.region, resource["Properties"]["BucketName"])
        for template in templates_of(case)
        for _, resource in template.resources("AWS::S3::Bucket")
    }
    for region in CASES[case].place.regions:
        assert (region, f"granary-artifacts-{TOOLCHAIN_ACCOUNT}-{region}") in buckets


def test_publishing_may_start_a_release_and_ask_how_that_ended(toolchain: Template) -> None:
    """And nothing else of any machine: it has no access to the tables."""
    own = {
        action: one.resources
        for one in statements(toolchain)
        if one.kind == "identity" and one.owner.startswith("Cicd") and "Publish" in one.owner
        for action in one.actions
        if action.split(":")[0] in ("states", "dynamodb")
    }
    assert set(own) == {"states:StartExecution", "states:DescribeExecution"}
    (started,), (asked,) = own["states:StartExecution"], own["states:DescribeExecution"]
    assert started.endswith(":stateMachine:granary-release")
    assert asked.endswith(":execution:granary-release:*")
