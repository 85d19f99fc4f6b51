"""CloudFormation acts as the stack's role, or as the caller: ministack does not ask what either may.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ministack import app as ministack_app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import sts
from ministack.services.cloudformation import changesets, handlers, provisioners, stacks
from ministack.services.cloudformation.helpers import _error, _p

from local_cloud.server import credentials, stack_needs
from local_cloud.server.responses import Response
from local_cloud.server.stack_needs import Change, Need

_SERVICE = "cloudformation.amazonaws.com"
_SESSION = "AWSCloudFormation"
# The operations that change resources, and the one that names the role of a later one.
_OPERATIONS = (
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "RollbackStack",
    "ContinueUpdateRollback",
    "CreateChangeSet",
    "ExecuteChangeSet",
)
Parameters = Mapping[str, Any]

log = logging.getLogger("local_cloud")
_caller: ContextVar[str] = ContextVar("caller of CloudFormation")
# The access key that the running operation provisions with. The task of an operation inherits it from the request.
_acting: ContextVar[str | None] = ContextVar("who provisions", default=None)
_logged: set[str] = set()


@dataclass(kw_only=True)
class _RefusedError(Exception):
    """An answer of CloudFormation instead of the operation."""

    code: str
    message: str
    status: int = HTTPStatus.BAD_REQUEST


def register() -> None:
    """Hook into ministack's CloudFormation; once, before it serves."""
    _remember_callers()
    for operation in _OPERATIONS:
        handlers._ACTION_HANDLERS[operation] = _acting_as_role(operation, handlers._ACTION_HANDLERS[operation])
    _replace("_provision_resource", _checked_create)
    _replace("_update_resource", _checked_update)
    _replace("_delete_resource", _checked_delete)


def acting_arn() -> str:
    """Who CloudFormation makes a change as; empty outside of its changes."""
    session = sts._sessions.get(_acting.get() or "")
    return str(session["Arn"]) if session else ""


def _replace(name: str, wrapped: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    function = wrapped(getattr(provisioners, name))
    for module in (provisioners, stacks):
        setattr(module, name, function)


def _remember_callers() -> None:
    original = ministack_app.SERVICE_HANDLERS["cloudformation"]

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Response:
        _caller.set(extract_access_key_id(headers, query))
        answer: Response = await original(method, path, headers, body, query)
        return answer

    ministack_app.SERVICE_HANDLERS["cloudformation"] = handle


def _acting_as_role(operation: str, original: Callable[[Parameters], Response]) -> Callable[[Parameters], Response]:
    def handle(parameters: Parameters) -> Response:
        given = _p(parameters, "RoleARN")
        try:
            if given:
                _refuse_to_pass(given)
            role = given or _role_of(operation, parameters)
            who = _assume(role) if role else _caller.get()
        except _RefusedError as refused:
            answer: Response = _error(refused.code, refused.message, refused.status)
            return answer
        scope = _acting.set(who)
        try:
            answer = original(parameters)
        finally:
            _acting.reset(scope)
        if role and answer[0] == HTTPStatus.OK:
            _keep(operation, parameters, role)
        return answer

    return handle


def _refuse_to_pass(role: str) -> None:
    if role.split(":")[4:5] != [get_account_id()]:
        raise _RefusedError(
            code="AccessDenied", message="Cross-account pass role is not allowed.", status=HTTPStatus.FORBIDDEN
        )
    passing = Need(action="iam:PassRole", resource=role, context={"iam:passedtoservice": _SERVICE})
    if reason := _denial(_caller.get(), passing):
        raise _forbidden(reason)


def _forbidden(message: str) -> _RefusedError:
    return _RefusedError(code="AccessDenied", message=message, status=HTTPStatus.FORBIDDEN)


def _role_of(operation: str, parameters: Parameters) -> str:
    """The role that the change set, or else the stack, was last given."""
    owners = [] if operation in ("CreateStack", "CreateChangeSet") else _owners(operation, parameters)
    return next((str(owner["RoleARN"]) for owner in owners if "RoleARN" in owner), "")


def _keep(operation: str, parameters: Parameters, role: str) -> None:
    for owner in _owners(operation, parameters)[-1:]:
        owner["RoleARN"] = role


def _owners(operation: str, parameters: Parameters) -> list[dict[str, Any]]:
    """What has the operation's role: the stack; of an execution, the change set too; of a new change set, only it."""
    stack = handlers._resolve_stack(_p(parameters, "StackName"))
    if operation not in ("CreateChangeSet", "ExecuteChangeSet"):
        return [stack] if stack else []
    name = stack["StackName"] if stack else ""
    _, change_set = changesets._find_change_set(_p(parameters, "ChangeSetName"), name)
    if change_set is None or operation == "CreateChangeSet":
        return [change_set] if change_set else []
    return [change_set, handlers._resolve_stack(change_set["StackId"])]


def _assume(role: str) -> str:
    try:
        return credentials.assume_service_role(role, _SERVICE, _SESSION)["AccessKeyId"]
    except PermissionError as error:
        log.info("%s", error)
        raise _RefusedError(code="ValidationError", message=f"Role {role} is invalid or cannot be assumed") from error


def _denial(access_key: str, need: Need) -> str | None:
    """Why the owner of the key may not do this; None when it may."""
    service = need.action.split(":", 1)[0]
    denied = iam_evaluator.enforce(
        access_key, need.action, service, get_region(), resource_arn=need.resource, service_context=dict(need.context)
    )
    if denied is None:
        return None
    if isinstance(denied, iam_evaluator.AuthError):
        return str(denied.message)
    message: str = iam_actions.identity_denial_message(
        need.action, denied.principal_arn, need.resource, denied.decision == "Deny"
    )
    return message


def _check(change: Change) -> None:
    """Raise PermissionError, in the words of a resource handler, when who acts lacks an action for the change."""
    access_key = _acting.get()
    if access_key is None or iam_evaluator.is_root_access_key(access_key):
        return
    if stack_needs.facts_of(change.type_name) is None and change.type_name not in _logged:
        _logged.add(change.type_name)
        log.warning("Permissions for %s are not checked: server/stack_needs lacks the type", change.type_name)
    for need in stack_needs.needs(change):
        if reason := _denial(access_key, need):
            raise PermissionError(
                f'Resource handler returned message: "{reason}" '
                f"(RequestToken: {uuid.uuid4()}, HandlerErrorCode: AccessDenied)"
            )


def _change(type_name: str, identifier: str, **sides: Mapping[str, Any]) -> Change:
    return Change(type_name=type_name, identifier=identifier, account=get_account_id(), region=get_region(), **sides)


def _name(type_name: str, logical_id: str, properties: Mapping[str, Any], stack_name: str) -> str:
    """The name that the resource will get."""
    facts = stack_needs.facts_of(type_name) or {}
    given: Any = properties
    for part in facts.get("name", "").split("."):
        given = given.get(part) if isinstance(given, Mapping) else None
    if given:
        return str(given)
    made: str = provisioners._physical_name(
        stack_name, logical_id, lowercase=type_name == "AWS::S3::Bucket", max_len=facts.get("longest", 128)
    )
    return made


def _checked_create(original: Callable[..., Any]) -> Callable[..., Any]:
    def provision(type_name: str, logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Any:
        _check(_change(type_name, _name(type_name, logical_id, properties, stack_name), after=properties))
        return original(type_name, logical_id, properties, stack_name)

    return provision


def _checked_update(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(
        type_name: str, physical_id: str, before: Mapping[str, Any], after: Mapping[str, Any], *rest: Any
    ) -> Any:
        # What does not change is left alone, and a replacement is a creation, which is checked as such.
        if before == after or provisioners._replacing_change(type_name, before, after):
            return original(type_name, physical_id, before, after, *rest)
        _check(_change(type_name, physical_id, before=before, after=after))
        if "update" in provisioners._RESOURCE_HANDLERS.get(type_name, {}):
            return original(type_name, physical_id, before, after, *rest)
        # Without a handler ministack creates the resource again: that needs no more than the update.
        scope = _acting.set(None)
        try:
            return original(type_name, physical_id, before, after, *rest)
        finally:
            _acting.reset(scope)

    return update


def _checked_delete(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete(type_name: str, physical_id: str, properties: Mapping[str, Any], *rest: Any) -> None:
        _check(_change(type_name, physical_id, before=properties))
        original(type_name, physical_id, properties, *rest)

    return delete
