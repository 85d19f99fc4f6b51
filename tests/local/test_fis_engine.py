"""Experiments on the local cloud: they stop real tasks, as their role, and end as alarms, people and the lever say."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.ecs_support import Shop
from tests.local.local_cloud_fixtures import Workbench, allow, wait_until

FIS = {"Service": "fis.amazonaws.com"}
OVER = ("completed", "stopped", "failed", "cancelled")
_STOP = {"actionId": "aws:ecs:stop-task", "targets": {"Tasks": "tasks"}}
_NEEDED = ("tag:GetResources", "ecs:ListTasks", "ecs:DescribeTasks", "ecs:StopTask")
_TAGS = [{"key": "granary:deployment", "value": "acme"}]


def _waits(minutes: int, **more: Any) -> dict[str, Any]:
    return {"actionId": "aws:fis:wait", "parameters": {"duration": f"PT{minutes}M"}, **more}


@dataclass(frozen=True, kw_only=True)
class Lab:
    """An account that experiments."""

    shop: Shop
    tokens: list[str] = field(default_factory=list)

    @property
    def workbench(self) -> Workbench:
        """The account."""
        return self.shop.workbench

    @property
    def client(self) -> Any:
        """FIS, as the account's root."""
        return self.workbench.client("fis")

    def role(self, *actions: str, name: str = "fis") -> str:
        """A role that experiments can have."""
        return self.workbench.role(name, principal=FIS, statements=[allow(*actions)] if actions else [])

    def template(self, *, role: str = "", client: Any = None, **given: Any) -> str:
        """A template that stops the tasks of a tag; its id."""
        target = {
            "resourceType": "aws:ecs:task",
            "resourceTags": {one["key"]: one["value"] for one in _TAGS},
            "selectionMode": "ALL",
            **given.pop("target", {}),
        }
        actions = given.pop("actions", {"stop": _STOP})
        targets = {"tasks": target} if _STOP in actions.values() or "targets" in str(actions) else {}
        asked = {
            "description": "a test",
            "stopConditions": [{"source": "none"}],
            "targets": targets,
            "actions": actions,
            "roleArn": role or self.role(*_NEEDED),
            **given,
        }
        made = (client or self.client).create_experiment_template(**asked)["experimentTemplate"]
        return str(made["id"])

    def start(self, template: str, **given: Any) -> str:
        """Start an experiment; its id."""
        return str(self.client.start_experiment(experimentTemplateId=template, **given)["experiment"]["id"])

    def get(self, experiment: str) -> dict[str, Any]:
        """An experiment."""
        found: dict[str, Any] = self.client.get_experiment(id=experiment)["experiment"]
        return found

    def is_in(self, experiment: str, *states: str) -> dict[str, Any]:
        """The experiment once it is in one of these states."""

        def there() -> dict[str, Any] | None:
            found = self.get(experiment)
            return found if found["state"]["status"] in states else None

        found: dict[str, Any] = wait_until(there, what=f"one of {states}")
        return found

    def ended(self, template: str, **given: Any) -> tuple[str, str]:
        """How an experiment ends: status and reason."""
        state = self.is_in(self.start(template, **given), *OVER)["state"]
        return state["status"], state.get("reason", "")

    def resolved(self, experiment: str) -> list[str]:
        """The ARNs of the targets of an experiment."""
        found = self.client.list_experiment_resolved_targets(experimentId=experiment)["resolvedTargets"]
        return [one["targetInformation"]["arn"] for one in found]


@pytest.fixture
def lab(workbench: Workbench) -> Lab:
    """An account."""
    return Lab(shop=Shop(workbench=workbench))


def _statuses(experiment: Mapping[str, Any]) -> dict[str, str]:
    return {name: action["state"]["status"] for name, action in experiment["actions"].items()}


@pytest.mark.usefixtures("no_faults")
def test_the_fault_drops_the_steady_state_and_its_alarm_stops_the_experiment(lab: Lab) -> None:
    faults = lab.workbench.cloud.faults
    faults.set({"cloudwatch": {"seconds_a_minute": 2}})
    service = lab.shop.create(count=2, tags=_TAGS)
    cloudwatch = lab.workbench.client("cloudwatch")
    found = wait_until(
        lambda: cloudwatch.list_metrics(Namespace="AWS/ApplicationELB", MetricName="HealthyHostCount")["Metrics"],
        what="the metric",
    )
    cloudwatch.put_metric_alarm(
        AlarmName="healthy", Namespace="AWS/ApplicationELB", MetricName="HealthyHostCount", Statistic="Minimum",
        Dimensions=found[0]["Dimensions"], Period=60, EvaluationPeriods=1, Threshold=2,
        ComparisonOperator="LessThanThreshold", TreatMissingData="ignore",
    )  # fmt: skip
    (alarm,) = wait_until(lambda: cloudwatch.describe_alarms(StateValue="OK")["MetricAlarms"], what="a healthy service")
    before = lab.shop.tasks()
    # However busy this machine is, what is stopped is missed until the end of the test.
    faults.set({"ecs": {"start_seconds": 600}})
    condition = {"source": "aws:cloudwatch:alarm", "value": alarm["AlarmArn"]}
    template = lab.template(
        target={"selectionMode": "COUNT(1)"},
        actions={"wait": _waits(60), "stop": _STOP},
        stopConditions=[condition],
    )
    experiment = lab.is_in(lab.start(template), *OVER)
    assert experiment["state"] == {"status": "stopped", "reason": "Experiment halted by stop condition."}
    assert _statuses(experiment) == {"stop": "completed", "wait": "stopped"}
    (hit,) = lab.resolved(experiment["id"])
    assert hit in before
    (stopped,) = lab.shop.client.describe_tasks(tasks=[hit])["tasks"]
    assert stopped["lastStatus"] == "STOPPED"
    # While the alarm is on, none starts.
    again = lab.is_in(lab.start(template), *OVER)
    assert (again["state"]["status"], _statuses(again)) == ("stopped", {"stop": "cancelled", "wait": "cancelled"})
    faults.set({"ecs": {"start_seconds": 0}})
    lab.shop.steady("shop", 2)
    assert hit not in lab.shop.tasks()
    lab.shop.answers(service)


def test_a_dry_run_says_what_it_would_hit_and_hits_nothing(lab: Lab) -> None:
    lab.shop.create(count=2, tags=_TAGS)
    tasks = lab.shop.tasks()
    options = {"actionsMode": "skip-all"}
    experiment = lab.is_in(lab.start(lab.template(), experimentOptions=options), *OVER)
    assert (experiment["state"]["status"], _statuses(experiment)) == ("completed", {"stop": "skipped"})
    assert sorted(lab.resolved(experiment["id"])) == sorted(tasks) == sorted(lab.shop.tasks())


@pytest.mark.parametrize(
    ("target", "hit"),
    [
        ({"selectionMode": "PERCENT(50)"}, 1),
        ({"selectionMode": "PERCENT(49)"}, 0),
        ({"resourceTags": {"granary:deployment": "another"}}, 0),
        ({"resourceTags": {}, "parameters": {"cluster": "default", "service": "shop"}}, 2),
        ({"filters": [{"path": "LastStatus", "values": ["RUNNING"]}]}, 2),
        ({"filters": [{"path": "Containers.Image", "values": ["example/other:1"]}]}, 0),
    ],
)
def test_targets_are_chosen_by_tags_parameters_filters_and_mode(lab: Lab, target: dict[str, Any], hit: int) -> None:
    lab.shop.create(count=2, tags=_TAGS)
    template = lab.template(target=target, experimentOptions={"emptyTargetResolutionMode": "skip"})
    experiment = lab.is_in(lab.start(template, experimentOptions={"actionsMode": "skip-all"}), *OVER)
    assert (experiment["state"]["status"], len(lab.resolved(experiment["id"]))) == ("completed", hit)


def test_targets_can_be_named_and_none_is_a_failure(lab: Lab) -> None:
    lab.shop.create(tags=_TAGS)
    (task,) = lab.shop.tasks()
    role = lab.role(*_NEEDED)
    named = lab.template(role=role, target={"resourceTags": {}, "resourceArns": [task]})
    assert lab.ended(named) == ("completed", "Experiment completed.")
    assert task not in lab.shop.tasks()
    nothing = lab.is_in(lab.start(named), *OVER)["state"]
    assert nothing["error"] == {
        "accountId": lab.workbench.account,
        "code": "InvalidTarget",
        "location": "targets.tasks",
    }
    assert (nothing["status"], nothing["reason"]) == ("failed", "Target resolution returned empty set.")
    skipping = lab.client.update_experiment_template(id=named, experimentOptions={"emptyTargetResolutionMode": "skip"})[
        "experimentTemplate"
    ]
    assert skipping["experimentOptions"]["accountTargeting"] == "single-account"
    experiment = lab.is_in(lab.start(named), *OVER)
    assert (experiment["state"]["status"], _statuses(experiment)) == ("completed", {"stop": "skipped"})


@pytest.mark.parametrize("missing", ["tag:GetResources", "ecs:DescribeTasks", "ecs:StopTask", "trust"])
def test_the_role_decides_what_an_experiment_may(lab: Lab, missing: str) -> None:
    lab.shop.create(tags=_TAGS)
    (task,) = lab.shop.tasks()
    role = (
        lab.workbench.role("untrusted", principal={"Service": "ec2.amazonaws.com"})
        if missing == "trust"
        else lab.role(*(one for one in _NEEDED if one != missing))
    )
    state = lab.is_in(lab.start(lab.template(role=role)), *OVER)["state"]
    assert (state["status"], state["error"]["code"]) == ("failed", "AuthorizationFailure")
    assert ("Unable to assume role" if missing == "trust" else missing) in state["reason"]
    assert lab.shop.tasks() == [task]


def test_the_same_token_is_the_same_experiment(lab: Lab) -> None:
    template = lab.template(actions={"wait": _waits(1)})
    first = lab.start(template, clientToken="job-1")
    assert lab.start(template, clientToken="job-1") == first
    assert [one["id"] for one in lab.client.list_experiments(experimentTemplateId=template)["experiments"]] == [first]
    other = lab.template(role=f"arn:aws:iam::{lab.workbench.account}:role/fis", actions={"wait": _waits(1)})
    with pytest.raises(lab.client.exceptions.ConflictException):
        lab.start(other, clientToken="job-1")


def test_an_experiment_is_stopped_and_its_states_are_events(lab: Lab) -> None:
    workbench, rules = lab.workbench, lab.workbench.client("events")
    queue = workbench.client("sqs").create_queue(QueueName="states")["QueueUrl"]
    pattern = {"source": ["aws.fis"], "detail-type": ["FIS Experiment State Change"]}
    rules.put_rule(Name="states", EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:{workbench.region}:{workbench.account}:states"
    rules.put_targets(Rule="states", Targets=[{"Id": "queue", "Arn": arn}])
    experiment = lab.start(lab.template(actions={"wait": _waits(5), "then": _waits(1, startAfter=["wait"])}))
    lab.is_in(experiment, "running")
    assert lab.client.stop_experiment(id=experiment)["experiment"]["state"]["status"] == "stopping"
    ended = lab.is_in(experiment, *OVER)
    assert (ended["state"]["status"], _statuses(ended)) == ("stopped", {"wait": "stopped", "then": "cancelled"})
    assert ended["endTime"] >= ended["startTime"]
    with pytest.raises(lab.client.exceptions.ValidationException):
        lab.client.stop_experiment(id=experiment)
    heard: list[tuple[str, str]] = []

    def all_heard() -> bool:
        answer = workbench.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", ()):
            detail = json.loads(message["Body"])["detail"]
            assert detail["experiment-id"] == experiment
            heard.append((detail["old-state"]["status"], detail["new-state"]["status"]))
        return len(heard) == 4

    wait_until(all_heard, what="the events")
    states = ["pending", "initiating", "running", "stopping", "stopped"]
    assert sorted(heard) == sorted(itertools.pairwise(states))


def test_the_safety_lever_stops_what_runs_and_cancels_what_starts(lab: Lab) -> None:
    template = lab.template(actions={"wait": _waits(5)})
    running = lab.start(template)
    lab.is_in(running, "running")
    engaged = {"status": "engaged", "reason": "a sale"}
    lever = lab.client.update_safety_lever_state(id="default", state=engaged)["safetyLever"]
    assert lever["state"] == lab.client.get_safety_lever(id="default")["safetyLever"]["state"] == engaged
    assert lab.is_in(running, *OVER)["state"]["status"] == "stopped"
    cancelled = lab.is_in(lab.start(template), *OVER)
    assert (cancelled["state"]["status"], _statuses(cancelled)) == ("cancelled", {"wait": "cancelled"})
    with pytest.raises(lab.client.exceptions.ConflictException):
        lab.client.update_safety_lever_state(id="default", state=engaged)
    lab.client.update_safety_lever_state(id="default", state={"status": "disengaged", "reason": "over"})
    lab.is_in(lab.start(template), "running")


@pytest.mark.usefixtures("no_faults")
def test_actions_follow_each_other_and_a_failed_one_ends_all(lab: Lab) -> None:
    lab.workbench.cloud.faults.set({"fis": {"seconds_a_minute": 0.5}})
    logs, account = lab.workbench.client("logs"), lab.workbench.account
    logs.create_log_group(logGroupName="/granary/chaos")
    group = f"arn:aws:logs:{lab.workbench.region}:{account}:log-group:/granary/chaos:*"
    cloudwatch = lab.workbench.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="known", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore",
    )  # fmt: skip
    arn = f"arn:aws:cloudwatch:{lab.workbench.region}:{account}:alarm:known"
    actions = {
        "first": _waits(1),
        "assert": {
            "actionId": "aws:cloudwatch:assert-alarm-state",
            "parameters": {"alarmArns": arn, "alarmStates": "OK"},
            "startAfter": ["first"],
        },
        "last": _waits(1, startAfter=["assert"]),
    }
    configuration = {"logSchemaVersion": 2, "cloudWatchLogsConfiguration": {"logGroupArn": group}}
    template = lab.template(role=lab.role("cloudwatch:DescribeAlarms"), actions=actions, logConfiguration=configuration)
    failed = lab.is_in(lab.start(template), *OVER)
    assert _statuses(failed) == {"first": "completed", "assert": "failed", "last": "cancelled"}
    assert (failed["state"]["status"], failed["state"]["error"]["location"]) == ("failed", "actions.assert")
    cloudwatch.set_alarm_state(AlarmName="known", StateValue="OK", StateReason="a test")
    passed = lab.is_in(lab.start(template), *OVER)
    assert set(_statuses(passed).values()) == {"completed"}
    assert passed["actions"]["last"]["startTime"] >= passed["actions"]["first"]["endTime"]
    streams = logs.describe_log_streams(logGroupName="/granary/chaos")["logStreams"]
    assert {one["logStreamName"] for one in streams} == {f"/aws/fis/experiment/{one['id']}" for one in (failed, passed)}


@pytest.mark.usefixtures("no_faults")
def test_minutes_that_get_shorter_end_what_runs(lab: Lab) -> None:
    faults = lab.workbench.cloud.faults
    faults.set({"fis": {"seconds_a_minute": 600}})
    experiment = lab.start(lab.template(actions={"wait": _waits(1), "then": _waits(1, startAfter=["wait"])}))
    begun = {"wait": "running", "then": "pending"}
    wait_until(lambda: _statuses(lab.get(experiment)) == begun, what="the wait to begin")
    faults.set({"fis": {"seconds_a_minute": 0.5}})
    assert set(_statuses(lab.is_in(experiment, *OVER)).values()) == {"completed"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (
            {"actions": {"boom": {"actionId": "aws:ec2:stop-instances"}}},
            "boom: the local cloud's FIS does .*, not aws:ec2",
        ),
        (
            {"actions": {"wait": {"actionId": "aws:fis:wait", "parameters": {"duration": "5min"}}}},
            "duration must be",
        ),
        ({"actions": {"a": _waits(1, startAfter=["b"]), "b": _waits(1, startAfter=["a"])}}, "wait for each other"),
        ({"target": {"selectionMode": "SOME"}}, "selectionMode must be"),
        ({"target": {"resourceArns": ["arn:aws:ecs:x:1:task/a/b"]}}, "needs resourceArns, or else"),
        ({"target": {"resourceType": "aws:ec2:instance"}}, "no target tasks of type"),
        ({"stopConditions": [{"source": "aws:cloudwatch:alarm"}]}, "stop condition is of source"),
        ({"experimentOptions": {"accountTargeting": "multi-account"}}, "with one account"),
    ],
)
def test_what_a_template_may_not_say_is_refused(lab: Lab, given: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=f"ValidationException.*{reason}"):
        lab.template(**given)


_ALLOWED: dict[str, Sequence[str]] = {
    "fis:CreateExperimentTemplate": ("experiment-template/*", "action/aws:fis:wait"),
    "fis:TagResource": ("experiment-template/*", "experiment/*"),
    "fis:StartExperiment": ("experiment-template/*", "experiment/*"),
}


@pytest.mark.parametrize(
    ("action", "without"),
    [
        ("", ""),
        *((action, resource) for action, several in _ALLOWED.items() for resource in several),
        ("iam:PassRole", ""),
    ],
)
def test_iam_asks_for_each_resource_the_role_and_the_tags(lab: Lab, action: str, without: str) -> None:
    workbench, role = lab.workbench, lab.role()
    place = f"arn:aws:fis:{workbench.region}:{workbench.account}:"
    tagged = {"StringEquals": {"aws:RequestTag/granary:deployment": "acme"}}
    # What a request makes has its tags already.
    attached = {"StringEquals": {"aws:ResourceTag/granary:deployment": "acme"}}
    passed = {"StringEquals": {"iam:PassedToService": "fis.amazonaws.com"}}
    statements = [
        allow(
            name,
            resource=[f"{place}{one}" for one in several if (name, one) != (action, without)],
            **(attached if name == "fis:TagResource" else tagged),
        )
        for name, several in _ALLOWED.items()
    ]
    statements += [] if action == "iam:PassRole" else [allow("iam:PassRole", resource=role, **passed)]
    who = workbench.role("trigger", principal={"AWS": workbench.account}, statements=statements)
    client = workbench.client("fis", workbench.assume(who))

    def all_of_it(tags: dict[str, str]) -> None:
        template = lab.template(client=client, role=role, actions={"wait": _waits(1)}, tags=tags)
        client.start_experiment(experimentTemplateId=template, tags=tags)

    if action:
        with pytest.raises(ClientError, match=f"AccessDenied.*{action}"):
            all_of_it({"granary:deployment": "acme"})
        return
    all_of_it({"granary:deployment": "acme"})
    with pytest.raises(ClientError, match="AccessDenied"):
        all_of_it({"granary:deployment": "another"})
    others = f"{place}experiment-template/{lab.template(role=role, actions={'wait': _waits(1)})}"
    with pytest.raises(ClientError, match=r"AccessDenied.*fis:TagResource"):
        client.tag_resource(resourceArn=others, tags={"granary:deployment": "acme"})


def test_templates_are_tagged_listed_and_deleted(lab: Lab) -> None:
    role = lab.role()
    names = {lab.template(role=role, actions={"wait": _waits(1)}) for _ in range(3)}
    pages = lab.client.get_paginator("list_experiment_templates").paginate(PaginationConfig={"PageSize": 2})
    assert {one["id"] for page in pages for one in page["experimentTemplates"]} == names
    arn = f"arn:aws:fis:{lab.workbench.region}:{lab.workbench.account}:experiment-template/{(name := names.pop())}"
    lab.client.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    lab.client.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert lab.client.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    lab.client.delete_experiment_template(id=name)
    for call in (lab.client.get_experiment_template, lab.client.delete_experiment_template):
        with pytest.raises(lab.client.exceptions.ResourceNotFoundException):
            call(id=name)
    known = {one["id"] for one in lab.client.list_actions()["actions"]}
    assert known == {"aws:ecs:stop-task", "aws:fis:wait", "aws:cloudwatch:assert-alarm-state"}
    assert lab.client.get_action(id="aws:ecs:stop-task")["action"]["targets"] == {
        "Tasks": {"resourceType": "aws:ecs:task"}
    }
