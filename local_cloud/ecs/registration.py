"""Adds the engine to ministack's ECS, and to IAM the resources that ECS checks.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack import app as ministack_app
from ministack.core.router import extract_access_key_id
from ministack.services import ecs, tagging

from local_cloud.ecs import express, services, stacks
from local_cloud.server import iam_gaps
from local_cloud.server.responses import Response

_OF_TASKS = ("StopTask", "DescribeTasks")
_OF_SERVICES = ("UpdateService", "DeleteService", "DescribeServices")
_PASSED = {
    "infrastructureRoleArn": "ecs.amazonaws.com",
    "executionRoleArn": "ecs-tasks.amazonaws.com",
    "taskRoleArn": "ecs-tasks.amazonaws.com",
}


def register() -> None:
    """Add everything; once, before serving."""
    services.register()
    express.register()
    stacks.register()
    iam_gaps.resource_of("ecs", _resources)
    iam_gaps.context_of("ecs", _context)
    tagging._RESOURCE_TAG_COLLECTORS["ecs"] = tagging._collect_ecs  # for aws:ResourceTag
    _refuse_to_pass_roles()


def _resources(request: iam_gaps.Request) -> str | list[str] | None:
    body, place = request.body, f"arn:aws:ecs:{request.region}:{request.account}:"
    cluster = _name(body.get("cluster")) or "default"
    if request.operation.endswith("ExpressGatewayService"):
        return str(body.get("serviceArn") or f"{place}service/{cluster}/{body.get('serviceName') or '*'}")
    if request.operation == "RunTask":
        return _arns([body.get("taskDefinition")], f"{place}task-definition/")
    if request.operation in _OF_TASKS:
        return _arns(body.get("tasks") or [body.get("task")], f"{place}task/{cluster}/")
    if request.operation in _OF_SERVICES:
        return _arns(body.get("services") or [body.get("service")], f"{place}service/{cluster}/")
    if request.operation == "ListTasks":
        return f"{place}container-instance/{cluster}/*" if body.get("containerInstance") else "*"
    return str(body["resourceArn"]) if "resourceArn" in body else None


def _handed(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The roles that a task gets: those of its definition, or what it is run with instead."""
    definition = ecs._task_defs.get(ecs._resolve_td_key(request.get("taskDefinition", ""))) or {}
    return {**definition, **request.get("overrides", {})}


def _arns(references: list[Any], prefix: str) -> list[str]:
    return [str(one) if str(one).startswith("arn:") else f"{prefix}{one}" for one in references]


def _context(request: iam_gaps.Request) -> Mapping[str, Any]:
    body = request.body
    context: dict[str, Any] = {}
    cluster = str(body.get("cluster") or "default")
    name = cluster if cluster.startswith("arn:") else f"cluster/{cluster}"
    context["ecs:cluster"] = (
        name if name.startswith("arn:") else f"arn:aws:ecs:{request.region}:{request.account}:{name}"
    )
    if isinstance(tags := body.get("tags"), list) and tags:
        context["aws:tagkeys"] = [tag.get("key") for tag in tags]
        context |= {f"aws:requesttag/{tag.get('key')}".lower(): tag.get("value") for tag in tags}
    return context


def _name(reference: Any) -> str:
    return str(reference or "").rpartition("/")[2]


def _refuse_to_pass_roles() -> None:
    """Who makes an Express service, or runs a task, hands roles to ECS, and must be allowed to."""
    handle = ministack_app.SERVICE_HANDLERS["ecs"]

    async def checked(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Response:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation.endswith("ExpressGatewayService") or operation == "RunTask":
            request, caller = json.loads(body or b"{}"), extract_access_key_id(headers, query)
            given = _handed(request) if operation == "RunTask" else request
            for key, service in _PASSED.items():
                if given.get(key) and (refusal := iam_gaps.pass_role_refusal(caller, given[key], service)):
                    return refusal
        answer: Response = await handle(method, path, headers, body, query)
        return answer

    ministack_app.SERVICE_HANDLERS["ecs"] = checked
