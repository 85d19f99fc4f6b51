"""Rooms: with all of them on, and one of the tests', everything keeps every rule and stands where it belongs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from constructs import Construct

from cli import rooms as cli_rooms
from config.loader import load
from lambdas.common.cloud_assembly import stacks_in
from lambdas.common.errors import GranaryError
from lambdas.common.names import Names
from local_cloud.factory.workspace import Workspace
from stacks import cicd, rooms
from stacks.cicd import RoomsStage
from stacks.foundation import Foundation
from stacks.room import Room, RoomStack
from tests.probe_room.install import NAME, install
from tests.synth.assembly import Template, as_list, flat, read_templates
from tests.synth.configurations import AWS, TOOLCHAIN_ACCOUNT, example
from tests.synth.rules.catalog import RULES, Rule, findings
from tests.synth.synthesis import REPORT, feature_flags

_ROOT = Path(__file__).parents[2]
_EXAMPLES = "config/examples/all"
_TAGS = load(_ROOT / _EXAMPLES).toolchain.tags


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the room of the tests, which is on in the example that has everything on."""
    workspace = Workspace.create(tmp_path_factory.mktemp("rooms") / "project", overlay={})
    workspace.configure("examples/all/workloads", example().workloads.model_dump(mode="json", include={"parameters"}))
    root = workspace.root
    install(root)
    shutil.move(root / "config" / f"{NAME}.yaml", root / _EXAMPLES / f"{NAME}.yaml")
    return root


def _synthesize(project: Path, **context: str) -> Path:
    """Every rule runs; a finding that nobody acknowledged fails the app."""
    out = project / f"cdk.out.{len(list(project.glob('cdk.out.*')))}"
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=project,
        env={
            **os.environ,
            "CDK_OUTDIR": str(out),
            "CDK_VALIDATION": "true",
            "CDK_CONTEXT_JSON": json.dumps({**feature_flags(), **context}),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return out


@pytest.fixture(scope="module")
def everything(project: Path) -> Path:
    """The assembly of all modes, with every room on."""
    plans = {mode: f"{_EXAMPLES}/{file}.json" for mode, file in (("tenants", "tenants"), ("lake", "lake-pipelines"))}
    return _synthesize(project, configuration=_EXAMPLES, factory="true", **plans)


@pytest.fixture(scope="module")
def templates(everything: Path) -> dict[str, Template]:
    """The templates by stack."""
    keys = json.loads((_ROOT / _EXAMPLES / "tenants.json").read_text(encoding="utf-8"))["artifact_keys"]
    return {found.stack: found for found in read_templates(everything, place=AWS, given=tuple(keys.values()))}


@pytest.fixture(scope="module")
def without(project: Path) -> dict[str, Template]:
    """The templates of the factory where the room is in the source, and off."""
    return {found.stack: found for found in read_templates(_synthesize(project), place=AWS, given=())}


def test_all_kinds_of_stacks_are_there(templates: dict[str, Template]) -> None:
    assert set(templates) == {
        "granary-toolchain",
        "granary-lake-governance",
        "granary-artifacts-eu-west-1",
        "granary-workload-roles-222222222222",
        "granary-gates",
        "granary-lake",
        "granary-probe",
        "granary-resilience",
        *(f"granary-resilience-failover-{region}" for region in ("us-east-1", "eu-west-1")),
        *(f"granary-resilience-failover-data-{region}" for region in ("us-east-1", "eu-west-1")),
        "granary-resilience-failover-checks",
        *(f"granary-resilience-failover-records-{zone}EXAMPLE" for zone in ("Z0123456789", "Z9876543210")),
        *(f"granary-lake-{name}-keys" for name in ("dev", "prod")),
        *(f"granary-lake-{name}-{part}" for name in ("dev", "prod") for part in ("infrastructure", "etl")),
        *(f"granary-lake-{name}-{part}-pipeline" for name in ("dev", "prod") for part in ("infrastructure", "etl")),
        "silo-acme-pipeline",
        "silo-acme-resources",
        "silo-4711-shop-pipeline",
        "silo-4711-shop-resources",
        "pool-shared-1-pipeline",
        "pool-shared-1-resources",
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_template_keeps_the_rule(rule: Rule, templates: dict[str, Template]) -> None:
    assert [finding for template in templates.values() for finding in findings(rule, template)] == []


def test_the_validation_ran(everything: Path) -> None:
    report = json.loads((everything / REPORT).read_text(encoding="utf-8"))
    assert {plugin["pluginName"] for plugin in report["pluginReports"]} >= {"AwsSolutions", "NIST.800.53.R5"}


def test_every_stack_has_the_configured_tags(everything: Path, templates: dict[str, Template]) -> None:
    """And what is in it, where the type takes tags."""
    assert set(_TAGS) == {"application", "environment", "team", "cost-center"}
    for one in stacks_in(everything):
        assert one.tags.items() >= _TAGS.items(), one.name
    for template in templates.values():
        for logical_id, resource in template.resources("AWS::IAM::Role", "AWS::Lambda::Function", "AWS::S3::Bucket"):
            found = {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}
            assert found.items() >= _TAGS.items(), f"{template.stack}/{logical_id}"


def _stages(template: Template) -> dict[str, list[Mapping[str, Any]]]:
    ((_, pipeline),) = template.resources("AWS::CodePipeline::Pipeline")
    return {stage["Name"]: stage["Actions"] for stage in pipeline["Properties"]["Stages"]}


def test_rooms_come_between_self_mutation_and_release(templates: dict[str, Template]) -> None:
    stages = _stages(templates["granary-toolchain"])
    assert list(stages) == ["Source", "Build", "UpdatePipeline", "Assets", "Rooms", "Release"]
    build = sorted(stages["Build"], key=lambda action: action["RunOrder"])
    *before, synth = build
    assert {action["Name"] for action in before} == {"gates-source-gates", "probe-weigh"}
    assert synth["Name"] == "Synth"
    assert max(action["RunOrder"] for action in before) < synth["RunOrder"]
    release = sorted(stages["Release"], key=lambda action: action["RunOrder"])
    *steps, publish = release
    assert ({action["Name"] for action in steps}, publish["Name"]) == ({"lake-pipelines", "probe-attest"}, "Publish")
    assert max(action["RunOrder"] for action in steps) < publish["RunOrder"]


def _reported(template: Template, project: str) -> set[str]:
    """The report groups of a project, each of which its role may write."""
    ((_, found),) = [
        (name, one["Properties"])
        for name, one in template.resources("AWS::CodeBuild::Project")
        if one["Properties"].get("Name") == project
    ]
    groups = set(json.loads(found["Source"]["BuildSpec"]).get("reports", {}))
    role = found["ServiceRole"]["Fn::GetAtt"][0]
    allowed = [
        flat(arn).rpartition("report-group/")[2]
        for _, policy in template.resources("AWS::IAM::Policy")
        if {"Ref": role} in policy["Properties"]["Roles"]
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
        if "codebuild:CreateReport" in as_list(one["Action"])
        for arn in as_list(one["Resource"])
    ]
    assert all(any(fnmatchcase(f"{project}-{group}", arn) for arn in allowed) for group in groups)
    assert bool(allowed) == bool(groups)
    return groups


def test_builds_in_which_gates_run_show_what_was_found(
    templates: dict[str, Template], without: dict[str, Template]
) -> None:
    home = templates["granary-toolchain"]
    assert _reported(home, "granary-cicd-gates-source-gates") == {"gates", "gates-cucumber"}
    assert _reported(home, "granary-cicd-synth") >= {"gates", "gates-cucumber"}
    assert _reported(without["granary-toolchain"], "granary-cicd-synth") == set()


def test_each_room_with_stacks_brings_its_dashboard(templates: dict[str, Template]) -> None:
    for room in {*rooms.NAMES, NAME} - {"saas"}:
        own = [found for stack, found in templates.items() if stack.startswith(f"granary-{room}")]
        assert [name for found in own for name, _ in found.resources("AWS::CloudWatch::Dashboard")], room


def test_a_room_that_is_off_costs_nothing(without: dict[str, Template]) -> None:
    assert "granary-probe" not in without
    stages = _stages(without["granary-toolchain"])
    assert list(stages) == ["Source", "Build", "UpdatePipeline", "Release"]
    assert [action["Name"] for action in stages["Release"]] == ["Publish"]


def test_a_tenants_pipeline_ends_with_the_rooms_actions(templates: dict[str, Template]) -> None:
    for stack in ("silo-acme-pipeline", "pool-shared-1-pipeline"):
        template = templates[stack]
        *_, probe, last = sorted(_stages(template)["Deploy"], key=lambda action: action["RunOrder"])
        assert (probe["Name"], last["Name"]) == ("probe-greet", "resilience-fis-trigger")
        for one in (probe, last):
            assert one["ActionTypeId"]["Provider"] == "Lambda"
            given = json.loads(one["Configuration"]["UserParameters"])
            assert given["execution"] == "#{codepipeline.PipelineExecutionId}"
        # No role, no function and no permission more a tenant.
        assert [t for _, r in template.resources() if "Lambda" in (t := r["Type"]) or "IAM" in t] == []


def test_a_commit_to_one_room_changes_no_asset_of_another(
    templates: dict[str, Template], without: dict[str, Template], project: Path
) -> None:
    """The probe's source is there in both; a change of it must leave the functions of saas alone."""
    job = project / "lambdas" / NAME / "greet" / "handler.py"
    shared = project / "lambdas" / NAME / "model" / "greeting.py"
    before = _functions(without["granary-toolchain"])
    for file in (job, shared):
        file.write_text(file.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    changed = read_templates(_synthesize(project, configuration="config", factory="true"), place=AWS, given=())
    (after,) = (_functions(found) for found in changed if found.stack == "granary-toolchain")
    assert before
    assert after == before


def _functions(template: Template) -> dict[str, Any]:
    return {name: function["Properties"]["Code"] for name, function in template.resources("AWS::Lambda::Function")}


# Who may read what CI/CD hands to CloudFormation


def _admits(template: Template, *, principal: str, account: str, action: str, key: str) -> bool:
    """Whether a policy of the artifact bucket allows a request by itself: the evaluation that the local cloud lacks.

    A statement that names an account hands the decision to that account's own policies: it admits nobody by itself.
    """
    bucket = Names(prefix="granary").artifacts_bucket(TOOLCHAIN_ACCOUNT, template.region)
    for statement in _bucket_statements(template, bucket):
        conditions = statement.get("Condition", {})
        known = {"aws:PrincipalArn": principal, "aws:PrincipalAccount": account, "aws:SecureTransport": "true"}
        told = [
            fnmatchcase(known[name], flat(value).replace("${AWS::Partition}", "aws"))
            for operator in ("ArnEquals", "ArnLike", "StringEquals")
            for name, value in conditions.get(operator, {}).items()
        ]
        if (
            statement["Effect"] == "Allow"
            and statement["Principal"] == {"AWS": "*"}
            and set(conditions) <= {"ArnEquals", "ArnLike", "StringEquals"}
            and told
            and all(told)
            and action in as_list(statement["Action"])
            and any(fnmatchcase(key, flat(place).split("/", 1)[-1]) for place in as_list(statement["Resource"]))
        ):
            return True
    return False


def _bucket_statements(template: Template, bucket: str) -> Iterator[Mapping[str, Any]]:
    named = [
        name for name, found in template.resources("AWS::S3::Bucket") if found["Properties"]["BucketName"] == bucket
    ]
    for _, policy in template.resources("AWS::S3::BucketPolicy"):
        if policy["Properties"]["Bucket"] == {"Ref": named[0]}:
            yield from policy["Properties"]["PolicyDocument"]["Statement"]


_ROLE = f"arn:aws:iam::{TOOLCHAIN_ACCOUNT}:role/cdk-hnb659fds-deploy-role-{TOOLCHAIN_ACCOUNT}-us-east-1"
_STRANGER = "222222222222"


@pytest.mark.parametrize(
    ("principal", "account", "action", "key", "admitted"),
    [
        (_ROLE, TOOLCHAIN_ACCOUNT, "s3:GetObject", "granary-cicd/Synth_Outp/a1b2c3d", True),
        (_ROLE, TOOLCHAIN_ACCOUNT, "s3:GetObjectVersion", "granary-cicd/Synth_Outp/a1b2c3d", True),
        (_ROLE, TOOLCHAIN_ACCOUNT, "s3:PutObject", "granary-cicd/Synth_Outp/a1b2c3d", False),
        (_ROLE, TOOLCHAIN_ACCOUNT, "s3:GetObject", "silo-acme-pipeline/Synth_Outp/a1b2c3d", False),
        (_ROLE.replace("us-east-1", "eu-west-1"), TOOLCHAIN_ACCOUNT, "s3:GetObject", "granary-cicd/x/y", False),
        (_ROLE.replace("deploy", "lookup"), TOOLCHAIN_ACCOUNT, "s3:GetObject", "granary-cicd/x/y", False),
        (_ROLE.replace(TOOLCHAIN_ACCOUNT, _STRANGER), _STRANGER, "s3:GetObject", "granary-cicd/x/y", False),
    ],
)
def test_the_bucket_admits_the_deploy_role_to_what_cicd_deploys(  # noqa: PLR0917
    templates: dict[str, Template], principal: str, account: str, action: str, key: str, admitted: bool
) -> None:
    home = templates["granary-toolchain"]
    assert _admits(home, principal=principal, account=account, action=action, key=key) is admitted


def test_without_rooms_nobody_is_admitted(templates: dict[str, Template], without: dict[str, Template]) -> None:
    request = {"principal": _ROLE, "account": TOOLCHAIN_ACCOUNT, "action": "s3:GetObject", "key": "granary-cicd/x/y"}
    assert not _admits(without["granary-toolchain"], **request)
    # No room has a stack there.
    assert not _admits(templates["granary-artifacts-eu-west-1"], **request)


# What a room may not do


def _stage(monkeypatch: pytest.MonkeyPatch, **where: str) -> RoomsStage:
    def stacks(stage: Construct, foundation: Foundation, _section: object) -> None:
        stack = RoomStack(stage, room="lab", foundation=foundation, region=where.get("region", ""))
        cdk.CfnResource(stack, "Any", type="AWS::SNS::Topic")
        if account := where.get("account"):
            cdk.Stack(
                stage, "Elsewhere", stack_name="elsewhere", env=cdk.Environment(account=account, region="us-east-1")
            )

    monkeypatch.setattr(cicd, "rooms", lambda: (Room(name="lab", stacks=stacks, always=True),))
    configuration = load(_ROOT / "config")
    return RoomsStage(cdk.App(), foundation=Foundation.of(configuration), configuration=configuration)


def test_a_stack_in_a_region_with_a_store_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _stage(monkeypatch, region="eu-west-1").regions == ["eu-west-1"]


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"region": "ap-south-1"}, "granary-lab is in ap-south-1, which has no artifact store"),
        ({"account": "222222222222"}, "elsewhere of the stage Rooms is no RoomStack"),
    ],
)
def test_a_stack_that_cicd_cannot_deploy_is_refused(
    monkeypatch: pytest.MonkeyPatch, where: dict[str, str], said: str
) -> None:
    with pytest.raises(GranaryError, match=said):
        _stage(monkeypatch, **where)


@pytest.mark.parametrize("name", ["toolchain", "artifacts", "release", "silo", "self", "a_b", "a-b", "Gates", ""])
def test_a_room_has_no_name_of_the_factorys(name: str) -> None:
    with pytest.raises(GranaryError, match="cannot be the name of a room"):
        Room(name=name)


def test_what_the_factory_bears_begins_with_no_name_that_a_room_may_have(
    templates_of: Callable[[str], list[Template]],
) -> None:
    """A room's role, function or stack could bear a name that others trust."""
    names = {
        value
        for template in templates_of("factory-s3")
        for _, resource in template.resources()
        for key, value in resource.get("Properties", {}).items()
        if key.endswith("Name") and isinstance(value, str) and value.startswith("granary-")
    }
    words = {name.split("-")[1] for name in names}
    assert "lifecycle" in words
    for word in words:
        with pytest.raises(GranaryError, match="cannot be the name of a room"):
            Room(name=word)


def test_a_stack_says_how_many_have_to_be_there_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clean-up goes by it: names and parameters do not tell CloudFormation what depends on what."""

    def stacks(stage: Construct, foundation: Foundation, _section: object) -> None:
        upper, lower = (RoomStack(stage, room="lab", foundation=foundation, part=part) for part in ("a", "b"))
        upper.add_stack_dependency(lower)
        for stack in (upper, lower):
            cdk.CfnResource(stack, "Any", type="AWS::SNS::Topic")

    monkeypatch.setattr(cicd, "rooms", lambda: (Room(name="lab", stacks=stacks, always=True),))
    configuration = load(_ROOT / "config")
    stage = RoomsStage(cdk.App(), foundation=Foundation.of(configuration), configuration=configuration)
    orders = {stack.stack_name: stack.tags.tag_values()["granary:order"] for stack in stage.stacks}
    assert orders == {"granary-lab-a": "1", "granary-lab-b": "0"}


def test_a_rooms_step_cannot_replace_what_later_actions_take(templates: dict[str, Template]) -> None:
    home = templates["granary-toolchain"]
    readers = [name for name, _ in home.resources("AWS::IAM::Role") if "probe" in name or "AssetsRole" in name]
    assert len(readers) == 3
    for _, policy in home.resources("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        if any({"Ref": role} in policy["Properties"]["Roles"] for role in readers):
            actions = {a for s in policy["Properties"]["PolicyDocument"]["Statement"] for a in as_list(s["Action"])}
            writes = {action for action in actions if "Put" in action and not action.startswith("logs:")}
            assert writes <= {"codebuild:BatchPutTestCases"}, "reports of tests, of its own group"
            assert "kms:GenerateDataKey" not in actions


def test_stacks_are_deployed_with_the_configured_bootstrap(project: Path) -> None:
    other = project / "other"
    shutil.copytree(project / _EXAMPLES, other)
    text = (other / "toolchain.yaml").read_text(encoding="utf-8")
    (other / "toolchain.yaml").write_text(text.replace("hnb659fds", "abc123"), encoding="utf-8")
    text = (other / "workloads.yaml").read_text(encoding="utf-8")
    changed = text.replace("bootstrap_qualifier: granary", "bootstrap_qualifier: def456")
    assert changed != text
    (other / "workloads.yaml").write_text(changed, encoding="utf-8")
    out = _synthesize(project, configuration="other", factory="true")
    manifests = "".join(file.read_text(encoding="utf-8") for file in out.rglob("manifest.json"))
    assert "cdk-abc123-deploy-role" in manifests
    everything = "".join(file.read_text(encoding="utf-8") for file in out.rglob("*.json"))
    assert "cdk-def456-deploy-role" in everything
    assert not [line for line in everything.splitlines() if "hnb659fds" in line or "cdk-granary-" in line]


def test_the_list_of_rooms_is_what_is_on_the_floors() -> None:
    """Each room has its parts, and nothing on a floor belongs to no room."""
    for name in rooms.NAMES:
        for folder in (
            f"stacks/{name}",
            f"lambdas/{name}/model",
            f"cli/{name}",
            f"docs/{name}",
            f"tests/unit/lambdas/{name}",
        ):
            assert (_ROOT / folder).is_dir(), folder
        assert (_ROOT / "stacks" / name / "room.py").exists()
        assert name in cli_rooms.NAMES
        room = rooms.rooms()[rooms.NAMES.index(name)]
        assert room.always or any((_ROOT / _EXAMPLES / f"{one}.yaml").exists() for one in (name, *room.parts))
        assert list((_ROOT / "docs" / name).rglob("runbooks/*.md")), "a room has a runbook"
        assert f"]({name}/" in (_ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for floor in ("stacks", "constructs_lib", "lambdas", "buildspecs", "cli"):
        found = {path.parent.name for path in (_ROOT / floor).glob("*/__init__.py")}
        assert found - {"common"} <= set(rooms.NAMES), floor
