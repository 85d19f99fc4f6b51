"""Role sessions of AWS services: what CodeBuild, CodePipeline or EventBridge get when they assume a role."""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam, sts

_SESSION_SECONDS = 12 * 3600


class _Sessions(dict[str, Any]):
    """Sessions by access key. Several threads make some at once, and ministack goes through all with each new one."""

    def items(self) -> Any:
        return list(super().items())


def keep_sessions() -> None:
    """Keep ministack's sessions where a new one disturbs nobody who goes through them; once, before it serves."""
    sts._sessions = _Sessions(sts._sessions)


def assume_service_role(
    role_arn: str,
    service_principal: str,
    session_name: str,
    source_arn: str | None = None,
    source_account: str | None = None,
) -> dict[str, str]:
    """Temporary credentials of the role, as `service_principal` (such as codebuild.amazonaws.com) gets them.

    The trust policy decides, with its conditions on aws:SourceArn and aws:SourceAccount. Raises PermissionError,
    with the reason, when the role does not exist or does not trust the service.
    """
    account, name = _parse(role_arn)
    role = iam._roles.get_scoped(account, None, name)
    if role is None:
        raise PermissionError(f"{service_principal} cannot assume {role_arn}: the role does not exist.")
    context = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_account}
    given = {key: value for key, value in context.items() if value is not None}
    if not _trusts(role["AssumeRolePolicyDocument"], role_arn=role_arn, service=service_principal, context=given):
        raise PermissionError(
            f"{service_principal} cannot assume {role_arn}: its trust policy does not admit the "
            f"service with {given or 'no source context'}."
        )
    return _new_session(account=account, role_name=name, role_id=role["RoleId"], session_name=session_name)


def _parse(role_arn: str) -> tuple[str, str]:
    match = re.fullmatch(r"arn:aws[a-z-]*:iam::(\d{12}):role/(?:.*/)?([^/:]+)", role_arn)
    if match is None:
        raise PermissionError(f"{role_arn!r} is not the ARN of an IAM role.")
    return match.group(1), match.group(2)


def _trusts(document: str | dict[str, Any], *, role_arn: str, service: str, context: dict[str, Any]) -> bool:
    policy = json.loads(document) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    evaluation = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account="",
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region="",
        service_context=context,
        secure_transport=True,
    )
    matching = [
        statement
        for statement in (statements if isinstance(statements, list) else [statements])
        if _admits(statement, service=service)
        and iam_evaluator._conditions_met(statement.get("Condition", {}), evaluation)
    ]
    effects = {statement.get("Effect") for statement in matching}
    return "Allow" in effects and "Deny" not in effects


def _admits(statement: dict[str, Any], *, service: str) -> bool:
    principal = statement.get("Principal", {})
    named = principal if principal == "*" else principal.get("Service", [])
    services = [named] if isinstance(named, str) else named
    actions = statement.get("Action", [])
    patterns = [actions] if isinstance(actions, str) else actions
    return bool({service, "*"} & set(services)) and iam_evaluator._action_matches("sts:AssumeRole", patterns, [])


def _new_session(*, account: str, role_name: str, role_id: str, session_name: str) -> dict[str, str]:
    keys = {
        "AccessKeyId": f"ASIA{secrets.token_hex(8).upper()}",
        "SecretAccessKey": secrets.token_hex(20),
        "SessionToken": secrets.token_urlsafe(120),
    }
    sts.register_session(
        keys["AccessKeyId"],
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session_name[:64]}",
            "UserId": f"{role_id}:{session_name[:64]}",
            "SecretAccessKey": keys["SecretAccessKey"],
            "SessionToken": keys["SessionToken"],
            "Expiration": time.time() + _SESSION_SECONDS,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return keys
