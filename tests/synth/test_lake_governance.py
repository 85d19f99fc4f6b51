"""The stack that governs the lakes: who may do what, what starts a run, and what a run may never keep to itself."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from config.loader import CONFIG_DIR, load
from constructs_lib.lake.governance_states import GovernanceStates
from lambdas.common.names import Names
from lambdas.lake.model.governance.policy import Policy
from stacks.foundation import Foundation
from stacks.workload_roles import CATALOGUE
from tests.synth.assembly import Template, as_list, flat
from tests.synth.configurations import TOOLCHAIN_ACCOUNT, WORKLOAD_ACCOUNTS
from tests.synth.iam import Toolchain
from tests.synth.test_functions import functions

_LAKE = WORKLOAD_ACCOUNTS[0]
_DISCOVER, _APPLY = "granary-lake-discover", "granary-lake-apply"
_REPORTS = f"arn:aws:s3:::granary-reports-{TOOLCHAIN_ACCOUNT}-us-east-1"
_PLANS = f"arn:aws:s3:::granary-lake-plans-{TOOLCHAIN_ACCOUNT}-us-east-1"


@pytest.fixture(scope="module")
def template(templates_of: Callable[[str], list[Template]]) -> Template:
    (found,) = templates_of("lake-governance")
    return found


@pytest.fixture(scope="module")
def roles(template: Template) -> Toolchain:
    return Toolchain(template=template)


def _role(account: str, purpose: str) -> str:
    return f"arn:aws:iam::{account}:role/granary/granary-lake-{purpose}"


@pytest.mark.parametrize(
    ("role", "action", "on", "may"),
    [
        (_DISCOVER, "sts:AssumeRole", _role(_LAKE, "catalog-read"), True),
        (_DISCOVER, "sts:AssumeRole", _role(_LAKE, "catalog-admin"), False),
        (_DISCOVER, "sts:AssumeRole", _role(_LAKE, "deploy"), False),
        (_DISCOVER, "sts:AssumeRole", _role("333333333333", "catalog-read"), False),
        (_APPLY, "sts:AssumeRole", _role(_LAKE, "catalog-read"), True),
        (_APPLY, "sts:AssumeRole", _role(_LAKE, "catalog-admin"), True),
        (_APPLY, "sts:AssumeRole", _role("333333333333", "catalog-admin"), False),
        (_APPLY, "s3:PutObject", f"{_PLANS}/plans/{_LAKE}/eu-west-1/a.json", True),
        (_APPLY, "s3:PutObject", f"{_PLANS}/other", False),
        (_APPLY, "s3:DeleteObject", f"{_PLANS}/plans/{_LAKE}/eu-west-1/a.json", False),
        (_DISCOVER, "s3:PutObject", f"{_REPORTS}/findings/_lake/{_LAKE}/us-east-1/permissions/1.jsonl.gz", True),
        (_DISCOVER, "s3:PutObject", f"{_REPORTS}/findings/source/secrets/1.jsonl.gz", False),
        (_APPLY, "s3:PutObject", f"{_REPORTS}/findings/_lake/{_LAKE}/us-east-1/permissions/1.jsonl.gz", False),
        (_DISCOVER, "states:StartExecution", "arn:aws:states:us-east-1:111111111111:stateMachine:any", False),
        (_DISCOVER, "lakeformation:GrantPermissions", "*", False),
    ],
)
def test_a_function_may_do_its_own_work_and_no_more(
    roles: Toolchain, role: str, action: str, on: str, may: bool
) -> None:
    assert roles.allows(role, action, on) is may


def test_the_names_are_those_that_the_lakes_accounts_trust(roles: Toolchain) -> None:
    foundation = Foundation.of(load(CONFIG_DIR / "examples" / "all"))
    trusted = {one for role in CATALOGUE["lake"](foundation) if "catalog" in role.name for one in role.roles}
    assert trusted == {_DISCOVER, _APPLY}
    for name in trusted:
        roles.role(name)


def test_the_function_that_writes_notices_may_reach_nothing(roles: Toolchain, template: Template) -> None:
    (tell,) = [name for name, _ in template.resources("AWS::IAM::Role") if "Tell" in name]
    for action in ("sts:AssumeRole", "dynamodb:GetItem", "s3:GetObject"):
        assert not roles.allows(tell, action, "*")


def test_functions_get_the_settings_that_they_ask_for_and_the_file(template: Template) -> None:
    found = {function["FunctionName"]: (package, function) for package, function in functions([template])}
    assert set(found) == {_DISCOVER, _APPLY, "granary-lake-tell"}
    for name, more in ((_DISCOVER, {"REPORTS_BUCKET"}), (_APPLY, set())):
        package, function = found[name]
        assert set(function["Environment"]["Variables"]) == {"GOVERNANCE_TABLE", "PLANS_BUCKET", *more}
        # The lease of a run is as long, and not much longer.
        assert function["Timeout"] == 900
        policy = Policy.from_json((package / "documents" / "permissions.json").read_text(encoding="utf-8"))
        # By the file, and by the schema of a dataset.
        assert policy.prefix == "granary"
        assert policy.classes_of("granary_lake_dev_conformed", "green_trips", "pickup_location_id") == ("location",)
        assert policy.classes_of("granary_lake_dev_purpose_built", "trips_by_payment", "pickup_location_id") == (
            "location",
        )
        assert "location" in policy.classes_of("granary_lake_prod_conformed", "green_trips_quarantine", "row")
        assert policy.classes_of("granary_lake_dev_conformed", "green_trips", "fare_amount") == ()
    assert set(found["granary-lake-tell"][1]["Environment"]["Variables"]) == {"PLANS_BUCKET"}


def test_each_environment_runs_hourly_and_when_its_lake_has_changed(template: Template) -> None:
    environments = {"dev": "us-east-1", "prod": "eu-west-1"}
    rules = [rule["Properties"] for _, rule in template.resources("AWS::Events::Rule")]
    hourly = {one["Targets"][0]["Input"] for one in rules if one.get("ScheduleExpression") == "rate(1 hour)"}
    wanted = {name: json.dumps({"account": _LAKE, "region": region}) for name, region in environments.items()}
    assert {json.dumps(json.loads(one)) for one in hourly} == set(wanted.values())
    changed = {
        one["EventPattern"]["detail"]["environment"][0]: json.dumps(json.loads(one["Targets"][0]["Input"]))
        for one in rules
        if one.get("EventPattern", {}).get("detail-type") == ["Lake Changed"]
        and one["EventBusName"].endswith(Names(prefix="granary").event_bus)
    }
    assert changed == wanted
    monthly = {one["Targets"][0]["Input"] for one in rules if one.get("ScheduleExpression") == "cron(0 6 1 * ? *)"}
    assert {json.dumps(json.loads(one)) for one in monthly} == {
        json.dumps({"account": _LAKE, "region": region, "report": "last"}) for region in environments.values()
    }
    assert len(rules) == 7
    assert all(one["Targets"][0]["DeadLetterConfig"] for one in rules)


def test_rules_act_by_a_role_that_trusts_them_and_no_others(roles: Toolchain, template: Template) -> None:
    (role,) = [name for name, _ in template.resources("AWS::IAM::Role") if "EventRole" in name]
    place = f"arn:aws:events:us-east-1:{TOOLCHAIN_ACCOUNT}:rule"
    for _, rule in template.resources("AWS::Events::Rule"):
        name = rule["Properties"]["Name"]
        assert rule["Properties"]["Targets"][0]["RoleArn"] == {"Fn::GetAtt": [role, "Arn"]}
        for arn in (f"{place}/{name}", f"{place}/granary-lifecycle/{name}"):
            assert roles.trusts(role, "events.amazonaws.com", arn)
    assert not roles.trusts(role, "events.amazonaws.com", f"{place}/granary-lake-other")


def test_rules_may_start_the_machine_alone(template: Template) -> None:
    ((machine, _),) = template.resources("AWS::StepFunctions::StateMachine")
    starts = [
        flat(one["Resource"])
        for _, policy in template.resources("AWS::IAM::Policy")
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
        if "states:StartExecution" in as_list(one["Action"])
    ]
    assert starts == [f"${{{machine}}}"]


def test_the_template_has_the_definition(template: Template) -> None:
    ((_, machine),) = template.resources("AWS::StepFunctions::StateMachine")
    made = GovernanceStates(discover="", apply="", tell="", bus="", source="").definition()
    assert set(json.loads(flat(machine["Properties"]["DefinitionString"]))["States"]) == set(made["States"])


def test_what_was_reported_and_signed_is_not_written_anew(template: Template) -> None:
    (denied,) = (
        statement
        for _, policy in template.resources("AWS::S3::BucketPolicy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and "s3:PutObject" in as_list(statement["Action"])
    )
    assert flat(denied["Resource"]).endswith("/plans/*/reports/*")
    assert denied["Condition"] == {"Null": {"s3:if-none-match": "true"}}
