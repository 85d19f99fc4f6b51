"""What people see and hear: notifications, chat channels, the fleet's dashboard and the alarms."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from constructs_lib.saas.fleet_dashboard import FleetMetrics
from lambdas.saas.model.failures import FailureCategory
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.status import Outcome, Phase
from stacks.saas.factory import build_factory
from tests.synth.assembly import Template, as_list, flat, read_templates
from tests.synth.cases import CASES, FACTORIES
from tests.synth.configurations import AWS, configuration
from tests.synth.rules.policies import statements
from tests.synth.synthesis import feature_flags

Read = Callable[[str], list[Template]]

_CHAT_TYPES = ("AWS::Chatbot::SlackChannelConfiguration", "AWS::Chatbot::MicrosoftTeamsChannelConfiguration")
_READING = {
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "cloudwatch:GetMetricWidgetImage",
    "cloudwatch:ListMetrics",
}


@pytest.fixture
def read(templates_of: Read) -> Callable[[str], Template]:
    """The toolchain's template of a case."""

    def find(case: str) -> Template:
        (template,) = [found for found in templates_of(case) if found.stack == "granary-toolchain"]
        return template

    return find


def topic(template: Template, name: str) -> str:
    """Logical id of the topic with a name."""
    (found,) = [
        logical_id
        for logical_id, resource in template.resources("AWS::SNS::Topic")
        if resource["Properties"]["TopicName"] == name
    ]
    return found


def people_rule(template: Template) -> Mapping[str, Any]:
    """The rule for events that tell people."""
    (found,) = [
        resource["Properties"]
        for _, resource in template.resources("AWS::Events::Rule")
        if "notification" in resource["Properties"].get("EventPattern", {}).get("detail", {})
    ]
    return dict(found)


def dashboard(template: Template, name: str) -> dict[str, Any]:
    """The body of the dashboard with a name; what is known on deployment only is text in it."""
    (body,) = [
        resource["Properties"]["DashboardBody"]
        for _, resource in template.resources("AWS::CloudWatch::Dashboard")
        if resource["Properties"]["DashboardName"] == name
    ]
    parsed: dict[str, Any] = json.loads(flat(body))
    return parsed


def alarms(template: Template) -> list[Mapping[str, Any]]:
    """The properties of every alarm."""
    return [resource["Properties"] for _, resource in template.resources("AWS::CloudWatch::Alarm")]


def test_one_event_goes_to_e_mail_and_to_chat_as_it_is(read: Callable[[str], Template]) -> None:
    """No value is put into a template of JSON: a path hands it on."""
    template = read("factory-s3")
    rule = people_rule(template)
    assert rule["EventPattern"] == {"source": ["granary"], "detail": {"notification": {"version": ["1.0"]}}}
    paths = {flat(target["Arn"]): target["InputPath"] for target in rule["Targets"]}
    assert paths == {
        f"${{{topic(template, 'granary-failures')}}}": "$.detail.message",
        f"${{{topic(template, 'granary-chat')}}}": "$.detail.notification",
    }
    assert all("DeadLetterConfig" in target for target in rule["Targets"])


@pytest.mark.parametrize("case", FACTORIES)
def test_channels_are_there_when_they_are_configured(read: Callable[[str], Template], case: str) -> None:
    found = [resource["Type"] for _, resource in read(case).resources(*_CHAT_TYPES)]
    assert sorted(found) == (sorted(_CHAT_TYPES) if case == "factory-home" else [])


def test_members_of_a_channel_can_do_no_more_than_look(read: Callable[[str], Template]) -> None:
    """Role and guardrail are one and the same policy, and it reads CloudWatch."""
    template = read("factory-home")
    ((guardrail, policy),) = [
        (logical_id, resource)
        for logical_id, resource in template.resources("AWS::IAM::ManagedPolicy")
        if logical_id.startswith("Chat")
    ]
    actions = {
        action for one in policy["Properties"]["PolicyDocument"]["Statement"] for action in as_list(one["Action"])
    }
    assert actions == _READING
    ((role, chat_role),) = [
        (logical_id, resource["Properties"])
        for logical_id, resource in template.resources("AWS::IAM::Role")
        if logical_id.startswith("Chat")
    ]
    assert chat_role["ManagedPolicyArns"] == [{"Ref": guardrail}]
    inline = [one for _, one in template.resources("AWS::IAM::Policy") if {"Ref": role} in one["Properties"]["Roles"]]
    assert inline == []
    (trust,) = chat_role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "chatbot.amazonaws.com"}
    assert set(trust["Condition"]) == {"StringEquals", "ArnLike"}
    for _, channel in template.resources(*_CHAT_TYPES):
        assert channel["Properties"]["GuardrailPolicies"] == [{"Ref": guardrail}]
        assert channel["Properties"]["SnsTopicArns"] == [{"Ref": topic(template, "granary-chat")}]
        assert flat(channel["Properties"]["IamRoleArn"]) == f"${{{role}.Arn}}"


def test_both_topics_take_alarms_and_events_only(read: Callable[[str], Template]) -> None:
    template = read("factory-s3")
    publishing = {
        (service, resource)
        for statement in statements(template)
        if statement.allows and "sns:Publish" in statement.actions
        for service in statement.services
        for resource in statement.resources
    }
    topics = [f"${{{topic(template, f'granary-{name}')}}}" for name in ("failures", "chat")]
    assert publishing == {(f"{service}.amazonaws.com", arn) for service in ("cloudwatch", "events") for arn in topics}


@pytest.mark.parametrize("case", FACTORIES)
def test_the_fleets_dashboard_keeps_the_limits(read: Callable[[str], Template], case: str) -> None:
    """500 widgets a dashboard, 500 metrics a widget, 2,500 in all; and no ring or tenant is named in it."""
    body = dashboard(read(case), "granary-fleet")
    widgets = [widget for widget in body["widgets"] if widget["type"] == "metric"]
    assert len(body["widgets"]) == 9
    assert max(len(widget["properties"]["metrics"]) for widget in widgets) <= 500
    assert sum(len(widget["properties"]["metrics"]) for widget in widgets) <= 2_500
    assert not re.search("canary|early|general", json.dumps(body))


def test_the_fleets_dashboard_shows_every_phase_reason_and_outcome(read: Callable[[str], Template]) -> None:
    body = json.dumps(dashboard(read("factory-s3"), "granary-fleet"))
    for value in (*Phase, *FailureCategory, *Outcome):
        assert f'"{value}"' in body
    for name in ("ReleaseTotal", "ReleaseDone", "ReleaseFailed"):
        assert f'{{Granary,Factory,Ring}} MetricName=\\"{name}\\" Factory=\\"granary\\"' in body
    # Three lines a ring: each has to say which it is.
    assert [f"${{PROP('Dim.Ring')}}: {name}" in body for name in ("in all", "done", "failed")] == [True] * 3
    for machine in ("granary-release", "granary-lifecycle"):
        assert f":stateMachine:{machine}" in body


@pytest.mark.parametrize("machine", ["granary-release", "granary-lifecycle"])
def test_executions_that_fail_raise_an_alarm(read: Callable[[str], Template], machine: str) -> None:
    metrics = {
        alarm["MetricName"]
        for alarm in alarms(read("factory-s3"))
        for dimension in alarm.get("Dimensions", [])
        if flat(dimension["Value"]).endswith(f":stateMachine:{machine}")
    }
    assert metrics == {"ExecutionsFailed", "ExecutionsTimedOut"}


@pytest.mark.parametrize(
    "job", ["onboard", "sweep", "pipeline-watch", "lifecycle-publish", "release", "release-advance", "lifecycle"]
)
def test_errors_of_the_functions_raise_an_alarm(read: Callable[[str], Template], job: str) -> None:
    template = read("factory-s3")
    (function,) = [
        logical_id
        for logical_id, resource in template.resources("AWS::Lambda::Function")
        if resource["Properties"]["FunctionName"] == f"granary-{job}"
    ]
    (alarm,) = [
        alarm
        for alarm in alarms(template)
        if alarm["MetricName"] == "Errors"
        and {"Name": "FunctionName", "Value": {"Ref": function}} in alarm["Dimensions"]
    ]
    assert (alarm["Threshold"], alarm["Statistic"], alarm["Period"]) == (0, "Sum", 300)


def test_a_row_that_waits_for_half_an_hour_raises_an_alarm(read: Callable[[str], Template]) -> None:
    (alarm,) = [alarm for alarm in alarms(read("factory-s3")) if alarm["MetricName"] == "OldestPendingAge"]
    assert (alarm["Threshold"], alarm["Namespace"], alarm["Statistic"]) == (1_800, "Granary", "Maximum")
    assert alarm["Dimensions"] == [{"Name": "Factory", "Value": "granary"}]


def test_retirements_that_are_held_raise_an_alarm(read: Callable[[str], Template]) -> None:
    (alarm,) = [alarm for alarm in alarms(read("factory-s3")) if alarm["MetricName"] == "RemovalsHeld"]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


def test_what_cannot_be_read_raises_an_alarm(read: Callable[[str], Template]) -> None:
    (alarm,) = [alarm for alarm in alarms(read("factory-s3")) if alarm["MetricName"] == "Unreadable"]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert alarm["Dimensions"] == [{"Name": "Factory", "Value": "granary"}]


@pytest.fixture
def hourly(tmp_path: Path) -> Template:
    """The toolchain's template with a sweep that comes once an hour."""
    known = configuration(AWS)
    provisioning = known.toolchain.provisioning.model_copy(update={"sweep_minutes": 60})
    toolchain = known.toolchain.model_copy(update={"provisioning": provisioning})
    app = cdk.App(outdir=str(tmp_path), context=feature_flags(), analytics_reporting=False)
    build_factory(app, configuration=known.model_copy(update={"toolchain": toolchain}))
    app.synth()
    (template,) = [
        found for found in read_templates(tmp_path, place=AWS, given=()) if found.stack == "granary-toolchain"
    ]
    return template


def fleet_periods(template: Template) -> set[int]:
    """Every period of the metrics that the sweep writes, in alarms and in the fleet's dashboard."""
    found = {alarm["Period"] for alarm in alarms(template) if alarm["Namespace"] == "Granary"}
    for widget in dashboard(template, "granary-fleet")["widgets"]:
        for line in widget["properties"]["metrics"]:
            options = line[-1] if isinstance(line[-1], dict) else {}
            if line[0] == "Granary" or "SEARCH" in options.get("expression", ""):
                found.add(options.get("period", widget["properties"].get("period", 300)))
                found |= {int(period) for period in re.findall(r"'Maximum', (\d+)\)", options.get("expression", ""))}
    return found


def test_what_the_sweep_writes_is_shown_in_its_interval(read: Callable[[str], Template], hourly: Template) -> None:
    """In a shorter period there would be no value most of the time, and the alarm would come and go."""
    assert fleet_periods(read("factory-s3")) == {300}
    assert fleet_periods(hourly) == {3_600}


@pytest.mark.parametrize(("seconds", "period"), [(30, 60), (60, 60), (90, 120), (300, 300), (3_600, 3_600)])
def test_a_period_is_one_that_cloudwatch_takes(seconds: int, period: int) -> None:
    fleet = FleetMetrics(SaasNames(prefix="granary"), sweep_interval=cdk.Duration.seconds(seconds))
    assert fleet.of("OldestPendingAge").period.to_seconds() == period


@pytest.mark.parametrize(
    ("case", "console"),
    [
        ("factory-s3", "console.aws.amazon.com"),
        ("factory-gov", "console.amazonaws-us-gov.com"),
        ("factory-china", "console.amazonaws.cn"),
    ],
)
def test_a_failed_pipeline_is_told_with_a_link(read: Callable[[str], Template], case: str, console: str) -> None:
    template = read(case)
    (rule,) = [
        resource["Properties"]
        for logical_id, resource in template.resources("AWS::Events::Rule")
        if "CicdFailed" in logical_id
    ]
    region = CASES[case].place.home
    for target in rule["Targets"]:
        transformed = target["InputTransformer"]
        assert list(transformed["InputPathsMap"].values()) == ["$.detail.execution-id"]
        (name,) = transformed["InputPathsMap"]
        path = f"codesuite/codepipeline/pipelines/granary-cicd/executions/<{name}>/timeline?region={region}"
        assert f"https://{console}/{path}" in flat(transformed["InputTemplate"])


def test_every_alarm_tells_people_by_e_mail_and_in_chat(read: Callable[[str], Template]) -> None:
    template = read("factory-s3")
    both = {topic(template, "granary-failures"), topic(template, "granary-chat")}
    assert alarms(template)
    for alarm in alarms(template):
        assert {action["Ref"] for action in alarm["AlarmActions"]} == both


def test_the_sweep_may_write_metrics_of_the_factorys_namespace_alone(read: Callable[[str], Template]) -> None:
    writing = [one for one in statements(read("factory-s3")) if "cloudwatch:PutMetricData" in one.actions]
    assert [one.body["Condition"] for one in writing] == [{"StringEquals": {"cloudwatch:namespace": "Granary"}}]


def test_the_publisher_reads_both_streams(read: Callable[[str], Template]) -> None:
    template = read("factory-s3")
    tables = {
        resource["Properties"]["TableName"]: logical_id
        for logical_id, resource in template.resources("AWS::DynamoDB::Table")
    }
    streams = {
        flat(resource["Properties"]["EventSourceArn"])
        for _, resource in template.resources("AWS::Lambda::EventSourceMapping")
        if "LifecyclePublish" in flat(resource["Properties"]["FunctionName"])
    }
    expected = ("granary-deployment-status", "granary-releases")
    assert streams == {f"${{{tables[name]}.StreamArn}}" for name in expected}
