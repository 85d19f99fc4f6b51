"""What `component check` reads of a synthesis, and tells; test_examples of tests/synth runs it whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.common.errors import CliError
from cli.saas.component_assembly import findings, tenants
from cli.saas.component_report import Checked, Finding
from cli.saas.component_tasks import task_findings
from stacks.saas.generated_policy import Deployed, Gap, Generated
from stacks.saas.policy_grants import Grant


def written(directory: Path, artifacts: dict[str, Any]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), encoding="utf-8")


def stack(directory: Path, key: str, name: str, *needs: str) -> dict[str, Any]:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{key}.json").write_text(json.dumps({"Resources": {key: {"Type": "AWS::SQS::Queue"}}}))
    properties = {"templateFile": f"{key}.json", "stackName": name}
    made = {"type": "aws:cloudformation:stack", "environment": "aws://222222222222/eu-west-1", "properties": properties}
    return {key: {**made, "dependencies": [*needs, "assets"]}}


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """A tenant whose stacks stand in the manifest the other way round than they are deployed."""
    stage = tmp_path / "stage"
    written(stage, stack(stage, "A", "silo-x-resources", "B") | stack(stage, "B", "silo-x-data"))
    nested = {"directoryName": "stage", "displayName": "silo-x-pipeline/Deploy"}
    written(tmp_path, {"n": {"type": "cdk:cloud-assembly", "properties": nested}, "t": {"type": "cdk:tree"}})
    return tmp_path


def test_stacks_are_told_in_the_order_of_their_deployment(assembly: Path) -> None:
    ((tenant, stacks),) = tenants(assembly).items()
    assert (tenant, [one.name for one in stacks]) == ("silo-x", ["silo-x-data", "silo-x-resources"])


def test_a_synthesis_that_left_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="has left no assembly"):
        tenants(tmp_path)
    written(tmp_path, {})
    with pytest.raises(CliError, match="has left no tenant"):
        tenants(tmp_path)


def test_findings_are_told_once_for_all_samples(tmp_path: Path) -> None:
    assert findings(tmp_path) == []
    places = [{"constructPath": f"{name}-pipeline/Deploy/Data/Key"} for name in ("silo-a", "pool-a", "pool-a")]
    violation = {"ruleName": "X1", "description": "is bad - (Control ID: A)", "violatingConstructs": places}
    report = {"pluginReports": [{"violations": [violation]}]}
    (tmp_path / "validation-report.json").write_text(json.dumps(report))
    found = findings(tmp_path)
    assert len(found) == 2
    assert "  X1: Deploy/Data/Key, of 2 samples: is bad" in list(checked(findings=found).lines())


def checked(**changes: Any) -> Checked:
    deployed = Deployed(
        tenant="silo-a", name="silo-a-resources", body={"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}
    )
    given: dict[str, Any] = {
        "tenants": {"silo-a": [deployed]},
        "findings": (),
        "local": {"AWS::SQS::Queue": "deploys"},
        "generated": Generated(),
        "policy": "config/policies/workload-execution.json",
    }
    return Checked(**{**given, **changes})


GRANT = Grant(action="sqs:CreateQueue", resource="arn:*:sqs:*:*:silo-*")


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"besides": [GRANT]}, True),
        ({"lacks": [GRANT]}, False),
        ({"lacks": [GRANT], "written": ["x/workload-execution.json"]}, True),
        ({"findings": [Finding(rule="X", what="y", where="z")]}, False),
        ({"generated": Generated(gaps={Gap(type="T", where="s/A", why="nobody knows")})}, False),
    ],
)
def test_it_is_good_when_nothing_is_wrong_or_unknown(changes: dict[str, Any], good: bool) -> None:
    made = checked(**changes)
    assert (made.is_good, made.document()["good"]) == (good, good)
    json.dumps(made.document())


def test_lines_say_what_a_person_needs() -> None:
    conditions = (("StringEquals", "aws:X", "y"),)
    many = [
        GRANT,
        Grant(action="sqs:DeleteQueue", resource=GRANT.resource),
        Grant(action="a:B", resource="*", condition=conditions),
    ]
    reasons = {many[-1]: "it has no resource"}
    gaps = {Gap(type="AWS::X::Y", where="silo-a/One", why="nobody knows")}
    lines = list(checked(lacks=many, generated=Generated(reasons=reasons, gaps=gaps), next_steps=["do it"]).lines())
    for line in (
        "  silo-a: silo-a-resources",
        "  AWS::SQS::Queue  1  deploys",
        "  lacks sqs:CreateQueue DeleteQueue on arn:*:sqs:*:*:silo-*",
        "  lacks a:B on * if aws:X=y",
        "  reaches beyond the tenants: a:B on *: it has no resource",
        "  cannot tell: AWS::X::Y silo-a/One: nobody knows",
        "  do it",
    ):
        assert line in lines


def test_a_type_that_the_local_cloud_lacks_is_refused_and_without_one_nobody_can_tell() -> None:
    assert "  AWS::SQS::Queue  1  refuses" in list(checked(local={"AWS::SNS::Topic": "deploys"}).lines())
    assert "  AWS::SQS::Queue  1  cannot tell here" in list(checked(local={}).lines())


@pytest.mark.parametrize(
    ("declared", "foreign"),
    [
        ({"build": "silo-a-check"}, []),
        ({"function": "arn:aws:lambda:eu-west-1:222222222222:function:silo-a-check:live"}, []),
        ({"ecs": {"cluster": "silo-a", "definition": "silo-a-migrate:7", "subnets": []}}, []),
        ({"build": "silo-ab-check"}, ["silo-ab-check"]),
        ({"function": "checks"}, ["checks"]),
        ({"ecs": {"cluster": "default", "definition": "silo-a-migrate", "subnets": []}}, ["default"]),
    ],
)
def test_a_task_that_could_not_run_is_found(declared: dict[str, Any], foreign: list[str]) -> None:
    """Given names that the role which runs tasks does not reach, then they are told before anybody has them."""
    output = {"Value": json.dumps({"minutes": 10, **declared})}
    body = {"Resources": {}, "Outputs": {"GranaryTaskCheck": output, "GranaryPublicX": {"Value": "checks"}}}
    deployed = Deployed(tenant="silo-a", name="silo-a-resources", body=body)
    found = list(task_findings({"silo-a": [deployed]}))
    assert [one.what.partition(" ")[0] for one in found] == foreign
    assert {one.where for one in found} <= {"silo-a/GranaryTaskCheck"}


def test_what_of_a_task_only_a_deployment_knows_is_no_finding() -> None:
    value = {"Fn::Join": ["", ['{"minutes":10,"build":"', {"Ref": "Project"}, '"}']]}
    bodies: list[dict[str, Any]] = [{"Outputs": {"GranaryTaskCheck": {"Value": one}}} for one in (value, {"Ref": "A"})]
    stacks = [Deployed(tenant="silo-a", name="silo-a-resources", body=body) for body in bodies]
    assert list(task_findings({"silo-a": stacks})) == []
