"""EventBridge targets that ministack lacks: pipelines and CodeBuild projects.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.codepipeline import host, lifecycle
from local_cloud.codepipeline.errors import ServiceError
from local_cloud.codepipeline.executions import Trigger
from local_cloud.server import clients, credentials

_log = logging.getLogger(__name__)
_PRINCIPAL = "events.amazonaws.com"
Target = Mapping[str, Any]


def register() -> None:
    """Deliver to these targets from now on."""
    host.on_event_target(frozenset({"codepipeline", "codebuild"}), _deliver)


def _deliver(target: Target, rule: Mapping[str, Any], given: str | None) -> None:
    """On a thread of its own: delivery calls back into the server."""
    arguments = (host.account(), host.region(), target, rule, given)
    threading.Thread(target=_deliver_in_scope, args=arguments, name="event-target", daemon=True).start()


def _deliver_in_scope(account: str, region: str, target: Target, rule: Mapping[str, Any], given: str | None) -> None:
    arn = target["Arn"]
    try:
        with host.scope(account=account, region=region):
            options = json.loads(given) if given else {}
            if arn.split(":")[2] == "codepipeline":
                _start_pipeline(target, rule, options)
            else:
                _start_build(target, rule, options)
    except (ServiceError, PermissionError, ClientError, ValueError) as error:
        _log.warning("Rule %s: the event was not delivered to %s: %s", rule.get("Name"), arn, error)


def _assume(target: Target, rule: Mapping[str, Any]) -> dict[str, str]:
    role, arn = target.get("RoleArn"), rule.get("Arn")
    if not role:
        raise PermissionError(f"target {target['Arn']} has no RoleArn")
    name = f"events-{rule.get('Name', 'rule')}"[:64]
    return credentials.assume_service_role(role, _PRINCIPAL, name, source_arn=arn, source_account=host.account())


def _start_pipeline(target: Target, rule: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    name = target["Arn"].split(":")[5]
    caller = clients.client(
        "codepipeline", account=host.account(), region=host.region(), credentials=_assume(target, rule)
    )
    given = {key: options[key] for key in ("variables", "sourceRevisions") if key in options}
    token = str(uuid.uuid4())
    lifecycle.announce_trigger(token, Trigger(type="CloudWatchEvent", detail=str(rule.get("Arn", ""))))
    caller.start_pipeline_execution(name=name, clientRequestToken=token, **given)


def _start_build(target: Target, rule: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    project = target["Arn"].split(":")[5].removeprefix("project/")
    caller = clients.client(
        "codebuild", account=host.account(), region=host.region(), credentials=_assume(target, rule)
    )
    overrides = {key: value for key, value in options.items() if key != "projectName"}
    caller.start_build(projectName=project, **overrides)
