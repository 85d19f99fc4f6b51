"""What tasks run on: requests as AWS takes them, and what is told of their ends."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from lambdas.common.errors import CapacityError, GranaryError
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.tasks import Asked, Ecs, Task
from lambdas.saas.tasks.build_task import BuildTask
from lambdas.saas.tasks.ecs_task import EcsTask, ended
from lambdas.saas.tasks.function_task import FunctionTask
from lambdas.saas.tasks.there import BEGINS, FOLLOWS, There, begun, followed
from tests.unit.lambdas.saas.tasks.world import GIVEN

ARN = "arn:aws:ecs:eu-west-1:222222222222:task/silo-acme/1"
ECS = Ecs(cluster="silo-acme", definition="silo-acme-migrate:7", subnets=("subnet-1",), security_groups=("sg-1",))
TOKEN = "0" * 64
REQUEST = {"deployment": "acme", "revision": "rev2"}


def _client(service: str) -> Any:
    return boto3.client(service, "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")  # type: ignore[call-overload]


def test_an_ecs_task_is_begun_with_a_token() -> None:
    client = _client("ecs")
    with Stubber(client) as stub:
        stub.add_response(
            "run_task",
            {"tasks": [{"taskArn": ARN}], "failures": []},
            {
                "cluster": "silo-acme",
                "taskDefinition": "silo-acme-migrate:7",
                "count": 1,
                "launchType": "FARGATE",
                "clientToken": TOKEN,
                "startedBy": TOKEN[:36],
                "networkConfiguration": {
                    "awsvpcConfiguration": {
                        "subnets": ["subnet-1"],
                        "securityGroups": ["sg-1"],
                        "assignPublicIp": "DISABLED",
                    }
                },
            },
        )
        assert EcsTask(client=client, ecs=ECS).begin(TOKEN, REQUEST).ref == ARN


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("RESOURCE:CPU", CapacityError),
        ("Capacity is unavailable at this time", CapacityError),
        ("MISSING", GranaryError),
    ],
)
def test_a_task_that_ecs_does_not_start_is_told_or_waits(reason: str, error: type[Exception]) -> None:
    client = _client("ecs")
    with Stubber(client) as stub:
        stub.add_response("run_task", {"tasks": [], "failures": [{"reason": reason}]})
        with pytest.raises(error, match=f"has started no task of silo-acme-migrate:7: {reason}") as raised:
            EcsTask(client=client, ecs=ECS).begin(TOKEN, REQUEST)
    assert type(raised.value) is error


def _stopped(*containers: dict[str, Any]) -> dict[str, Any]:
    return {
        "lastStatus": "STOPPED",
        "stoppedReason": "Essential container in task exited",
        "containers": list(containers),
    }


@pytest.mark.parametrize(
    ("containers", "container", "ok", "said"),
    [
        ([{"name": "Main", "exitCode": 0}], "", True, "ended well"),
        ([{"name": "Main", "exitCode": 0}, {"name": "Proxy", "exitCode": 137}], "Main", True, "ended well"),
        ([{"name": "Main", "exitCode": 0}, {"name": "Proxy", "exitCode": 137}], "", False, "Proxy: exit code 137"),
        ([{"name": "Main", "exitCode": 1}], "", False, "task exited, container Main: exit code 1; logs: /acme"),
        ([{"name": "Main", "reason": "CannotPull"}], "", False, "Main: no exit code CannotPull"),
        ([], "", False, "it has no container"),
        ([{"name": "Main", "exitCode": 0}], "Other", False, "it has no container Other"),
    ],
)
def test_how_an_ecs_task_ended(containers: list[dict[str, Any]], container: str, ok: bool, said: str) -> None:
    ecs = Ecs(cluster="c", definition="d", subnets=("s",), container=container, logs="/acme")
    seen = ended(ARN, _stopped(*containers), ecs)
    assert (seen.over, seen.ok) == (True, ok)
    assert said in seen.said


def test_an_ecs_task_that_is_not_known_yet_is_not_over() -> None:
    client = _client("ecs")
    with Stubber(client) as stub:
        stub.add_response("describe_tasks", {"tasks": [], "failures": [{"arn": ARN, "reason": "MISSING"}]})
        stub.add_response("describe_tasks", {"tasks": [{"lastStatus": "RUNNING"}], "failures": []})
        target = EcsTask(client=client, ecs=ECS)
        assert not target.look(ARN).over
        assert not target.look(ARN).over


def _invoked(payload: Any, **more: Any) -> Any:
    client = _client("lambda")
    body = json.dumps(payload).encode()
    with Stubber(client) as stub:
        stub.add_response("invoke", {"Payload": StreamingBody(io.BytesIO(body), len(body)), "StatusCode": 200, **more})
        return FunctionTask(client=client, function="silo-acme-migrate").begin(TOKEN, REQUEST)


def test_a_function_is_asked_and_its_answer_is_the_end() -> None:
    seen = _invoked({"ok": True})
    assert (seen.over, seen.ok) == (True, True)


def test_a_function_that_fails_says_why_and_what_its_log_ends_with() -> None:
    log = b64encode(b"START\none\ntwo\nREPORT").decode()
    seen = _invoked({"errorMessage": "no such column"}, FunctionError="Unhandled", LogResult=log)
    assert (seen.over, seen.ok) == (True, False)
    assert seen.said == "function silo-acme-migrate: no such column; its log ends: one | two | REPORT"


def test_a_build_is_begun_with_a_token_and_a_key() -> None:
    client = _client("codebuild")
    with Stubber(client) as stub:
        variables = {"GRANARY_KEY": TOKEN, "GRANARY_DEPLOYMENT": "acme", "GRANARY_REVISION": "rev2"}
        stub.add_response(
            "start_build",
            {"build": {"id": "p:1"}},
            {
                "projectName": "silo-acme-check",
                "idempotencyToken": TOKEN,
                "environmentVariablesOverride": [
                    {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
                ],
            },
        )
        assert BuildTask(client=client, project="silo-acme-check").begin(TOKEN, REQUEST).ref == "p:1"


def test_how_a_build_ended() -> None:
    client = _client("codebuild")
    phases = [
        {"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"message": "exit status 2"}]},
        {"phaseType": "POST_BUILD", "phaseStatus": "SUCCEEDED", "contexts": [{"message": ""}]},
    ]
    failed = {"buildComplete": True, "buildStatus": "FAILED", "phases": phases, "logs": {"deepLink": "https://logs"}}
    with Stubber(client) as stub:
        for build in ({"buildComplete": False}, {"buildComplete": True, "buildStatus": "SUCCEEDED"}, failed):
            stub.add_response("batch_get_builds", {"builds": [build]}, {"ids": ["p:1"]})
        target = BuildTask(client=client, project="p")
        assert not target.look("p:1").over
        assert target.look("p:1").ok
        seen = target.look("p:1")
    assert seen.said == "build p:1 FAILED: BUILD: exit status 2; logs: https://logs"


def test_a_session_reaches_one_tenant() -> None:
    asked = Asked.of_parameters({**GIVEN, "region": "us-gov-west-1"})
    patterns = [*begun(asked), *followed(asked)]
    assert all(one.startswith("arn:aws-us-gov:") and "silo-acme" in one for one in patterns)
    assert all(":222222222222:" in one for one in patterns)
    assert not any(one.endswith("silo-acme*") for one in patterns), "acme2 is another tenant"
    assert not any("*" in action for action in (*BEGINS, *FOLLOWS))


def test_a_long_name_has_roles_that_cloudformation_has_shortened() -> None:
    """Given a tenant whose id is a UUID, then the roles of its task definitions may be handed on."""
    long = "0f8fad5b-d9cd-469f-a165-70867728950e"
    *others, roles = followed(Asked.of_parameters({**GIVEN, "deployment": long}))
    made = f"arn:aws:iam::222222222222:role/granary/{f'silo-{long}-data'[:24]}-MigrationRole8B5C8A0F-1T6EMIU72SCD3"
    assert fnmatchcase(made, roles)
    assert not fnmatchcase(made, followed(Asked.of_parameters(GIVEN))[-1])
    assert all(f"silo-{long}" in one for one in others)


class _Sts:
    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def assume_role(self, **given: Any) -> dict[str, Any]:
        self.asked = given
        return {"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}}


def test_outputs_are_read_as_the_runner_and_none_is_there_of_a_stack_that_is_not() -> None:
    client, sts = _client("cloudformation"), _Sts()
    there = There(
        asked=Asked.of_parameters(GIVEN),
        names=SaasNames(prefix="granary"),
        sts=sts,
        make_client=lambda *_, **__: client,
    )
    with Stubber(client) as stub:
        stack = {"StackName": "s", "CreationTime": "2026-01-01", "StackStatus": "CREATE_COMPLETE"}
        outputs = [{"OutputKey": "GranaryTaskMigrate", "OutputValue": "{}"}]
        stub.add_response("describe_stacks", {"Stacks": [{**stack, "Outputs": outputs}]})
        theirs = [{"Key": "granary:deployment", "Value": "acme-b"}]
        stub.add_response("describe_stacks", {"Stacks": [{**stack, "Outputs": outputs, "Tags": theirs}]})
        stub.add_client_error("describe_stacks", "ValidationError", "does not exist", 400)
        assert there.outputs("s") == {"GranaryTaskMigrate": "{}"}
        with pytest.raises(GranaryError, match="stack silo-acme-b-data is of deployment acme-b, not acme's"):
            there.outputs("silo-acme-b-data")
        assert there.outputs("s") == {}
    assert sts.asked["RoleArn"] == "arn:aws:iam::222222222222:role/granary/granary-task-runner"


def _session(**given: str) -> str:
    """The policy of a session about a tenant."""
    sts, asked = _Sts(), Asked.of_parameters({**GIVEN, **given})
    there = There(asked=asked, names=SaasNames(prefix="granary"), sts=sts, make_client=lambda *_, **__: None)
    there.target(Task(minutes=1, function="f"))
    return str(sts.asked["Policy"])


def _may(policy: str, action: str, resource: str, tag: str = "") -> bool:
    """Whether a statement allows it, of a resource that bears this tag of a deployment."""

    def holds(statement: dict[str, Any]) -> bool:
        wanted = statement.get("Condition", {}).get("StringEquals", {}).values()
        named = any(fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        return named and action in statement["Action"] and all(tag == one for one in wanted)

    return any(map(holds, json.loads(policy)["Statement"]))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:InvokeFunction", "lambda:eu-west-1:222222222222:function:silo-acme-{}migrate"),
        ("ecs:RunTask", "ecs:eu-west-1:222222222222:task-definition/silo-acme-{}migrate:7"),
        ("codebuild:StartBuild", "codebuild:eu-west-1:222222222222:project/silo-acme-{}migrate"),
    ],
)
def test_a_session_begins_nothing_of_a_tenant_whose_id_begins_as_this_ones(action: str, resource: str) -> None:
    """Given the tenants acme and acme-b, whose names both begin with silo-acme-, then the tag tells them apart."""
    policy = _session()
    own, others = (f"arn:aws:{resource.format(one)}" for one in ("", "b-"))
    assert _may(policy, action, own, "acme")
    assert not _may(policy, action, others, "acme-b")
    assert not _may(policy, action, own)
    assert not _may(policy, action, f"arn:aws:{resource.format('')}".replace("silo-acme", "silo-other"), "acme")


def test_a_session_of_the_longest_names_can_be_had() -> None:
    long = {"deployment": "a" * 40, "region": "ap-southeast-2", "account": "2" * 12}
    assert len(_session(**long)) <= 2048
    assert len(_session(**{**long, "region": "us-gov-west-1"})) <= 2048
    assert len(_session(**{**long, "region": "cn-northwest-1"})) <= 2048


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"minutes": 5}', '{"minutes": 5, "lambda": "later"}', '{"minutes": "x"}']
)
def test_a_declaration_that_cannot_be_read_is_refused_by_name(text: str) -> None:
    with pytest.raises(GranaryError, match="output GranaryTaskMigrate of stack s"):
        Task.of_output("Migrate", {"GranaryTaskMigrate": text}, stack="s")


def test_what_later_versions_declare_besides_is_left_alone() -> None:
    text = '{"build": "p", "minutes": 5, "retries": 3}'
    assert Task.of_output("Migrate", {"GranaryTaskMigrate": text}, stack="s") == Task(build="p", minutes=5)
