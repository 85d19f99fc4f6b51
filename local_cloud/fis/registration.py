"""Adds the service to the server, before moto's services, which leave alone what is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack import app as ministack_app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id

from local_cloud.fis import authorization, experiments, templates
from local_cloud.fis.actions import ACTIONS, TARGETS
from local_cloud.fis.templates import page
from local_cloud.server import iam_gaps
from local_cloud.server.json_api import Operation, RestService, ServiceError
from local_cloud.server.responses import Response

Request = Mapping[str, Any]


def _tags(request: Request) -> dict[str, str]:
    tags = experiments.tags_of(request["resourceArn"])
    if tags is None:
        raise ServiceError("ResourceNotFoundException", f"{request['resourceArn']} not found.")
    return tags


def _tag(request: Request) -> dict[str, Any]:
    _tags(request).update(request["tags"])
    return {}


def _untag(request: Request) -> dict[str, Any]:
    tags = _tags(request)
    for key in request.get("tagKeys", list(tags)):
        tags.pop(key, None)
    return {}


def _action(action_id: str) -> dict[str, Any]:
    if action_id not in ACTIONS:
        raise ServiceError("ResourceNotFoundException", f"The local cloud's FIS has no action {action_id}.")
    action = ACTIONS[action_id]
    parameters = {
        name: {"description": text, "required": name in action.parameters}
        for name, text in (*action.parameters.items(), *action.optional.items())
    }
    return {
        "id": action_id,
        "arn": templates.arn("action", action_id),
        "description": action.description,
        "parameters": parameters,
        "targets": {name: {"resourceType": kind} for name, kind in action.targets.items()},
        "tags": {},
    }


def _list_actions(request: Request) -> dict[str, Any]:
    found = [_action(name) for name in sorted(ACTIONS)]
    return page(
        [{key: value for key, value in one.items() if key != "parameters"} for one in found], request, "actions"
    )


def _target_type(name: str) -> dict[str, Any]:
    if name not in TARGETS:
        raise ServiceError("ResourceNotFoundException", f"The local cloud's FIS hits no {name}.")
    parameters = {key: {"description": text, "required": False} for key, text in TARGETS[name].items()}
    return {"resourceType": name, "description": "Amazon ECS tasks", "parameters": parameters}


def _list_target_types(request: Request) -> dict[str, Any]:
    found = [{key: _target_type(name)[key] for key in ("resourceType", "description")} for name in TARGETS]
    return page(found, request, "targetResourceTypes")


_OPERATIONS: dict[str, Operation] = {
    **templates.OPERATIONS,
    **experiments.OPERATIONS,
    "GetAction": lambda request: {"action": _action(request["id"])},
    "ListActions": _list_actions,
    "GetTargetResourceType": lambda request: {"targetResourceType": _target_type(request["resourceType"])},
    "ListTargetResourceTypes": _list_target_types,
    "TagResource": _tag,
    "UntagResource": _untag,
    "ListTagsForResource": lambda request: {"tags": _tags(request)},
}
SERVICE = RestService(name="fis", operations=_OPERATIONS)


def register() -> None:
    """Add the API and what IAM asks of it; once, before serving."""
    SERVICE.register()
    iam_gaps.resource_of(SERVICE.name, authorization.resources)
    iam_gaps.context_of(SERVICE.name, authorization.context)
    handle = ministack_app.SERVICE_HANDLERS[SERVICE.name]

    async def checked(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Response:
        action = iam_actions.extract_iam_action(SERVICE.name, method, path, dict(headers), body, dict(query)) or ":"
        place, caller = f"arn:aws:fis:{get_region()}:{get_account_id()}:", extract_access_key_id(headers, query)
        asked = _json(body)
        for needed, resource, context in authorization.needs(action.partition(":")[2], asked, place):
            if refusal := iam_gaps.refusal(caller, needed, resource, context):
                return refusal
        answer: Response = await handle(method, path, headers, body, query)
        return answer

    ministack_app.SERVICE_HANDLERS[SERVICE.name] = checked


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
