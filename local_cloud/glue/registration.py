"""Adds the service to the server, in place of ministack's: what is not served here is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack import app as ministack_app
from ministack.core.responses import get_account_id
from ministack.core.router import extract_access_key_id
from ministack.services import glue
from ministack.services.cloudformation import provisioners

from local_cloud.glue import authorization, catalog, jobs, tasks
from local_cloud.server import iam_gaps
from local_cloud.server.json_api import Service, service_model
from local_cloud.server.responses import Response

SERVICE = Service(
    name="glue",
    operations={**catalog.OPERATIONS, **jobs.OPERATIONS},
    invalid=lambda _operation, _member: "InvalidInputException",
)
_MAKES_WITH_A_ROLE = ("CreateJob", "UpdateJob", "CreateCrawler", "UpdateCrawler")


def register() -> None:
    """Add the API, the IAM resources, what ministack's other services call, and the tasks; once, before serving."""
    SERVICE.register()
    iam_gaps.resource_of(SERVICE.name, authorization.resources)
    for operation in SERVICE.operations:
        setattr(glue, catalog.function_of(operation), _for_ministack(operation))
    _refuse_to_pass_roles()
    _change_resource_types()
    tasks.register()


def _change_resource_types() -> None:
    """What CloudFormation may make: no triggers, which nobody uses, but security configurations."""
    provisioners._RESOURCE_HANDLERS.pop("AWS::Glue::Trigger")
    provisioners._RESOURCE_HANDLERS["AWS::Glue::SecurityConfiguration"] = {
        "create": _create_security_configuration,
        "delete": lambda name, _properties: SERVICE.call("DeleteSecurityConfiguration", {"Name": name}),
    }
    # All of a job that a template may say; nothing is put in place of what an update leaves out.
    members = service_model("glue").operation_model("CreateJob").input_shape.members
    provisioners._GLUE_JOB_DEFAULTS = dict.fromkeys(set(members) - {"Name", "Role", "Command", "Tags"})


def _create_security_configuration(
    logical_id: str, properties: Mapping[str, Any], stack: str
) -> tuple[str, dict[str, Any]]:
    name = properties.get("Name") or provisioners._physical_name(stack, logical_id, max_len=255)
    given = dict(properties["EncryptionConfiguration"])
    buckets = {"S3Encryption": given.pop("S3Encryptions")} if "S3Encryptions" in given else {}
    SERVICE.call("CreateSecurityConfiguration", {"Name": name, "EncryptionConfiguration": given | buckets})
    return name, {}


def _for_ministack(operation: str) -> Any:
    def function(data: Mapping[str, Any]) -> Response:
        return SERVICE.answer(operation, json.dumps(_given(data)).encode())

    return function


def _given(value: Any) -> Any:
    """A request without members that are None, for which CloudFormation's say that they are not given."""
    if isinstance(value, Mapping):
        return {name: _given(item) for name, item in value.items() if item is not None}
    return value


def _refuse_to_pass_roles() -> None:
    """Who makes a job or a crawler hands a role to Glue, and must be allowed to."""
    handle = ministack_app.SERVICE_HANDLERS[SERVICE.name]

    async def checked(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Response:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation in _MAKES_WITH_A_ROLE and (refusal := _refusal(body, extract_access_key_id(headers, query))):
            return refusal
        answer: Response = await handle(method, path, headers, body, query)
        return answer

    ministack_app.SERVICE_HANDLERS[SERVICE.name] = checked


def _refusal(body: bytes, caller: str) -> Response | None:
    request = json.loads(body)
    role = str(request.get("JobUpdate", request).get("Role", ""))
    arn = role if role.startswith("arn:") else f"arn:aws:iam::{get_account_id()}:role/{role}"
    return iam_gaps.pass_role_refusal(caller, arn, "glue.amazonaws.com")
