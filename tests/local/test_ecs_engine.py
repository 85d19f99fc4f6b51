"""Express services on the local cloud: tasks are processes, the listener passes on to those that answer."""

from __future__ import annotations

import json
import os
import signal
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.cloud import LocalCloud
from tests.local.ecs_support import Shop, endpoint
from tests.local.local_cloud_fixtures import Workbench, allow, wait_until

_EVERY_SECOND = {"cloudwatch": {"seconds_a_minute": 3}}
# However busy this machine is, what a test has stopped is missed until the test lets its successor start.
_NONE_STARTS, _ALL_START = {"ecs": {"start_seconds": 600}}, {"ecs": {"start_seconds": 0}}


@pytest.fixture
def shop(workbench: Workbench) -> Shop:
    """An account."""
    return Shop(workbench=workbench)


def _group(arn: str) -> str:
    return arn.rpartition("/")[2]


def _processes(text: str) -> list[int]:
    """The processes of this machine that have the text in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            if text.encode() in place.read_bytes():
                found.append(int(place.parent.name))
        except OSError:
            continue
    return found


def _own_image(shop: Shop) -> str:
    """An image whose tasks are this test's: accounts have the same numbers in all sessions on this machine."""
    return f"example/{shop.workbench.account}-{os.getpid()}:2"


@pytest.mark.usefixtures("no_faults")
def test_a_stopped_task_ends_and_another_takes_its_place(shop: Shop) -> None:
    service = shop.create(count=2, tags=[{"key": "team", "value": "a"}])
    tasks = shop.tasks()
    shop.workbench.cloud.faults.set(_NONE_STARTS)
    assert {shop.ask(service)[1] for _ in range(4)} == {
        f"image: example/shop:1\ntask: {_group(one)}\n" for one in tasks
    }
    shop.client.stop_task(task=tasks[0], reason="a test")
    assert _processes(f"TASK={_group(tasks[0])}") == []
    assert shop.describe()["runningCount"] == 1
    assert shop.ask(service) == (HTTPStatus.OK, f"image: example/shop:1\ntask: {_group(tasks[1])}\n")
    (stopped,) = shop.client.describe_tasks(tasks=tasks[:1])["tasks"]
    assert (stopped["lastStatus"], stopped["stopCode"], stopped["stoppedReason"]) == (
        "STOPPED",
        "UserInitiated",
        "a test",
    )
    shop.workbench.cloud.faults.set(_ALL_START)
    shop.steady("shop", 2)
    new = next(iter(set(shop.tasks()) - set(tasks)))
    tagged = shop.client.describe_tasks(tasks=[new], include=["TAGS"])["tasks"][0]["tags"]
    assert tagged == [{"key": "team", "value": "a"}]


@pytest.mark.usefixtures("no_faults")
def test_a_service_without_a_task_that_answers_says_503(shop: Shop) -> None:
    service = shop.create()
    shop.workbench.cloud.faults.set(_NONE_STARTS)
    (task,) = shop.tasks()
    (pid,) = _processes(f"TASK={_group(task)}")
    os.kill(pid, signal.SIGKILL)
    shop.answers(service, HTTPStatus.SERVICE_UNAVAILABLE)
    shop.workbench.cloud.faults.set(_ALL_START)
    shop.answers(service)
    (ended,) = shop.client.describe_tasks(tasks=[task])["tasks"]
    assert (ended["stopCode"], ended["containers"][0]["exitCode"]) == ("EssentialContainerExited", 137)


def test_the_number_of_tasks_follows_what_is_desired(shop: Shop) -> None:
    service = shop.create()
    shop.client.update_service(service="shop", desiredCount=0)
    assert shop.tasks() == []
    shop.answers(service, HTTPStatus.SERVICE_UNAVAILABLE)
    shop.client.update_service(service="shop", desiredCount=2)
    shop.steady("shop", 2)


def _is_refused(shop: Shop, service: dict[str, Any]) -> bool:
    """Whether nobody listens there any more; a connection that waited to be taken as the listener ended is reset."""
    try:
        shop.ask(service)
    except OSError as error:
        return "refused" in str(error)
    return False


def test_an_update_replaces_the_tasks_and_keeps_the_address(shop: Shop) -> None:
    service, image = shop.create(), _own_image(shop)
    client, arn = shop.client, service["serviceArn"]
    client.update_express_gateway_service(serviceArn=arn, primaryContainer={"image": image}, memory="1024")
    wait_until(lambda: image in shop.ask(service)[1], what="the new image")
    found = client.describe_express_gateway_service(serviceArn=arn)["service"]
    (active,) = found["activeConfigurations"]
    assert (active["memory"], active["healthCheckPath"], endpoint(found)) == ("1024", "/", endpoint(service))
    client.delete_express_gateway_service(serviceArn=arn)
    with pytest.raises(client.exceptions.ServiceNotActiveException):
        client.delete_express_gateway_service(serviceArn=arn)
    assert _processes(f"IMAGE={image}") == []
    wait_until(lambda: _is_refused(shop, service), what="the listener's end")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"memory": "300"}, "No Fargate configuration"),
        ({"healthCheckPath": "ping"}, "must begin with"),
        ({"cluster": "other"}, "Cluster not found"),
        ({"executionRoleArn": "arn:aws:iam::111111111111:role/none"}, "unable to assume"),
        ({"taskDefinitionArn": "arn:aws:ecs:eu-west-1:111111111111:task-definition/x:1"}, "does not do"),
    ],
)
def test_what_aws_refuses_is_refused(shop: Shop, changed: dict[str, Any], reason: str) -> None:
    given = {**shop.roles(), "serviceName": "shop", "primaryContainer": {"image": "x"}, **changed}
    with pytest.raises(ClientError, match=reason):
        shop.client.create_express_gateway_service(**given)


def test_an_image_runs_what_the_settings_name(shop: Shop) -> None:
    program = "from http.server import *; HTTPServer(('127.0.0.1', {port}), SimpleHTTPRequestHandler).serve_forever()"
    shop.images(**{"example/site:*": ["python", "-c", program]})
    service = shop.create(image="example/site:7")
    assert "Directory listing" in shop.ask(service)[1]


def test_iam_decides_on_the_task_its_tags_and_the_roles(shop: Shop) -> None:
    shop.create(tags=[{"key": "team", "value": "a"}])
    workbench = shop.workbench
    tasks = f"arn:aws:ecs:{workbench.region}:{workbench.account}:task/default/*"
    bound = {f"aws:ResourceTag/{key}": value for key, value in {"team": "b"}.items()}
    role = workbench.role(
        "other",
        principal={"AWS": workbench.account},
        statements=[
            allow("ecs:StopTask", resource=tasks, StringEquals=bound),
            allow("ecs:CreateExpressGatewayService"),
        ],
    )
    other = workbench.client("ecs", workbench.assume(role))
    with pytest.raises(ClientError, match="ecs:StopTask"):
        other.stop_task(task=shop.tasks()[0])
    roles = {f"{one}RoleArn": f"arn:aws:iam::{workbench.account}:role/{one}" for one in ("execution", "infrastructure")}
    with pytest.raises(ClientError, match="iam:PassRole"):
        other.create_express_gateway_service(serviceName="more", primaryContainer={"image": "x"}, **roles)
    bound["aws:ResourceTag/team"] = "a"
    statement = {"Version": "2012-10-17", "Statement": [allow("ecs:StopTask", resource=tasks, StringEquals=bound)]}
    workbench.client("iam").put_role_policy(RoleName="other", PolicyName="inline", PolicyDocument=json.dumps(statement))
    other.stop_task(task=shop.tasks()[0])


@pytest.mark.usefixtures("no_faults")
def test_an_alarm_follows_the_healthy_hosts_and_missing_data_are_as_it_says(shop: Shop) -> None:
    shop.workbench.cloud.faults.set(_EVERY_SECOND)
    shop.create()
    target = shop.describe()["loadBalancers"][0]["targetGroupArn"].rpartition(":")[2]
    client = shop.workbench.client("cloudwatch")
    (metric,) = wait_until(
        lambda: client.list_metrics(Namespace="AWS/ApplicationELB", MetricName="HealthyHostCount")["Metrics"],
        what="the metric",
    )
    dimensions = metric["Dimensions"]
    assert {one["Value"] for one in dimensions} >= {target}
    rules = {"Namespace": "AWS/ApplicationELB", "MetricName": "HealthyHostCount", "Statistic": "Minimum"}
    for name, missing, where in (
        ("few", "breaching", dimensions),
        ("none", "breaching", [{"Name": "TargetGroup", "Value": "gone"}]),
        ("kept", "ignore", [{"Name": "TargetGroup", "Value": "gone"}]),
        ("good", "notBreaching", [{"Name": "TargetGroup", "Value": "gone"}]),
    ):
        client.put_metric_alarm(
            **rules, AlarmName=name, Dimensions=where, TreatMissingData=missing, Period=60, EvaluationPeriods=1,
            Threshold=1, ComparisonOperator="LessThanThreshold",
        )  # fmt: skip

    def states() -> dict[str, str]:
        return {one["AlarmName"]: one["StateValue"] for one in client.describe_alarms()["MetricAlarms"]}

    others = {"none": "ALARM", "kept": "INSUFFICIENT_DATA", "good": "OK"}
    wait_until(lambda: states() == {**others, "few": "OK"}, what="a healthy service")
    shop.workbench.cloud.faults.set(_NONE_STARTS)
    shop.client.stop_task(task=shop.tasks()[0])
    wait_until(lambda: states()["few"] == "ALARM", what="the alarm")
    shop.workbench.cloud.faults.set(_ALL_START)
    wait_until(lambda: states() == {**others, "few": "OK"}, what="its end")


def _template(image: str, path: str = "/") -> str:
    container = {"Image": image, "ContainerPort": 80}
    roles = {f"{kind}RoleArn": {"Fn::Sub": f"arn:aws:iam::${{AWS::AccountId}}:role/{kind.lower()}"} for kind in _ROLES}
    properties = {"ServiceName": "shop", "PrimaryContainer": container, "HealthCheckPath": path, **roles}
    service = {"Type": "AWS::ECS::ExpressGatewayService", "Properties": properties}
    endpoint_output = {"Value": {"Fn::GetAtt": ["Service", "Endpoint"]}}
    return json.dumps({"Resources": {"Service": service}, "Outputs": {"Endpoint": endpoint_output}})


_ROLES = ("Execution", "Infrastructure")


def test_cloudformation_waits_for_steady_tasks_and_rolls_back_without(shop: Shop) -> None:
    shop.roles()
    shop.images(**{"example/broken:*": ["false"]})
    client, image = shop.workbench.client("cloudformation"), _own_image(shop)

    def ended() -> str:
        (stack,) = client.describe_stacks(StackName="shop")["Stacks"]
        return str("" if stack["StackStatus"].endswith("IN_PROGRESS") else stack["StackStatus"])

    client.create_stack(StackName="shop", TemplateBody=_template("example/shop:1"), Tags=[{"Key": "t", "Value": "1"}])
    assert wait_until(ended, what="the stack") == "CREATE_COMPLETE"
    (output,) = client.describe_stacks(StackName="shop")["Stacks"][0]["Outputs"]
    service: dict[str, Any] = {"activeConfigurations": [{"ingressPaths": [{"endpoint": output["OutputValue"]}]}]}
    assert "image: example/shop:1" in shop.ask(service)[1]
    tags = shop.client.describe_tasks(tasks=shop.tasks(), include=["TAGS"])["tasks"][0]["tags"]
    assert {"key": "t", "value": "1"} in tags
    client.update_stack(StackName="shop", TemplateBody=_template(image))
    assert wait_until(ended, what="the update") == "UPDATE_COMPLETE"
    assert f"image: {image}" in shop.ask(service)[1]
    client.update_stack(StackName="shop", TemplateBody=_template("example/broken:1"))
    assert wait_until(ended, what="the rollback") == "UPDATE_ROLLBACK_COMPLETE"
    assert f"image: {image}" in shop.ask(service)[1]
    client.delete_stack(StackName="shop")
    wait_until(lambda: not _processes(f"IMAGE={image}"), what="the tasks' end")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_cloud(tmp_path: Path, number: signal.Signals) -> None:
    with LocalCloud.start(tmp_path / "cloud") as cloud:
        shop = Shop(workbench=Workbench(cloud=cloud, account="500000000000"))
        name = f"example/{number.name}-{os.getpid()}:1"
        shop.create(count=2, image=name)
        assert len(_processes(f"IMAGE={name}")) == 2
        os.kill(cloud.pid, number)
        wait_until(lambda: not _processes(f"IMAGE={name}"), what="the tasks' end")
