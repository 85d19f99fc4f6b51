"""The lake's pipelines: whom they act as, and what their roles reach."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from config.loader import load
from lambdas.lake.model.names import ROOM
from local_cloud.server.stack_needs import facts_of
from stacks.cicd import RoomsStage
from stacks.foundation import Foundation
from stacks.lake.pipelines import build_pipelines
from stacks.lake.plan import LakePlan, Part, Wanted
from stacks.lake.stack import LakeRolesStack
from tests.synth.assembly import Template, as_list, flat, read_templates
from tests.synth.configurations import AWS
from tests.synth.synthesis import feature_flags

_EXAMPLES = Path(__file__).parents[2] / "config" / "examples" / "all"
_OWN = "granary-lake-"
_CONNECTION = "arn:aws:codeconnections:us-east-1:111111111111:connection/0a1b2c3d-0000-1111-2222-333344445555"


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """The room's stack in the toolchain, the pipelines, and what they deploy."""
    folder = tmp_path_factory.mktemp("lake")
    configuration = load(_EXAMPLES)
    keys = {one: f"arn:aws:kms:{one}:111111111111:key/a" for one in ("us-east-1", "eu-west-1")}
    every = tuple(Wanted(environment=name, part=part) for name in ("dev", "prod") for part in Part)
    LakePlan(artifact_keys=keys, pipelines=every).write(folder / "plan.json")
    app = cdk.App(context=feature_flags(), outdir=str(folder / "out"), analytics_reporting=False)
    foundation = Foundation.of(configuration)
    LakeRolesStack(app, foundation=foundation, section=configuration.rooms[ROOM])  # type: ignore[arg-type]
    build_pipelines(app, configuration=configuration, plan_file=str(folder / "plan.json"))
    app.synth()
    found = read_templates(folder / "out", place=AWS, given=tuple(keys.values()))
    return {one.stack: one for one in found}


def _actions(template: Template) -> dict[str, list[dict[str, Any]]]:
    ((_, pipeline),) = template.resources("AWS::CodePipeline::Pipeline")
    return {stage["Name"]: stage["Actions"] for stage in pipeline["Properties"]["Stages"]}


@pytest.mark.parametrize("part", ["infrastructure", "etl"])
def test_a_pipeline_deploys_as_the_rooms_roles(templates: dict[str, Template], part: str) -> None:
    stages = _actions(templates[f"granary-lake-prod-{part}-pipeline"])
    deploying = [one for one in stages["Deploy"] if one["ActionTypeId"]["Provider"] == "CloudFormation"]
    assert {flat(one["RoleArn"]).rpartition("/")[2] for one in deploying} == {"granary-lake-deploy"}
    given = [one["Configuration"]["RoleArn"] for one in deploying if "RoleArn" in one["Configuration"]]
    assert {flat(one).rpartition("/")[2] for one in given} == {"granary-lake-execution"}


def test_a_change_of_a_job_changes_no_function(templates: dict[str, Template]) -> None:
    template = templates["granary-lake-dev-etl"]
    assert template.path
    for _, function in template.resources("AWS::Lambda::Function"):
        digest = Path(function["Properties"]["Code"]["S3Key"]).stem
        package = template.path.parents[1] / f"asset.{digest}" / "lambdas" / "lake"
        there = {one.name for one in package.iterdir()}
        assert ({"model", "store"} <= there, "spark" in there) == (True, False)


def test_the_local_cloud_knows_what_cloudformation_needs_for_it(templates: dict[str, Template]) -> None:
    types = {resource["Type"] for template in templates.values() for _, resource in template.resources()}
    assert [name for name in sorted(types) if facts_of(name) is None] == []


def test_people_are_asked_where_the_environment_says_so(templates: dict[str, Template]) -> None:
    for name, asked in (("dev", []), ("prod", ["Approve"])):
        stages = _actions(templates[f"granary-lake-{name}-etl-pipeline"])
        assert [one["Name"] for one in stages["Deploy"] if one["ActionTypeId"]["Category"] == "Approval"] == asked


def test_the_etl_comes_after_the_infrastructure(templates: dict[str, Template]) -> None:
    def starts(part: str) -> dict[str, Any]:
        template = templates[f"granary-lake-dev-{part}-pipeline"]
        ((_, rule),) = template.resources("AWS::Events::Rule")
        pattern: dict[str, Any] = rule["Properties"]["EventPattern"]
        return pattern

    assert starts("infrastructure")["detail"]["object"]["key"] == ["lake-dev.zip"]
    assert starts("etl")["detail"] == {"pipeline": ["granary-lake-dev-infrastructure"], "state": ["SUCCEEDED"]}


def test_pipelines_have_no_role_of_their_own(templates: dict[str, Template]) -> None:
    for name in (name for name in templates if name.endswith("-pipeline")):
        assert [kind for _, one in templates[name].resources() if "IAM" in (kind := one["Type"])] == []


def _statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    for _, policy in template.resources("AWS::IAM::Policy"):
        for role in policy["Properties"]["Roles"]:
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                yield role["Ref"], statement


def test_no_artifact_of_another_pipeline_is_written(templates: dict[str, Template]) -> None:
    written = {
        flat(resource).partition(":s3:::")[2]
        for _, statement in _statements(templates["granary-lake"])
        if "s3:PutObject" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }
    assert written
    assert all(f"/{_OWN}" in one or "/lake/" in one for one in written)


def test_builds_that_leave_nothing_cannot_write_artifacts(templates: dict[str, Template]) -> None:
    for role, statement in _statements(templates["granary-lake"]):
        if role.startswith(("PipelinesMutate", "PipelinesAssets")):
            writes = {one for one in as_list(statement["Action"]) if one.startswith(("s3:Put", "kms:Generate"))}
            assert writes == set(), role


def test_a_pipeline_changes_only_the_rules_that_start_pipelines(templates: dict[str, Template]) -> None:
    """Those of governance bear the room's name, too: a branch could switch it off."""
    reached = {
        flat(resource).partition(":rule/")[2]
        for _, statement in _statements(templates["granary-lake"])
        if "events:PutTargets" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }
    assert reached == {"granary-lake-*-start"}
    for name in (name for name in templates if name.endswith("-pipeline")):
        rules = [one["Properties"]["Name"] for _, one in templates[name].resources("AWS::Events::Rule")]
        assert rules
        assert all(one.endswith("-start") for one in rules)


def test_production_keeps_what_it_has(templates: dict[str, Template]) -> None:
    for name, kept in (("dev", False), ("prod", True)):
        template = templates[f"granary-lake-{name}-infrastructure"]
        denied = [
            statement
            for _, policy in template.resources("AWS::S3::BucketPolicy")
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if "s3:DeleteBucket" in as_list(statement["Action"])
        ]
        assert bool(denied) is kept
        assert all(one["Principal"] in ("*", {"AWS": "*"}) and "Condition" not in one for one in denied)


def test_builds_of_the_lake_say_nothing_of_a_release() -> None:
    """Where gates are on, which they pass: their verdicts stand apart from those that a release needs."""
    configuration = load(_EXAMPLES)
    stage = RoomsStage(cdk.App(), foundation=Foundation.of(configuration), configuration=configuration)
    (stack,) = (one for one in stage.stacks if one.stack_name == "granary-lake")
    (synth,) = (one for one in stack.node.find_all() if one.node.path.endswith("Synth/DefaultPolicy/Resource"))
    written = stack.resolve(cdk.CfnResource.is_cfn_resource(synth) and synth.policy_document)  # type: ignore[attr-defined]
    objects = [
        flat(resource)
        for statement in written["Statement"]
        if "s3:PutObject" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]
    assert [one for one in objects if "-releases-" in one] == []
    reports = [one for one in objects if "-reports-" in one]
    assert {one.partition("/")[2] for one in reports} == {"findings/_pipelines/*", "verdicts/_pipelines/*"}


@pytest.mark.parametrize(
    ("source", "own", "read"),
    [
        ({"provider": "s3", "object_key": "source.zip"}, {"object_key": "sensors.zip"}, "/sensors.zip"),
        (
            {"provider": "codecommit", "repository": "granary", "branch": "main"},
            {"repository": "sensors", "branch": "released"},
            ":sensors",
        ),
        (
            {"provider": "connection", "repository": "acme/granary", "branch": "main", "connection_arn": _CONNECTION},
            {"repository": "acme/sensors", "branch": "released"},
            _CONNECTION,
        ),
    ],
)
def test_a_dataset_of_a_source_of_its_own_is_an_input_of_the_etl_pipeline(
    tmp_path: Path, source: dict[str, str], own: dict[str, str], read: str
) -> None:
    """Given such a source, then the pipeline lays it where datasets are, starts on it, and its role may read it."""
    configuration = load(_EXAMPLES)
    section: Any = configuration.rooms[ROOM]
    environments = [{**section.environments[0].model_dump(), "branch": "lake", "object_key": None}]
    if source["provider"] == "s3":
        environments = [section.environments[0]]
    lake = section.model_validate(
        {"environments": environments, "datasets": [], "dataset_sources": [{"name": "sensors", **own}]}
    )
    toolchain = configuration.toolchain.model_validate({**configuration.toolchain.model_dump(), "source": source})
    configuration = configuration.model_copy(update={"toolchain": toolchain, "rooms": {ROOM: lake}})
    wanted = Wanted(environment="dev", part=Part.ETL)
    LakePlan(artifact_keys={"us-east-1": "arn:aws:kms:us-east-1:111111111111:key/a"}, pipelines=(wanted,)).write(
        tmp_path / "plan.json"
    )
    app = cdk.App(context=feature_flags(), outdir=str(tmp_path / "out"), analytics_reporting=False)
    LakeRolesStack(app, foundation=Foundation.of(configuration), section=lake)
    build_pipelines(app, configuration=configuration, plan_file=str(tmp_path / "plan.json"))
    app.synth()
    found = {one.stack: one for one in read_templates(tmp_path / "out", place=AWS, given=("us-east-1",))}
    pipeline = found["granary-lake-dev-etl-pipeline"]
    sources = {one["Name"]: one["Configuration"] for one in _actions(pipeline)["Source"]}
    assert set(sources) == {"Source", "sensors"}
    assert (sources["sensors"].get("S3ObjectKey") or sources["sensors"].get("BranchName")) in own.values()
    projects = {
        flat(one["Properties"]["Name"]): one["Properties"] for _, one in pipeline.resources("AWS::CodeBuild::Project")
    }
    build = json.loads(projects["granary-lake-dev-etl-synth"]["Source"]["BuildSpec"])
    assert [one for one in build["phases"]["install"]["commands"] if 'ln -s -- "$CODEBUILD_SRC_DIR_' in one]
    rules = [flat(one["Properties"]["Name"]) for _, one in pipeline.resources("AWS::Events::Rule")]
    started = [] if source["provider"] == "connection" else ["granary-lake-dev-etl-sensors-start"]
    assert sorted(rules) == [*started, "granary-lake-dev-etl-start"]
    allowed = [
        flat(resource)
        for _, policy in found["granary-lake"].resources("AWS::IAM::Policy")
        if "PipelineDefaultPolicy" in policy["Properties"]["PolicyName"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for resource in as_list(statement["Resource"])
    ]
    assert [one for one in allowed if one.endswith(read)]
