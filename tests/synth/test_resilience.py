"""The stack that experiments with tenants: who may do what, what ends an experiment, and what a tenant costs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import aws_cdk as cdk
import pytest

from config.loader import CONFIG_DIR, load
from config.models import Configuration
from config.models.resilience import Section
from lambdas.common.settings import DOCUMENTS, Document
from lambdas.resilience.fis_trigger.handler import Settings
from lambdas.resilience.fis_trigger.side import actions_for
from lambdas.resilience.model.plan import ACTIONS, Chaos, Mode, Probe, RingPlan
from lambdas.saas.model.record import DeploymentRecord
from stacks.foundation import Foundation
from stacks.saas.plan import TenantsPlan
from stacks.saas.tenants import build_tenants
from stacks.workload_roles import CATALOGUE
from tests.synth.assembly import Template
from tests.synth.cases import artifact_keys
from tests.synth.configurations import AWS, TOOLCHAIN_ACCOUNT, WORKLOAD_ACCOUNTS, example
from tests.synth.iam import Toolchain
from tests.synth.synthesis import feature_flags
from tests.synth.test_functions import ENVIRONMENT_LIMIT, functions, variables

_RUNNER = "granary-resilience-runner"
_THERE = WORKLOAD_ACCOUNTS[0]
_RELEASES = f"arn:aws:s3:::granary-releases-{TOOLCHAIN_ACCOUNT}-us-east-1"
_NEW = {"s3:if-none-match": "*"}
_EXAMPLE = CONFIG_DIR / "examples" / "all"


@pytest.fixture(scope="module")
def template(templates_of: Callable[[str], list[Template]]) -> Template:
    (found,) = templates_of("resilience")
    return found


def _arn(resource: str, *, account: str = TOOLCHAIN_ACCOUNT) -> str:
    return f"arn:aws:{resource.replace('::', f':us-east-1:{account}:')}"


@pytest.mark.parametrize(
    ("action", "on", "given", "may"),
    [
        ("sts:AssumeRole", f"arn:aws:iam::{_THERE}:role/granary/granary-resilience-run", {}, True),
        ("sts:AssumeRole", f"arn:aws:iam::{_THERE}:role/granary/granary-resilience-experiment", {}, False),
        ("sts:AssumeRole", "arn:aws:iam::999999999999:role/granary/granary-resilience-run", {}, False),
        ("lambda:InvokeFunction", _arn("lambda::function:granary-tenants"), {}, True),
        ("lambda:InvokeFunction", _arn("lambda::function:granary-release"), {}, False),
        ("codepipeline:PutJobSuccessResult", "*", {}, True),
        ("codepipeline:StartPipelineExecution", "*", {}, False),
        ("s3:GetObject", f"{_RELEASES}/releases/r2/source.zip", {}, True),
        ("s3:PutObject", f"{_RELEASES}/releases/r2/source.zip", _NEW, False),
        ("s3:PutObject", f"{_RELEASES}/survivals/r2/canary/acme/1.json", _NEW, True),
        ("s3:PutObject", f"{_RELEASES}/survivals/r2/canary/acme/1.json", {}, False),
        ("s3:PutObject", f"{_RELEASES}/verdicts/r2/secrets/1.json", _NEW, False),
        ("events:PutEvents", _arn("events::event-bus/granary-lifecycle"), {}, True),
    ],
)
def test_the_function_may_do_its_own_work_and_no_more(
    template: Template, action: str, on: str, given: dict[str, str], may: bool
) -> None:
    assert Toolchain(template=template).allows(_RUNNER, action, on, given) is may


def test_its_name_is_the_one_that_workload_accounts_trust() -> None:
    roles = CATALOGUE["resilience"](Foundation.of(load(_EXAMPLE)))
    assert [role.roles for role in roles if role.purpose == "ResilienceRun"] == [[_RUNNER]]


def test_it_gets_the_settings_that_it_asks_for(template: Template) -> None:
    ((package, function),) = functions([template])
    asked = get_type_hints(Settings)
    assert set(variables(function)) == {name.upper() for name, kind in asked.items() if kind is not Document}
    (document,) = (package / DOCUMENTS).iterdir()
    assert (document.stem, Chaos.from_json(document.read_text(encoding="utf-8"))) == (
        "chaos",
        load(_EXAMPLE).rooms["resilience"].chaos(),  # type: ignore[attr-defined]
    )
    assert len(json.dumps(variables(function))) < ENVIRONMENT_LIMIT


def test_stops_and_the_clock_reach_it(template: Template) -> None:
    rules = [rule["Properties"] for _, rule in template.resources("AWS::Events::Rule")]
    (stops,) = [rule["EventPattern"] for rule in rules if "EventPattern" in rule]
    assert stops["detail-type"] == ["CodePipeline Pipeline Execution State Change"]
    assert set(stops["detail"]["state"]) == {"CANCELED", "FAILED", "STOPPED", "STOPPING", "SUPERSEDED"}
    assert [rule["ScheduleExpression"] for rule in rules if "ScheduleExpression" in rule] == ["rate(5 minutes)"]


def tenant_template(directory: Path, configuration: Configuration) -> dict[str, Any]:
    """The template of a tenant's pipeline."""
    record = DeploymentRecord(id="acme", type="silo", account=_THERE, region="us-east-1")
    plan = TenantsPlan(artifact_keys=artifact_keys(AWS), deployments=(record,))
    directory.mkdir()
    plan.write(directory / "plan.json")
    app = cdk.App(outdir=str(directory / "out"), context=feature_flags(), analytics_reporting=False)
    build_tenants(app, configuration=configuration, plan_file=str(directory / "plan.json"))
    template: dict[str, Any] = app.synth().get_stack_by_name("silo-acme-pipeline").template
    return template


def test_a_tenant_gets_an_action_and_no_resource_more(tmp_path: Path) -> None:
    configuration = example()
    off = {name: section for name, section in configuration.rooms.items() if name != "resilience"}
    on = tenant_template(tmp_path / "on", configuration)
    without = tenant_template(tmp_path / "off", configuration.model_copy(update={"rooms": off}))
    assert set(on["Resources"]) == set(without["Resources"])

    def last_stage(template: dict[str, Any]) -> list[str]:
        (pipeline,) = [it for it in template["Resources"].values() if it["Type"] == "AWS::CodePipeline::Pipeline"]
        actions = pipeline["Properties"]["Stages"][-1]["Actions"]
        return [one["Name"] for one in sorted(actions, key=lambda one: one["RunOrder"])]

    assert last_stage(on) == [*last_stage(without), "resilience-fis-trigger"]


def _workload_role(purpose: str) -> set[str]:
    """The actions of a role of the room in workload accounts, but for those that only look."""
    (role,) = [one for one in CATALOGUE["resilience"](Foundation.of(load(_EXAMPLE))) if one.name.endswith(purpose)]
    return {action for statement in role.statements for action in statement.actions}


def test_a_session_may_do_what_its_plan_needs() -> None:
    """And together all that the role may: what no session has, nobody can use."""
    section = load(_EXAMPLE).rooms["resilience"]
    assert isinstance(section, Section)
    rings = section.chaos().rings
    experiment = set(actions_for(rings["canary"]))
    build = set(actions_for(RingPlan(mode=Mode.VALIDATION, probes=(Probe(name="checks", build="x"),))))
    look = set(actions_for(rings["general"]))
    assert experiment | build == _workload_role("-run")
    assert experiment & build == look
    assert {action.partition(":")[0] for action in experiment - look} == {"fis", "iam"}
    assert {action.partition(":")[0] for action in build - look} == {"codebuild"}


def test_the_role_of_experiments_may_do_what_the_catalogue_has_and_no_more() -> None:
    """https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html"""
    needed = {
        "aws:ec2:reboot-instances": {"ec2:RebootInstances"},
        "aws:ec2:stop-instances": {"ec2:StartInstances", "ec2:StopInstances"},
        "aws:ecs:stop-task": {"ecs:StopTask"},
        "aws:rds:failover-db-cluster": {"rds:FailoverDBCluster"},
        "aws:rds:reboot-db-instances": {"rds:RebootDBInstance"},
    }
    assert set(needed) == set(ACTIONS)
    looks = re.compile(r"\w+:(Describe|List|Get)\w+|logs:\w+")
    assert {one for one in _workload_role("-experiment") if not looks.fullmatch(one)} == set().union(*needed.values())


def test_the_dashboard_says_what_each_ring_does(template: Template) -> None:
    ((_, dashboard),) = template.resources("AWS::CloudWatch::Dashboard")
    body = json.dumps(dashboard["Properties"]["DashboardBody"])
    for said in ("* canary: run stop-a-task", "* early: dry-run reboot-the-database", "* general: validation"):
        assert said in body
