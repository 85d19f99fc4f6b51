"""Tasks of ECS that are run once, on the local cloud: tokens, ends, and who may run what."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.ecs_support import TASKS, Shop
from tests.local.local_cloud_fixtures import Workbench, allow, wait_until

_NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-12345678"]}}


@pytest.fixture
def shop(workbench: Workbench) -> Shop:
    """An account with a task definition, whose program ends as its image's tag says."""
    shop = Shop(workbench=workbench)
    program = "import os, sys; sys.exit(int(os.environ['IMAGE'].rpartition(':')[2]))"
    shop.images(**{"example/once:*": [sys.executable, "-ISc", program]})
    return shop


def _definition(shop: Shop, code: int) -> str:
    role = shop.workbench.role("execution", principal=TASKS)
    answer = shop.client.register_task_definition(
        family="once",
        containerDefinitions=[{"name": "Main", "image": f"example/once:{code}", "essential": True}],
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        executionRoleArn=role,
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def _run(client: Any, definition: str, asked: str = "one", **more: Any) -> str:
    answer = client.run_task(
        taskDefinition=definition,
        clientToken=asked,
        launchType="FARGATE",
        networkConfiguration=_NETWORK,
        **more,
    )
    return str(answer["tasks"][0]["taskArn"])


@pytest.mark.parametrize("code", [0, 3])
def test_a_task_ends_as_its_program_does_and_one_token_is_one_task(shop: Shop, code: int) -> None:
    definition = _definition(shop, code)
    task = _run(shop.client, definition)
    assert _run(shop.client, definition) == task

    def stopped() -> dict[str, Any] | None:
        (found,) = shop.client.describe_tasks(tasks=[task])["tasks"]
        return dict(found) if found["lastStatus"] == "STOPPED" else None

    found = wait_until(stopped, what="the end of the task")
    assert found["containers"][0]["exitCode"] == code
    assert _run(shop.client, definition) == task
    assert _run(shop.client, definition, "other") != task
    with pytest.raises(ClientError, match="ConflictException"):
        _run(shop.client, definition, startedBy="somebody else")


def test_who_runs_a_task_must_be_allowed_to_and_may_pass_its_role(shop: Shop) -> None:
    definition = _definition(shop, 0)
    root = {"AWS": shop.workbench.account}
    run = allow("ecs:RunTask", resource=definition)
    passing = allow("iam:PassRole", StringEquals={"iam:PassedToService": "ecs-tasks.amazonaws.com"})
    denied = {"stranger": (), "half": (run,), "other": (allow("ecs:RunTask", resource=f"{definition}0"), passing)}
    for name, statements in denied.items():
        role = shop.workbench.role(name, principal=root, statements=statements)
        client = shop.workbench.client("ecs", shop.workbench.assume(role))
        with pytest.raises(ClientError, match="AccessDenied"):
            _run(client, definition, name)
    role = shop.workbench.role("runner", principal=root, statements=(run, passing))
    assert _run(shop.workbench.client("ecs", shop.workbench.assume(role)), definition)
