"""The failover control plane: what either half may do, and what it must find in Route 53."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, get_type_hints

import aws_cdk as cdk
import pytest

from config.models.failover import Section
from lambdas.common.settings import DOCUMENTS
from lambdas.resilience.failover.executing import LEASE
from lambdas.resilience.failover.handler import Settings
from lambdas.resilience.failover_tenants.handler import Settings as TenantsSettings
from lambdas.resilience.failover_tenants.round import LEASE as ROUND
from lambdas.resilience.model.failover.catalogue import Catalogue
from lambdas.resilience.model.failover.names import COMMANDS, FailoverNames
from stacks.foundation import Foundation
from stacks.resilience.failover import FailoverStack
from tests.synth.assembly import Template, flat
from tests.synth.cases import FACTORIES
from tests.synth.configurations import AWS, TOOLCHAIN_ACCOUNT, configuration
from tests.synth.iam import Toolchain
from tests.synth.synthesis import feature_flags
from tests.synth.test_functions import GIVEN, functions

_NAMES = FailoverNames(prefix="granary")
_PLACES = {
    "failover-aws": ("us-east-1", "eu-west-1"),
    "failover-gov": ("us-gov-west-1", "us-gov-east-1"),
    "failover-china": ("cn-north-1", "cn-northwest-1"),
}
_SWITCHED = ["failover-aws", "failover-china"]
_ZONE = "arn:aws:route53:::hostedzone/Z0123456789EXAMPLE"
_TENANTS_ZONE = "arn:aws:route53:::hostedzone/Z5555555555EXAMPLE"
_SSM = "arn:aws:ssm:us-east-1:111111111111:parameter"

Stacks = Callable[[str], dict[str, Template]]


@pytest.fixture(scope="module")
def stacks(templates_of: Callable[[str], list[Template]]) -> Stacks:
    """The templates of a case by what follows `granary-resilience-failover-` in their names."""
    begin = "granary-resilience-failover-"
    return lambda case: {one.stack.removeprefix(begin): one for one in templates_of(case)}


def _only(template: Template, kind: str) -> Mapping[str, Any]:
    ((_, found),) = template.resources(kind)
    properties: Mapping[str, Any] = found["Properties"]
    return properties


@pytest.mark.parametrize("case", sorted(_PLACES))
def test_each_region_has_a_half_of_its_own(stacks: Stacks, case: str) -> None:
    found = stacks(case)
    for region in _PLACES[case]:
        assert found[region].region == found[f"data-{region}"].region == region
        assert _only(found[region], "AWS::ApiGatewayV2::Api")["ProtocolType"] == "HTTP"
        assert _only(found[region], "AWS::Events::EventBus")["Name"] == _NAMES.failover
        assert len(list(found[region].resources("AWS::CloudWatch::Dashboard"))) == 2


@pytest.mark.parametrize("case", sorted(_PLACES))
def test_nothing_of_a_half_is_in_the_other_region(stacks: Stacks, case: str) -> None:
    """But for what is drawn, for the alarms' names, and for an Aurora cluster's members."""
    for region, other in (_PLACES[case], _PLACES[case][::-1]):
        for _, resource in stacks(case)[region].resources():
            if resource["Type"] not in {"AWS::CloudWatch::Dashboard", "AWS::CloudWatch::Alarm"}:
                assert f":{other}:" not in json.dumps(resource)


@pytest.mark.parametrize("case", sorted(_PLACES))
def test_the_table_is_one_and_each_replica_has_its_regions_key(stacks: Stacks, case: str) -> None:
    first, second = _PLACES[case]
    table = _only(stacks(case)[f"data-{first}"], "AWS::DynamoDB::GlobalTable")
    keys = {one["Region"]: flat(one["SSESpecification"]["KMSMasterKeyId"]) for one in table["Replicas"]}
    assert set(keys) == {first, second}
    assert keys[second].endswith(f":kms:{second}:{TOOLCHAIN_ACCOUNT}:alias/granary-resilience-failover")
    key = _only(stacks(case)[f"data-{second}"], "AWS::KMS::Alias")
    assert key["AliasName"] == "alias/granary-resilience-failover"
    assert not list(stacks(case)[f"data-{second}"].resources("AWS::DynamoDB::GlobalTable"))


@pytest.mark.parametrize("case", sorted(_PLACES))
def test_every_command_is_a_route_that_iam_guards(stacks: Stacks, case: str) -> None:
    for region in _PLACES[case]:
        routes = [one["Properties"] for _, one in stacks(case)[region].resources("AWS::ApiGatewayV2::Route")]
        assert {one["RouteKey"] for one in routes} == {f"POST /{command}" for command in COMMANDS}
        assert {one["AuthorizationType"] for one in routes} == {"AWS_IAM"}


@pytest.mark.parametrize("case", _SWITCHED)
def test_what_takes_a_region_out_is_in_the_other_and_stays_as_it_is_without_data(stacks: Stacks, case: str) -> None:
    checks = [
        one["Properties"]["HealthCheckConfig"]
        for _, one in stacks(case)["checks"].resources("AWS::Route53::HealthCheck")
    ]
    assert len(checks) == 2, "one a Region of each group with a switch"
    for check in checks:
        assert (check["Type"], check["InsufficientDataHealthStatus"]) == ("CLOUDWATCH_METRIC", "LastKnownStatus")
        home = check["AlarmIdentifier"]["Region"]
        alarms = {
            one["Properties"].get("AlarmName"): one["Properties"]
            for _, one in stacks(case)[home].resources("AWS::CloudWatch::Alarm")
        }
        alarm = alarms[check["AlarmIdentifier"]["Name"]]
        dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        assert dimensions["Out"] != home
        assert (alarm["TreatMissingData"], alarm["Period"], alarm["Statistic"]) == ("ignore", 60, "Maximum")
        # Route 53 knows no M of N, and no extended statistic.
        assert alarm["EvaluationPeriods"] == 1
        assert "DatapointsToAlarm" not in alarm


@pytest.mark.parametrize("case", _SWITCHED)
def test_the_alarm_behind_a_switch_never_changes_under_its_name(stacks: Stacks, case: str) -> None:
    """A health check has the settings that the alarm had when it was made.

    Whoever changes this gives the alarm another name, and both are right here: health checks are updated to it.
    """
    for region, out in (_PLACES[case], _PLACES[case][::-1]):
        name = f"granary-resilience-failover-shop-{out}-out"
        (alarm,) = [
            one["Properties"]
            for _, one in stacks(case)[region].resources("AWS::CloudWatch::Alarm")
            if one["Properties"].get("AlarmName") == name
        ]
        told = {"AlarmActions", "AlarmDescription", "AlarmName", "OKActions", "Tags"}
        dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        assert {key: value for key, value in alarm.items() if key not in told} | {"Dimensions": dimensions} == {
            "Namespace": "Granary/Failover",
            "MetricName": "RegionOut",
            "Dimensions": {"Factory": "granary", "Group": "shop", "Out": out},
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "ignore",
        }


@pytest.mark.parametrize("case", _SWITCHED)
def test_a_health_check_that_records_may_still_name_stays(stacks: Stacks, case: str) -> None:
    """Its group is renamed, or gets no switch: its stack comes before those of the records."""
    checks = [one for _, one in stacks(case)["checks"].resources("AWS::Route53::HealthCheck")]
    assert {one["DeletionPolicy"] for one in checks} == {"RetainExceptOnCreate"}
    assert {one["UpdateReplacePolicy"] for one in checks} == {"Retain"}


def test_where_no_health_check_watches_an_alarm_there_is_none(stacks: Stacks) -> None:
    found = stacks("failover-gov")
    assert "checks" not in found
    assert "HealthCheckId" not in json.dumps([one.body for name, one in found.items() if "records" in name])


@pytest.mark.parametrize("case", sorted(_PLACES))
def test_an_application_has_a_record_a_region_with_all_weight_at_home(stacks: Stacks, case: str) -> None:
    first, second = _PLACES[case]
    template = stacks(case)["records-Z0123456789EXAMPLE"]
    groups = [one["Properties"]["RecordSets"] for _, one in template.resources("AWS::Route53::RecordSetGroup")]
    assert len(groups) == 2
    for its in groups:
        assert {one["SetIdentifier"]: one["Weight"] for one in its} == {first: 100, second: 0}
        checks = {json.dumps(one.get("HealthCheckId")) for one in its}
        assert len(checks) == (2 if case in _SWITCHED else 1), "a health check each"
        for one in its:
            # Nothing fails over by itself.
            assert one.get("AliasTarget", {}).get("EvaluateTargetHealth", False) is False


@pytest.mark.parametrize("case", sorted(_PLACES))
def test_the_function_gets_what_its_handler_asks_for(stacks: Stacks, case: str) -> None:
    for region in _PLACES[case]:
        ((package, function),) = [
            (package, one)
            for package, one in functions([stacks(case)[region]])
            if one["FunctionName"] == _NAMES.failover
        ]
        asked = get_type_hints(Settings)
        variables = function["Environment"]["Variables"]
        assert set(variables) == {name.upper() for name in asked if name != "catalogue"} - GIVEN
        document = (package / DOCUMENTS / "catalogue.json").read_text(encoding="utf-8")
        assert Catalogue.from_json(document).regions == _PLACES[case]
        # Whoever holds up a request has died, and acts on nothing that he saw.
        assert function["Timeout"] + 60 <= LEASE.total_seconds()
        role = flat(variables["ROLE_ARN"]).rsplit("/", 1)[-1]
        assert role == _NAMES.role(region)


@pytest.mark.parametrize(
    ("action", "on", "may"),
    [
        ("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:111111111111:table/granary-resilience-failover", True),
        ("dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:111111111111:table/granary-resilience-failover", False),
        ("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:111111111111:table/granary-deployments", False),
        ("dynamodb:UpdateItem", "arn:aws:dynamodb:eu-west-1:111111111111:table/granary-resilience-failover", False),
        ("route53:ListResourceRecordSets", _ZONE, True),
        ("route53:ListResourceRecordSets", "arn:aws:route53:::hostedzone/ZOTHER", False),
        ("route53:DeleteHealthCheck", "arn:aws:route53:::healthcheck/x", False),
        ("route53:UpdateHealthCheck", "arn:aws:route53:::healthcheck/x", False),
        ("sts:AssumeRole", "arn:aws:iam::111111111111:role/granary-resilience-failover-eu-west-1", True),
        ("sts:AssumeRole", "arn:aws:iam::111111111111:role/granary-resilience-failover-us-east-1", False),
        ("ssm:GetParameter", "arn:aws:ssm:eu-west-1:111111111111:parameter/shop/revision", True),
        ("ssm:GetParameter", "arn:aws:ssm:eu-west-1:111111111111:parameter/other", False),
        ("rds:FailoverGlobalCluster", "arn:aws:rds::111111111111:global-cluster:shop-orders", True),
        ("rds:FailoverGlobalCluster", "arn:aws:rds::111111111111:global-cluster:other", False),
        ("rds:RestoreDBInstanceToPointInTime", "arn:aws:rds:eu-west-1:111111111111:db:shop-reports", True),
        ("rds:RestoreDBInstanceToPointInTime", "arn:aws:rds:eu-west-1:111111111111:db:other", False),
        ("rds:DeleteDBInstance", "arn:aws:rds:eu-west-1:111111111111:db:shop-reports", False),
    ],
)
def test_the_function_may_do_its_own_work_and_no_more(stacks: Stacks, action: str, on: str, may: bool) -> None:
    roles = Toolchain(template=stacks("failover-aws")["eu-west-1"])
    assert roles.allows(_NAMES.role("eu-west-1"), action, on) is may


def _statement(template: Template, action: str, of: str = "Failover") -> Mapping[str, Any]:
    (policy,) = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for name, one in template.resources("AWS::IAM::Policy")
        if name.startswith(f"{of}Function")
    ]
    (found,) = [
        one for one in policy if action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    ]
    statement: Mapping[str, Any] = found
    return statement


def test_what_is_said_and_asked_for_is_never_deleted_and_a_record_neither(stacks: Stacks) -> None:
    half = stacks("failover-aws")["eu-west-1"]
    deletes = _statement(half, "dynamodb:DeleteItem")["Condition"]
    # An empty set of keys would satisfy ForAllValues alone.
    assert deletes == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["applications/*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    changes = _statement(half, "route53:ChangeResourceRecordSets")["Condition"]["ForAllValues:StringEquals"]
    assert changes["route53:ChangeResourceRecordSetsActions"] == ["UPSERT"]
    assert changes["route53:ChangeResourceRecordSetsRecordTypes"] == ["A", "CNAME"]


_TENANTS = "TenantsFunctionRole"


@pytest.mark.parametrize("case", sorted(_PLACES))
def test_tenants_are_made_applications_of_in_the_toolchains_region_alone(stacks: Stacks, case: str) -> None:
    home, other = _PLACES[case]
    name = f"{_NAMES.failover}-tenants"
    assert name not in {function["FunctionName"] for _, function in functions([stacks(case)[other]])}
    ((package, function),) = [
        (package, one) for package, one in functions([stacks(case)[home]]) if one["FunctionName"] == name
    ]
    asked = get_type_hints(TenantsSettings)
    variables = function["Environment"]["Variables"]
    assert set(variables) == {name.upper() for name in asked if name != "catalogue"} - GIVEN
    document = (package / DOCUMENTS / "catalogue.json").read_text(encoding="utf-8")
    (entry,) = Catalogue.from_json(document).tenants
    assert (entry.group, entry.record, entry.output) == ("shop", "{id}.tenants.example.com", "Address")
    rules = [one["Properties"] for _, one in stacks(case)[home].resources("AWS::Events::Rule")]
    (rule,) = [one for one in rules if one.get("ScheduleExpression") == "rate(5 minutes)"]
    (target,) = rule["Targets"]
    assert "TenantsFunction" in flat(target["Arn"])
    # A round at work is longer than the function may run.
    assert function["Timeout"] < ROUND.total_seconds()


@pytest.mark.parametrize(
    ("action", "on", "may"),
    [
        ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111111111111:function:granary-tenants", True),
        ("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111111111111:function:granary-sweep", False),
        ("dynamodb:Query", "arn:aws:dynamodb:us-east-1:111111111111:table/granary-resilience-failover", True),
        ("dynamodb:UpdateItem", "arn:aws:dynamodb:us-east-1:111111111111:table/granary-resilience-failover", False),
        ("dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:111111111111:table/granary-deployments", False),
        ("route53:ChangeResourceRecordSets", _TENANTS_ZONE, True),
        ("route53:ChangeResourceRecordSets", _ZONE, False),
        ("route53:ListResourceRecordSets", _TENANTS_ZONE, True),
        ("route53:ListResourceRecordSets", _ZONE, False),
        ("ssm:GetParameter", f"{_SSM}/granary/resilience/failover/checks/shop/eu-west-1", True),
        ("ssm:GetParameter", f"{_SSM}/granary/resilience/failover/checks/intranet/eu-west-1", False),
        ("ssm:GetParameter", f"{_SSM}/other", False),
        ("cloudwatch:PutMetricData", "*", False),
        ("sts:AssumeRole", "arn:aws:iam::111111111111:role/granary-resilience-failover-us-east-1", False),
    ],
)
def test_who_makes_applications_of_tenants_may_do_that_and_no_more(
    stacks: Stacks, action: str, on: str, may: bool
) -> None:
    template = stacks("failover-aws")["us-east-1"]
    (role,) = [name for name, _ in template.resources("AWS::IAM::Role") if name.startswith(_TENANTS)]
    assert Toolchain(template=template).allows(role, action, on) is may


def test_names_of_tenants_are_all_that_is_made_and_taken_away_of_a_zone(stacks: Stacks) -> None:
    half = stacks("failover-aws")["us-east-1"]
    key = "route53:ChangeResourceRecordSets"
    assert _statement(half, key, of="Tenants")["Condition"] == {
        "ForAllValues:StringEquals": {f"{key}Actions": ["CREATE", "DELETE"], f"{key}RecordTypes": ["CNAME"]},
        "ForAllValues:StringLike": {f"{key}NormalizedRecordNames": ["*.tenants.example.com"]},
    }
    for action, more in (("PutItem", ["history/*", "leases", "seen"]), ("DeleteItem", [])):
        assert _statement(half, f"dynamodb:{action}", of="Tenants")["Condition"] == {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["applications/*", "claims", *more]},
            "Null": {"dynamodb:LeadingKeys": "false"},
        }
    for region in _PLACES["failover-aws"]:
        zones = _statement(stacks("failover-aws")[region], key)["Resource"]
        assert any(flat(one).endswith(":hostedzone/Z5555555555EXAMPLE") for one in zones)


def test_nobody_else_may_turn_a_switch(stacks: Stacks, templates_of: Callable[[str], list[Template]]) -> None:
    """IAM tells metrics apart by their namespace alone."""
    half = stacks("failover-aws")["eu-west-1"]
    namespace = _statement(half, "cloudwatch:PutMetricData")["Condition"]["StringEquals"]["cloudwatch:namespace"]
    (switch,) = [
        one["Properties"]
        for _, one in half.resources("AWS::CloudWatch::Alarm")
        if one["Properties"]["MetricName"] == "RegionOut"
    ]
    assert switch["Namespace"] == namespace
    others = [
        statement["Condition"]["StringEquals"]["cloudwatch:namespace"]
        for template in templates_of(FACTORIES[0])
        for _, policy in template.resources("AWS::IAM::Policy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "cloudwatch:PutMetricData" in statement["Action"]
    ]
    assert others
    assert namespace not in others


@pytest.mark.parametrize("case", sorted(_PLACES))
def test_what_fails_is_tried_again_by_the_next_minute_only(stacks: Stacks, case: str) -> None:
    for region in _PLACES[case]:
        found = [one["Properties"] for _, one in stacks(case)[region].resources("AWS::Lambda::EventInvokeConfig")]
        assert {one["MaximumRetryAttempts"] for one in found} == {0}


def test_a_role_trusts_itself_for_drills_and_no_other(stacks: Stacks) -> None:
    half = stacks("failover-aws")["eu-west-1"]
    ((_, role),) = [
        (name, one)
        for name, one in half.resources("AWS::IAM::Role")
        if "failover" in str(one["Properties"].get("RoleName"))
    ]
    service, itself = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert service["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert flat(itself["Condition"]["ArnEquals"]["aws:PrincipalArn"]).endswith(
        ":role/granary-resilience-failover-eu-west-1"
    )


@pytest.mark.parametrize("case", sorted(_PLACES))
def test_each_half_works_each_minute_and_tells_people_itself(stacks: Stacks, case: str) -> None:
    for region in _PLACES[case]:
        rules = [one["Properties"] for _, one in stacks(case)[region].resources("AWS::Events::Rule")]
        assert "rate(1 minute)" in {one.get("ScheduleExpression") for one in rules}
        emails = [one["Properties"]["Endpoint"] for _, one in stacks(case)[region].resources("AWS::SNS::Subscription")]
        assert emails == ["operators@example.com"]


def test_the_dashboard_draws_both_regions(stacks: Stacks) -> None:
    bodies = [
        flat(one["Properties"]["DashboardBody"])
        for _, one in stacks("failover-aws")["eu-west-1"].resources("AWS::CloudWatch::Dashboard")
    ]
    shop = next(one for one in bodies if '"shop"' in one)
    titles = {one["properties"]["title"] for one in json.loads(shop)["widgets"]}
    assert titles == {
        "Per cent of applications by Region",
        "Traffic",
        "Errors",
        "Seconds that the data is behind",
        "Capacity",
    }
    assert {"us-east-1", "eu-west-1"} <= {one for one in ("us-east-1", "eu-west-1") if f'"region":"{one}"' in shop}


def _largest() -> Section:
    """As many of all that the function's policies name, with names as long, as the configuration takes."""

    def name(number: int) -> str:
        return f"{'a' * 28}{number:03}"

    def database(number: int) -> dict[str, Any]:
        backups = f"arn:aws:rds:eu-west-1:{TOOLCHAIN_ACCOUNT}:auto-backup:ab"
        restore = {"backups": backups, "instance": name(number), "subnet_group": name(number)}
        return {"name": name(number), "restores": dict.fromkeys(AWS.regions, restore)}

    groups = [
        {
            "name": name(number),
            "primary": AWS.regions[0],
            "alarms": {region: ["x"] for region in AWS.regions},
            "revision": f"/{number:0200}",
            "databases": [database(one) for one in range(number, 30, 20)],
        }
        for number in range(20)
    ]
    applications = [
        {
            "name": name(number),
            "group": name(0),
            "record": f"{name(number)}.example.com",
            "zone": f"Z{number:031}",
            "endpoints": {region: {"dns_name": "x.example.net"} for region in AWS.regions},
        }
        for number in range(30)
    ]
    # The zones that are left, and names as long as they may be.
    tenants = [
        {
            "group": name(number),
            "zone": f"Z{number:031}",
            "record": f"{number:09}-{{id}}.{'.'.join(['a' * 60] * 3)}.b",
            "output": "Endpoint",
        }
        for number in range(10)
    ]
    return Section.model_validate(
        {
            "regions": AWS.regions,
            "groups": groups,
            "applications": applications,
            "tenants": tenants,
        }
    )


@pytest.mark.parametrize("number", [0, 1])
def test_the_largest_configuration_fits_into_the_functions_policies(number: int) -> None:
    app = cdk.App(context=feature_flags(), analytics_reporting=False)
    foundation = Foundation.of(configuration(AWS))
    made = FailoverStack(app, foundation=foundation, section=_largest(), region=AWS.regions[number])
    resources = app.synth().get_stack_artifact(made.artifact_id).template["Resources"].values()
    given = {
        "${AWS::Partition}": "aws-us-gov",
        "${AWS::Region}": "us-gov-west-1",
        "${AWS::AccountId}": TOOLCHAIN_ACCOUNT,
    }
    managed = 0
    for kind, limit in (("AWS::IAM::Policy", 10_240), ("AWS::IAM::ManagedPolicy", 6_144)):
        for policy in (one["Properties"]["PolicyDocument"] for one in resources if one["Type"] == kind):
            text = reduce(lambda text, its: text.replace(*its), given.items(), _unspaced(policy))
            assert len(text) <= limit
            managed += kind == "AWS::IAM::ManagedPolicy"
    assert managed <= 10, "a role has no more"


def _unspaced(value: Any) -> str:
    """As IAM counts it: without the space between."""
    if isinstance(value, dict) and not set(value) & {"Fn::Join", "Ref", "Fn::GetAtt"}:
        return "{" + ",".join(f'"{key}":{_unspaced(one)}' for key, one in value.items()) + "}"
    return "[" + ",".join(map(_unspaced, value)) + "]" if isinstance(value, list) else f'"{flat(value)}"'
