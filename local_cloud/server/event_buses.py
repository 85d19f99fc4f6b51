"""Event buses to which rules of other accounts and Regions send: the rule's role and the bus's policy both decide.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

from local_cloud.server import credentials

_log = logging.getLogger("local_cloud.event_buses")
_PUT = "events:PutEvents"


def register() -> None:
    """Send to such buses, and let CloudFormation make policies of buses; once, before serving."""
    invoke = eventbridge._invoke_target

    def with_buses(
        target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any], view: Any = None
    ) -> Any:
        if ":event-bus/" not in target["Arn"] or target["Arn"].split(":")[3:5] == [get_region(), get_account_id()]:
            return invoke(target, event, rule, view)
        if refused := _send(target, event, rule):
            _log.warning("The rule %s sends nothing to %s: %s", rule["Name"], target["Arn"], refused)
            if queue := target.get("DeadLetterConfig", {}).get("Arn"):
                payload = json.dumps((view or eventbridge._pattern_event_view(event)).event_with_detail())
                eventbridge._dispatch_to_sqs(parse_arn(queue), payload)
        return None

    eventbridge._invoke_target = with_buses
    provisioners._RESOURCE_HANDLERS["AWS::Events::EventBusPolicy"] = {"create": _create, "delete": _delete}


def _send(target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    """Why the event is not on the bus, or nothing."""
    account, arn = get_account_id(), target["Arn"]
    region, owner, name = arn.split(":")[3], arn.split(":")[4], arn.rpartition("/")[2]
    try:
        keys = credentials.assume_service_role(
            target.get("RoleArn", ""), "events.amazonaws.com", "events", rule["Arn"], account
        )
    except PermissionError as error:
        return str(error)
    principal = iam_evaluator.resolve_principal(keys["AccessKeyId"], account)
    asked = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=_PUT,
        resource_arn=arn,
        region=region,
        service_context={"events:source": event["Source"], "events:detail-type": event["DetailType"]},
        principal_keys=principal.keys,
    )
    own = iam_evaluator.evaluate(asked, principal.policies, *principal.limits)
    with request_scope(owner, region):
        if name not in eventbridge._event_buses:
            return "there is no such bus"
        policy = eventbridge._event_bus_policies.get(name)
        if iam_evaluator.combine_resource_policy(own, asked, policy, owner).decision != "Allow":
            return f"{principal.arn} may not {_PUT}"
        # Whose event it is, and where from, it says there as well.
        eventbridge._dispatch_event({**event, "EventBusName": name})
    return ""


def _policy(properties: Mapping[str, Any]) -> dict[str, Any]:
    name = properties.get("EventBusName", "default")
    there = eventbridge._event_bus_policies.get(name) or {"Version": "2012-10-17", "Statement": []}
    others = [one for one in there["Statement"] if one.get("Sid") != properties["StatementId"]]
    eventbridge._event_bus_policies[name] = {**there, "Statement": others}
    return eventbridge._event_bus_policies[name]  # type: ignore[no-any-return]


def _create(_: str, properties: Mapping[str, Any], __: str) -> tuple[str, dict[str, Any]]:
    statement = {**properties["Statement"], "Sid": properties["StatementId"]}
    _policy(properties)["Statement"].append(statement)
    return f"{properties.get('EventBusName', 'default')}|{properties['StatementId']}", {}


def _delete(_: str, properties: Mapping[str, Any]) -> None:
    _policy(properties)
