"""Tenants' pipelines: what they cost, how they are built, and that the shared roles cover them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from lambdas.saas.model.asking import BeforeStage
from lambdas.saas.model.names import TENANT_JOBS, SaasNames, deployment_of_pipeline
from stacks.versions import cdk_cli
from tests.synth.assembly import Template, as_list, flat
from tests.synth.cases import TENANTS
from tests.synth.configurations import TOOLCHAIN_ACCOUNT
from tests.synth.iam import Toolchain
from tests.synth.rules.policies import statements

Read = Callable[[str], list[Template]]

RESOURCES_A_TENANT = 3
_SHARED = ("AWS::IAM::", "AWS::KMS::", "AWS::S3::")
_PEOPLE = Path(__file__).parents[2] / "config/policies/people"
_PREPARING = ("Source", "Build", "UpdatePipeline", "Assets")


@pytest.fixture(params=TENANTS)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pipelines(case: str, templates_of: Read) -> list[Template]:
    """The pipeline stacks of a case; its other templates are components."""
    found = [template for template in templates_of(case) if template.stack.endswith("-pipeline")]
    assert len(found) == 2
    return found


def _pipeline(template: Template) -> Mapping[str, Any]:
    ((_, resource),) = template.resources("AWS::CodePipeline::Pipeline")
    properties: Mapping[str, Any] = resource["Properties"]
    return properties


def _projects(template: Template) -> dict[str, Mapping[str, Any]]:
    return {
        resource["Properties"]["Name"]: resource["Properties"]
        for _, resource in template.resources("AWS::CodeBuild::Project")
    }


def _actions(template: Template, *, deploying: bool) -> Iterator[Mapping[str, Any]]:
    for stage in _pipeline(template)["Stages"]:
        if (stage["Name"] not in _PREPARING) is deploying:
            yield from stage["Actions"]


def _buildspec(project: Mapping[str, Any]) -> dict[str, Any]:
    buildspec: dict[str, Any] = yaml.safe_load(project["Source"]["BuildSpec"])
    return buildspec


BUILD_LOGS = "/aws/codebuild/granary-tenants"


def _home(template: Template, service: str, resource: str) -> str:
    return f"arn:{template.place.partition}:{service}:{template.region}:{TOOLCHAIN_ACCOUNT}:{resource}"


def _role_name(template: Template, arn: Any) -> str:
    text = flat(arn).replace("${AWS::Partition}", template.place.partition)
    prefix = f"arn:{template.place.partition}:iam::{TOOLCHAIN_ACCOUNT}:role/"
    assert text.startswith(prefix), text
    return text.removeprefix(prefix)


def test_every_build_of_a_tenant_is_known_to_who_deletes_its_logs(pipelines: list[Template]) -> None:
    names = SaasNames(prefix="granary")
    for template in pipelines:
        deployment = deployment_of_pipeline(template.stack)
        assert deployment
        assert set(_projects(template)) <= {names.tenant_project(*deployment, job) for job in TENANT_JOBS}


def test_a_tenant_costs_few_resources_and_none_that_is_scarce(pipelines: list[Template]) -> None:
    for template in pipelines:
        types = [resource["Type"] for _, resource in template.resources()]
        assert len(types) <= RESOURCES_A_TENANT
        assert [kind for kind in types if kind.startswith(_SHARED)] == []


def test_the_pipeline_is_v2_queued_and_started_by_nobody_but_the_factory(pipelines: list[Template]) -> None:
    for template in pipelines:
        pipeline = _pipeline(template)
        assert pipeline["PipelineType"] == "V2"
        assert pipeline["ExecutionMode"] == "QUEUED"
        assert pipeline["RestartExecutionOnUpdate"] is True
        assert "Triggers" not in pipeline
        (source,) = pipeline["Stages"][0]["Actions"]
        assert source["Configuration"]["PollForSourceChanges"] is False
        assert list(template.resources("AWS::Events::Rule")) == []


def test_every_deploy_stage_and_no_other_rolls_back(pipelines: list[Template]) -> None:
    for template in pipelines:
        stages = _pipeline(template)["Stages"]
        rolling = [stage["Name"] for stage in stages if stage.get("OnFailure") == {"Result": "ROLLBACK"}]
        assert rolling == [stage["Name"] for stage in stages if stage["Name"] not in _PREPARING]
        assert rolling


def test_a_build_that_fails_is_tried_once_more_and_a_source_is_not(pipelines: list[Template]) -> None:
    """CodeBuild refuses builds beyond its queue, and CodePipeline does not wait."""
    again = {"Result": "RETRY", "RetryConfiguration": {"RetryMode": "FAILED_ACTIONS"}}
    for template in pipelines:
        retried = [stage["Name"] for stage in _pipeline(template)["Stages"] if stage.get("OnFailure") == again]
        assert retried == ["Build", "UpdatePipeline"]


def test_no_stage_that_deploys_is_tried_again_without_asking(pipelines: list[Template]) -> None:
    """A retry of failed actions leaves out what has succeeded: the question whose the stage's stacks are."""
    for template in pipelines:
        deploying = [stage for stage in _pipeline(template)["Stages"] if stage["Name"] not in _PREPARING]
        modes = [one.get("OnFailure", {}).get("RetryConfiguration", {}).get("RetryMode") for one in deploying]
        assert modes
        assert set(modes) <= {None, "ALL_ACTIONS"}


def test_every_region_has_an_artifact_store_with_the_customers_key(pipelines: list[Template]) -> None:
    for template in pipelines:
        pipeline = _pipeline(template)
        stores = pipeline.get("ArtifactStores") or [
            {"Region": template.region, "ArtifactStore": pipeline["ArtifactStore"]}
        ]
        deploying = _actions(template, deploying=True)
        regions = {template.region, *(action["Region"] for action in deploying if "Region" in action)}
        assert {store["Region"] for store in stores} == regions
        for store in stores:
            bucket = f"granary-artifacts-{TOOLCHAIN_ACCOUNT}-{store['Region']}"
            assert store["ArtifactStore"]["Location"] == bucket
            assert f":kms:{store['Region']}:" in store["ArtifactStore"]["EncryptionKey"]["Id"]


def test_the_tools_are_pinned(pipelines: list[Template]) -> None:
    for template in pipelines:
        for name, project in _projects(template).items():
            commands = " ".join(_buildspec(project)["phases"]["build"]["commands"])
            if name.endswith("-self-mutate"):
                assert re.findall(r"npm install -g (\S+)", commands) == [f"aws-cdk@{cdk_cli()}"]


def test_no_value_of_a_row_stands_in_a_command(pipelines: list[Template]) -> None:
    for template in pipelines:
        (deployment_type, deployment_id) = deployment_of_pipeline(template.stack) or ("", "")
        assert deployment_id
        for project in _projects(template).values():
            text = project["Source"]["BuildSpec"]
            assert f"{deployment_type}-{deployment_id}" not in text
            assert template.stack not in text


@pytest.fixture
def toolchain(case: str, templates_of: Read) -> Toolchain:
    """The toolchain in the same partition."""
    factory = {"tenants-gov": "factory-gov", "tenants-china": "factory-china"}.get(case, "factory-s3")
    (template,) = [template for template in templates_of(factory) if template.stack == "granary-toolchain"]
    return Toolchain(template=template)


def test_the_shared_roles_trust_the_tenants_pipelines_and_projects(
    pipelines: list[Template], toolchain: Toolchain
) -> None:
    for template in pipelines:
        pipeline = _pipeline(template)
        role = _role_name(template, pipeline["RoleArn"])
        assert toolchain.trusts(role, "codepipeline.amazonaws.com", _home(template, "codepipeline", pipeline["Name"]))
        for name, project in _projects(template).items():
            role = _role_name(template, project["ServiceRole"])
            arn = _home(template, "codebuild", f"project/{name}")
            assert toolchain.trusts(role, "codebuild.amazonaws.com", arn), name


def test_the_pipeline_role_may_do_what_the_pipeline_does(pipelines: list[Template], toolchain: Toolchain) -> None:
    for template in pipelines:
        pipeline = _pipeline(template)
        role = _role_name(template, pipeline["RoleArn"])
        for name in _projects(template):
            assert toolchain.allows(role, "codebuild:StartBuild", _home(template, "codebuild", f"project/{name}"))
        source = pipeline["Stages"][0]["Actions"][0]["Configuration"]
        object_arn = f"arn:{template.place.partition}:s3:::{source['S3Bucket']}/{source['S3ObjectKey']}"
        assert toolchain.allows(role, "s3:GetObjectVersion", object_arn)
        for action in _actions(template, deploying=True):
            if "FunctionName" in action["Configuration"]:
                (name,) = re.findall(r"function:([a-z-]+)", flat(action["Configuration"]["FunctionName"]))
                assert toolchain.allows(role, "lambda:InvokeFunction", _home(template, "lambda", f"function:{name}"))
                continue
            assert toolchain.allows(role, "sts:AssumeRole", toolchain.text(action["RoleArn"]))


def test_the_pipeline_role_reads_and_writes_the_artifacts_of_every_region(
    pipelines: list[Template], toolchain: Toolchain
) -> None:
    for template in pipelines:
        pipeline = _pipeline(template)
        role = _role_name(template, pipeline["RoleArn"])
        for store in pipeline.get("ArtifactStores", ()):
            bucket = store["ArtifactStore"]["Location"]
            # CodePipeline begins keys with the first 20 characters of the pipeline's name.
            key_arn = f"arn:{template.place.partition}:s3:::{bucket}/{pipeline['Name'][:20]}/Synth_Outp/x"
            assert toolchain.allows(role, "s3:PutObject", key_arn)
            key = store["ArtifactStore"]["EncryptionKey"]["Id"]
            # At home the key is named; of those abroad the toolchain's template knows the alias only.
            if store["Region"] != template.region:
                assert toolchain.allows(role, "kms:GenerateDataKey", key)


def test_the_logs_of_tenants_builds_are_encrypted_and_expire(templates_of: Read) -> None:
    made = [one for template in templates_of("factory-s3") for _, one in template.resources("AWS::Logs::LogGroup")]
    groups = [one["Properties"] for one in made]
    (shared,) = [group for group in groups if group.get("LogGroupName") == BUILD_LOGS]
    assert (shared["RetentionInDays"], "KmsKeyId" in shared) == (365, True)


def test_shared_roles_may_do_with_artifacts_what_aws_asks_for(pipelines: list[Template], toolchain: Toolchain) -> None:
    """The library adds nothing to roles that it is given.

    All but s3:PutObjectAcl, for the buckets have no ACLs; those whose builds write no artifact only read:
    https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
    """
    of_bucket = ("s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning")
    reads, writes = ("s3:GetObject", "s3:GetObjectVersion"), ("s3:AbortMultipartUpload", "s3:PutObject")
    for template in pipelines:
        bucket = f"arn:{template.place.partition}:s3:::granary-artifacts-{TOOLCHAIN_ACCOUNT}-{template.region}"
        pipeline = _pipeline(template)
        writers = {_role_name(template, pipeline["RoleArn"]), "granary-tenant-synth"}
        roles = {_role_name(template, project["ServiceRole"]) for project in _projects(template).values()}
        for role in roles | writers:
            wanted = (*reads, *(writes if role in writers else ()))
            assert [action for action in of_bucket if not toolchain.allows(role, action, bucket)] == [], role
            own = f"{bucket}/{pipeline['Name'][:20]}/x"
            assert [action for action in wanted if not toolchain.allows(role, action, own)] == [], role


def test_builds_may_log(pipelines: list[Template], toolchain: Toolchain) -> None:
    for template in pipelines:
        for name, project in _projects(template).items():
            role = _role_name(template, project["ServiceRole"])
            log = project["LogsConfig"]["CloudWatchLogs"]
            assert (log["Status"], log["GroupName"], log["StreamName"]) == ("ENABLED", BUILD_LOGS, name)
            # The group of its own is what a pipeline of an earlier release logs into.
            for group in (BUILD_LOGS, f"/aws/codebuild/{name}"):
                stream = _home(template, "logs", f"log-group:{group}:log-stream:x")
                assert toolchain.allows(role, "logs:PutLogEvents", stream)


@pytest.mark.parametrize("case", [one for one in TENANTS if one != "tenants-asset"], indirect=True)
def test_whose_all_stacks_of_a_stage_are_is_asked_before_any_is_touched(pipelines: list[Template]) -> None:
    """A change set touches a stack already: what is recorded of one that failed is deleted with the tenant.

    Tenants with assets are made for the construct's own tests, without a component's stage.
    """
    for template in pipelines:
        stages = [stage for stage in _pipeline(template)["Stages"] if stage["Name"] not in _PREPARING]
        assert stages
        for stage in stages:
            first, *others = sorted(stage["Actions"], key=lambda action: action["RunOrder"])
            assert first["RunOrder"] < others[0]["RunOrder"]
            asked = BeforeStage.of_parameters(json.loads(first["Configuration"]["UserParameters"]))
            deployed = [one for one in others if one["ActionTypeId"]["Provider"] == "CloudFormation"]
            assert set(asked.stack_names) == {one["Configuration"]["StackName"] for one in deployed}
            assert {one.get("Region", template.region) for one in deployed} == {asked.region}
            assert all(f"::{asked.account}:role" in flat(one["RoleArn"]) for one in deployed)
            assert asked.execution == "#{codepipeline.PipelineExecutionId}"


def test_nobody_of_the_factory_may_retry_a_stage(toolchain: Toolchain) -> None:
    """Who may could leave the question out; the factory, and its people, start another execution instead."""
    people = [one for path in _PEOPLE.glob("*.json") for one in json.loads(path.read_text("utf-8"))["Statement"]]
    allowed = [action for one in people for action in as_list(one["Action"])]
    assert "codepipeline:StartPipelineExecution" in allowed
    roles = [one for one in statements(toolchain.template) if one.allows and one.kind == "identity"]
    allowed += [action for one in roles for action in one.actions]
    assert [one for one in allowed if fnmatchcase("codepipeline:retrystageexecution", one.lower())] == []
