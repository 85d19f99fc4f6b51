"""The roles of people: each runs its commands, and is denied the others by IAM, in words that say whose they are."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.common.exits import Exit
from cli.people import APPROVER, OPERATOR, ROLES, ROLES_OF, SUPPORT, VIEWER
from local_cloud.cloud import LocalCloud
from tests.local.local_cloud_fixtures import Workbench
from tests.local.people_world import HOME, SCENES, People

# They call nothing: there is nothing to deny.
OFFLINE = frozenset(
    {
        "bootstrap-template",
        "chaos list",
        "chaos show",
        "component check",
        "execution-policy",
        "gates list",
        "gates parse",
        "gates run",
        "lake datasets",
        "lake records",
        "lake try",
        "plan cost",
        "upstream",
        "validate",
    }
)
# How each command is called that calls AWS.
CALLS = {
    "activate": "activate parked",
    "adopt": "adopt acme --yes",
    "approve": "approve",
    "chaos history": "chaos history",
    "chaos run": "chaos run acme --experiment stop-a-task --dry-run",
    "cleanup": "cleanup gone --yes",
    "failover drill": "failover drill shop",
    "failover history": "failover history shop",
    "failover plan": "failover plan shop",
    "failover start": "failover start shop --reason test",
    "failover status": "failover status",
    "gates explain": "gates explain abc",
    "gates verify": "gates verify abc",
    "lake apply": "lake apply {plan}",
    "lake plan": "lake plan dev",
    "lake plan --last": "lake plan dev --last",
    "lake report": "lake report dev",
    "lake report --sign": "lake report dev --sign",
    "lake runs": "lake runs dev",
    "lake runs --again": "lake runs dev --again {object_id}",
    "lake runs --again-all-failed": "lake runs dev --again-all-failed",
    "lake what-can": "lake what-can role/analyst --environment dev",
    "lake who-can": "lake who-can d.t --environment dev",
    "list": "list",
    "logs": "logs acme",
    "pin": "pin acme abc --reason test --yes",
    "plan reconcile": "plan reconcile",
    "plan release": "plan release",
    "plan retire": "plan retire acme",
    "reject": "reject",
    "release": "release --no-follow",
    "repair": "repair spoilt --yes",
    "resume": "resume --no-follow",
    "retire": "retire acme --yes",
    "retry": "retry acme",
    "rooms": "rooms",
    "status": "status acme",
    "suspend": "suspend acme",
    "unpin": "unpin acme --yes",
}

# What they come to where IAM lets them: the account has tables and buckets, and neither machines nor functions.
COMES_TO = {
    "chaos run": Exit.NOT_FOUND,
    "failover drill": Exit.UNREACHABLE,
    "failover history": Exit.UNREACHABLE,
    "failover plan": Exit.UNREACHABLE,
    "failover start": Exit.UNREACHABLE,
    "failover status": Exit.UNREACHABLE,
    "gates verify": Exit.WRONG,
    "lake apply": Exit.NOT_FOUND,
    "lake plan": Exit.NOT_FOUND,
    "lake plan --last": Exit.WRONG,  # it waits for approval
    "lake report": Exit.WRONG,  # it is not signed
    "lake runs --again": Exit.NOT_FOUND,
    "lake runs --again-all-failed": Exit.NOT_FOUND,
    "lake what-can": Exit.UNREACHABLE,  # Lake Formation hides from them what there is
    "lake who-can": Exit.NOT_FOUND,
    "release": Exit.NOT_FOUND,
    "resume": Exit.NOT_FOUND,
}
# Tokens of tasks belong to a machine, and there is none: tests/local/saas answers as an approver does.
ELSEWHERE = frozenset({"approve", "reject"})


@pytest.fixture(scope="module")
def people(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> People:
    """A factory's account, in which nobody else is."""
    bench = Workbench(cloud=cloud, account="599999999999", region=HOME)
    return People.build(bench, tmp_path_factory.mktemp("people"))


def test_every_command_is_tried() -> None:
    assert CALLS.keys() | OFFLINE == ROLES_OF.keys()


@pytest.mark.parametrize("command", sorted(CALLS))
def test_whose_a_command_is(people: People, command: str) -> None:
    """Given one of each role, then those whose command it is are let through, and the others are denied by IAM."""
    words = CALLS[command].format(plan=people.plan, object_id=people.object_id).split()
    allowed = ROLES_OF[command]
    # What everybody may, is in everybody's policy in the same words: `test_people` of the unit tests.
    tried = (VIEWER,) if allowed == ROLES else ROLES
    people.settle()
    if scene := SCENES.get(command):
        scene(people)
    # Who is denied changes nothing: the others come last.
    for role in sorted(tried, key=allowed.__contains__):
        if role in allowed and command in ELSEWHERE:
            continue
        answer = people.granary(role, *words)
        said = f"{role}: {answer}"
        if role in allowed:
            assert answer.code == COMES_TO.get(command, Exit.OK), said
            assert "not authorized" not in answer.stderr, said
        else:
            assert answer.code == Exit.REFUSED, said
            assert f"role/granary-{role}/" in answer.stderr, said
            assert "is not authorized to perform: " in answer.stderr, said
            whose = " and ".join(allowed) or "administrators of the account"
            assert f"`granary {command}` is for {whose}: see docs/saas/people.md" in answer.stderr, said


_ROWS, _ROW = {"TableName": "granary-deployments"}, {"id": {"S": "acme"}}
_TOUCH = {
    **_ROWS,
    "Key": _ROW,
    "UpdateExpression": "SET #at = :at",
    "ConditionExpression": "attribute_exists(id)",
    "ExpressionAttributeNames": {"#at": "touched_at"},
    "ExpressionAttributeValues": {":at": {"S": "now"}},
}
_MOVE = {**_TOUCH, "ExpressionAttributeNames": {"#at": "allow_move"}}
_ADOPT = {**_TOUCH, "ExpressionAttributeNames": {"#at": "allow_adopt"}}
_ARN = f"arn:aws:states:{HOME}:599999999999:stateMachine:granary-"


@pytest.mark.parametrize(
    ("roles", "service", "operation", "request_"),
    [
        ({SUPPORT, OPERATOR}, "dynamodb", "update_item", _TOUCH),
        ({OPERATOR}, "dynamodb", "update_item", {**_TOUCH, "ExpressionAttributeNames": {"#at": "size"}}),
        ({OPERATOR}, "dynamodb", "update_item", {**_TOUCH, "UpdateExpression": "SET #at = :at REMOVE tags"}),
        ({OPERATOR}, "dynamodb", "put_item", {**_ROWS, "Item": {**_ROW, "account": {"S": "222222222222"}}}),
        # A tenant that stands is moved by nobody's leave but an administrator's.
        (set(), "dynamodb", "put_item", {**_ROWS, "Item": {**_ROW, "allow_move": {"BOOL": True}}}),
        (set(), "dynamodb", "update_item", _MOVE),
        # Nor is a stack that stands taken over, by a consent of any kind.
        (set(), "dynamodb", "put_item", {**_ROWS, "Item": {**_ROW, "allow_adopt": {"BOOL": True}}}),
        (set(), "dynamodb", "put_item", {**_ROWS, "Item": {**_ROW, "allow_adopt": {"S": "sha256:0"}}}),
        (set(), "dynamodb", "update_item", _ADOPT),
        (set(), "dynamodb", "update_item", {**_TOUCH, "UpdateExpression": "SET #at = :at REMOVE allow_adopt"}),
        (set(), "dynamodb", "delete_item", {**_ROWS, "Key": _ROW}),
        (set(), "dynamodb", "put_item", {"TableName": "granary-releases", "Item": _ROW}),
        (set(), "dynamodb", "put_item", {"TableName": "granary-deployment-status", "Item": _ROW}),
        ({SUPPORT, OPERATOR}, "codepipeline", "start_pipeline_execution", {"name": "silo-acme-pipeline"}),
        (set(), "codepipeline", "start_pipeline_execution", {"name": "granary-cicd"}),
        ({SUPPORT, OPERATOR}, "stepfunctions", "start_execution", {"stateMachineArn": f"{_ARN}lifecycle"}),
        ({OPERATOR}, "stepfunctions", "start_execution", {"stateMachineArn": f"{_ARN}release"}),
        ({APPROVER}, "stepfunctions", "start_execution", {"stateMachineArn": f"{_ARN}lake-governance"}),
    ],
)  # fmt: skip
def test_what_a_role_may_do_without_the_command_line(
    people: People, roles: set[str], service: str, operation: str, request_: dict[str, Any]
) -> None:
    """Given a call that no command makes so, then IAM lets those through who may, and nobody else."""
    people.settle()
    for role in ROLES:
        client = people.bench.client(service, people.keys[role])
        try:
            getattr(client, operation)(**request_)
            code = ""
        except ClientError as error:
            code = error.response["Error"]["Code"]
        assert (code != "AccessDeniedException") is (role in roles), (role, code)
