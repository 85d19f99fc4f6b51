"""What ministack's IAM evaluation lacks: condition keys, and resources of services that it does not know.

Other modules add resources with `resource_of`: without it a request is evaluated on `*`, which only a policy on `*`
allows; one that needs its action on several resources is evaluated on each. With `context_of` they add a service's
condition keys: without it these are absent from every request.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import cbor2
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_region
from ministack.core.router import extract_access_key_id
from ministack.services import ec2, iam
from ministack.services.cloudformation import provisioners

from local_cloud.server import regions
from local_cloud.server.responses import Response, error


@dataclass(frozen=True, kw_only=True)
class Request:
    """What an authorisation check may look at to find the resource that a request is about."""

    operation: str
    path: str
    body: Mapping[str, Any]
    region: str
    account: str
    query: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes = b""


ResourceOf = Callable[[Request], str | Sequence[str] | None]
ContextOf = Callable[[Request], Mapping[str, Any]]
_resource_of: dict[str, ResourceOf] = {}
_context_of: dict[str, ContextOf] = {}
_request = threading.local()
# Where `iam:PermissionsBoundary` is the boundary that the role has.
_OF_A_ROLE = frozenset(f"iam:{one}RolePolicy" for one in ("Attach", "Delete", "Detach", "Put"))


def resource_of(service: str, function: ResourceOf) -> None:
    """Let `function` name the resource ARNs of a request to `service` (None: ministack decides)."""
    _resource_of[service] = function


def context_of(service: str, function: ContextOf) -> None:
    """Let `function` name the condition keys of a request to `service`."""
    _context_of[service] = function


def refusal(caller: str, action: str, resource: str, context: Mapping[str, Any]) -> Response | None:
    """The answer to a request that needs this, too, of a caller that may not; None when it may."""
    service = action.partition(":")[0]
    if not iam_evaluator.enforce(caller, action, service, get_region(), resource_arn=resource, service_context=context):
        return None
    who = iam_evaluator.caller_arn()
    return error("AccessDeniedException", f"User: {who} is not authorized to perform: {action} on resource: {resource}")


def pass_role_refusal(caller: str, role: str, service: str) -> Response | None:
    """The answer to a request that hands a role to a service, of a caller that may not pass it; None when it may."""
    return refusal(caller, "iam:PassRole", role, {"iam:passedtoservice": service})


def close() -> None:
    """Patch ministack; once, before it serves."""
    _wrap_enforce()
    _wrap_extract_resource_arn()
    _wrap_s3_context()
    _wrap_principal_arn()
    _keep_boundaries()


def _wrap_enforce() -> None:
    original = iam_evaluator.enforce

    def enforce(  # noqa: PLR0917 - the signature is ministack's
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        context = {**(service_context or {}), **getattr(_request, "context", {})}
        if iam_action == "sts:AssumeRole":
            context.update(_role_tags(resource_arn))
        if iam_action.startswith("iam:") and iam_action != "iam:PassRole":
            # Requests name a role without its path, which policies name it with.
            resource_arn = str(_role(resource_arn).get("Arn", resource_arn))
        if iam_action in _OF_A_ROLE and (boundary := _role(resource_arn).get("PermissionsBoundary")):
            context["iam:permissionsboundary"] = boundary
        if iam_action.startswith("cloudformation:") and (role := getattr(_request, "role", "")):
            context["cloudformation:RoleArn"] = role
        if iam_action.startswith("cloudformation:") and (change_set := getattr(_request, "change_set", "")):
            context["cloudformation:ChangeSetName"] = change_set
        if resource_arn.startswith("arn:aws:ec2:"):
            context.update(_network_tags(resource_arn))
        if iam_action == "cloudwatch:PutMetricData":
            context["cloudwatch:namespace"] = getattr(_request, "namespace", "")
        region = regions.region_of(iam_action.partition(":")[0], region)
        return original(access_key_id, iam_action, service, region, resource_arn, context)

    iam_evaluator.enforce = enforce


def _keep_boundaries() -> None:
    """CloudFormation gives a role the boundary that its template names: ministack's gives none."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::IAM::Role"]
    create, update = handlers["create"], handlers["update"]

    def bounded(answer: Any, properties: Mapping[str, Any]) -> Any:
        iam._roles[answer[0]]["PermissionsBoundary"] = properties.get("PermissionsBoundary")
        return answer

    handlers["create"] = lambda logical_id, properties, stack: bounded(
        create(logical_id, properties, stack), properties
    )
    handlers["update"] = lambda physical_id, before, after, *rest, **named: bounded(
        update(physical_id, before, after, *rest, **named), after
    )


def _wrap_principal_arn() -> None:
    """`aws:PrincipalArn` of a session is its role's ARN: ministack gives the session's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    original = iam_evaluator._resolve_condition_key

    def resolve(key: str, context: Any) -> Any:
        found = original(key, context)
        if key.lower() != "aws:principalarn" or ":assumed-role/" not in str(found):
            return found
        account, name = found.split(":")[4], found.split("/")[1]
        role = iam._roles.get_scoped(account, None, name)
        return role["Arn"] if role else found

    iam_evaluator._resolve_condition_key = resolve


def _role(role_arn: str) -> Mapping[str, Any]:
    _, is_role, name = role_arn.partition(":role/")
    found = iam._roles.get_scoped(role_arn.split(":")[4], None, name.rsplit("/", 1)[-1]) if is_role else None
    return found or {}


def _role_tags(role_arn: str) -> dict[str, str]:
    return {f"iam:resourcetag/{tag['Key']}".lower(): tag["Value"] for tag in _role(role_arn).get("Tags") or []}


def _network_tags(arn: str) -> dict[str, str]:
    """`aws:ResourceTag` of what EC2 has; ministack's evaluation knows no tags of EC2's."""
    tags = ec2._tags.get(arn.rpartition("/")[2]) or []
    return {f"aws:resourcetag/{tag['Key']}".lower(): tag["Value"] for tag in tags}


def _wrap_extract_resource_arn() -> None:
    original = iam_actions.extract_resource_arn

    def extract_resource_arn(  # noqa: PLR0917 - the signature is ministack's
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        _request.namespace = _namespace(body) if service == "monitoring" else ""
        of_stacks = query_params if service == "cloudformation" else {}
        _request.role = iam_actions._query_param(of_stacks, "RoleARN")
        _request.change_set = iam_actions._query_param(of_stacks, "ChangeSetName")
        _request.context = {}
        if service in _resource_of or service in _context_of:
            action = iam_actions.extract_iam_action(service, method, path, headers, body, query_params) or ":"
            request = Request(
                operation=action.split(":", 1)[1],
                path=path,
                query=query_params,
                body=_json(body),
                raw=body,
                region=region,
                account=account_id,
            )
            if service in _context_of:
                _request.context = _context_of[service](request)
            found = _resource_of[service](request) if service in _resource_of else None
            if found is not None:
                caller = extract_access_key_id(headers, query_params)
                return found if isinstance(found, str) else _first_denied(found, caller, action, region)
        return str(original(service, method, path, headers, body, query_params, region, account_id))

    iam_actions.extract_resource_arn = extract_resource_arn


def _first_denied(resources: Sequence[str], caller: str, action: str, region: str) -> str:
    """Of several resources the one to evaluate a request on: the first that would be denied, if there is one."""
    service = action.split(":", 1)[0]
    denied = (one for one in resources if iam_evaluator.enforce(caller, action, service, region, resource_arn=one))
    return next(denied, resources[0])


def _wrap_s3_context() -> None:
    """`s3:if-none-match` is that header of a write: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html"""
    original = iam_actions.s3_service_context

    def s3_service_context(
        iam_action: str, query_params: dict[str, Any] | None, path: str = "", headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        given = (headers or {}).get("if-none-match") if iam_action == "s3:PutObject" else None
        found = original(iam_action, query_params, path, headers)
        return {**found, "s3:if-none-match": given} if given else found

    iam_actions.s3_service_context = s3_service_context


def _namespace(body: bytes) -> str:
    """The namespace that a request to CloudWatch names, in whichever of its protocols."""
    if body.startswith(b"{"):
        return str(_json(body).get("Namespace", ""))
    if named := parse_qs(body.decode("latin-1")).get("Namespace"):
        return named[0]
    try:
        request = cbor2.loads(body)
    except cbor2.CBORDecodeError:
        return ""
    return str(request.get("Namespace", "")) if isinstance(request, dict) else ""


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
