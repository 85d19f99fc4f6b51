"""Adds the service to the server, in place of ministack's, of which the work groups stay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ministack import app as ministack_app
from ministack.core.router import extract_access_key_id
from ministack.services import athena

from local_cloud.athena import queries
from local_cloud.server import iam_gaps
from local_cloud.server.json_api import Operation, Service, ServiceError
from local_cloud.server.responses import Response

_FUNCTIONS = {
    "CreateWorkGroup": athena._create_workgroup,
    "DeleteWorkGroup": athena._delete_workgroup,
    "GetWorkGroup": athena._get_workgroup,
    "ListWorkGroups": athena._list_workgroups,
    "UpdateWorkGroup": athena._update_workgroup,
    "TagResource": athena._tag_resource,
    "UntagResource": athena._untag_resource,
    "ListTagsForResource": athena._list_tags_for_resource,
}


def _as_in_ministack(function: Any) -> Operation:
    def call(request: Mapping[str, Any]) -> dict[str, Any]:
        status, _, body = function(dict(request))
        answer: dict[str, Any] = json.loads(body or b"{}")
        if status != HTTPStatus.OK:
            raise ServiceError(answer["__type"], answer["message"])
        return answer

    return call


SERVICE = Service(
    name="athena",
    operations={**{name: _as_in_ministack(one) for name, one in _FUNCTIONS.items()}, **queries.OPERATIONS},
    invalid=lambda _operation, _member: "InvalidRequestException",
)


def register() -> None:
    """Add the API and the IAM resources; once, before serving."""
    SERVICE.register()
    iam_gaps.resource_of(SERVICE.name, _resource)
    handle = ministack_app.SERVICE_HANDLERS[SERVICE.name]

    async def with_caller(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Response:
        queries.caller_key.set(extract_access_key_id(headers, query))
        athena._ensure_default_workgroup()
        answer: Response = await handle(method, path, headers, body, query)
        return answer

    ministack_app.SERVICE_HANDLERS[SERVICE.name] = with_caller


def _resource(request: iam_gaps.Request) -> str:
    """The work group of a request, or of the query that it is about."""
    if arn := request.body.get("ResourceARN"):
        return str(arn)
    if request.operation == "ListWorkGroups":
        return "*"
    of_query = queries.work_group_of(str(request.body.get("QueryExecutionId", "")))
    named = request.body.get("WorkGroup") or request.body.get("Name")
    return f"arn:aws:athena:{request.region}:{request.account}:workgroup/{of_query or named or 'primary'}"
