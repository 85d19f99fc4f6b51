"""Stacks of CloudFormation: whether one is there, and why one failed: its newest operation's first failing event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.stack_states import HOLD_NOTHING

_STACK_TYPE = "AWS::CloudFormation::Stack"
# The stack's own statuses that begin an operation; rolling back belongs to the operation that failed.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
_BEGINNINGS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})
# What is under way when another resource fails is cancelled: a consequence, not a cause.
_CONSEQUENCES = ("resource creation cancelled", "resource update cancelled", "resource deletion cancelled")


def stack_of(client: Any, name: str) -> dict[str, Any] | None:
    """A stack, as DescribeStacks has it; None when there is none of this name or id."""
    try:
        stack: dict[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return stack


def standing_stack(client: Any, name: str) -> Mapping[str, Any] | None:
    """A stack that holds something; one whose first creation failed, or was only prepared, does not."""
    stack = stack_of(client, name)
    return stack if stack and stack["StackStatus"] not in HOLD_NOTHING else None


def failure_reason(events: Iterable[Mapping[str, Any]], *, since: datetime | None = None) -> str | None:
    """Tell why a stack's newest operation failed, from its events as DescribeStackEvents returns them: newest first.

    The answer reads `<LogicalId> (<Type>): <ResourceStatusReason>`; None when the operation has no failing event.
    Events before `since` are not looked at, and events are read only as far back as the operation goes.
    """
    resource: str | None = None
    stack: str | None = None
    for event in events:
        if since is not None and event["Timestamp"] < since:
            break
        own = _is_stack_itself(event)
        if own and event["ResourceStatus"] in _BEGINNINGS:
            break
        if own and _stack_failed(event):
            stack = _text(event)
        elif not own and _resource_failed(event):
            resource = _text(event)
    return resource or stack


def _is_stack_itself(event: Mapping[str, Any]) -> bool:
    return bool(event.get("ResourceType") == _STACK_TYPE and event.get("PhysicalResourceId") == event["StackId"])


def _stack_failed(event: Mapping[str, Any]) -> bool:
    status = event["ResourceStatus"]
    failed = status.endswith("_FAILED") or status.endswith("ROLLBACK_IN_PROGRESS")
    return failed and bool(event.get("ResourceStatusReason"))


def _resource_failed(event: Mapping[str, Any]) -> bool:
    reason = event.get("ResourceStatusReason", "").lower()
    return event["ResourceStatus"].endswith("_FAILED") and not reason.startswith(_CONSEQUENCES)


def _text(event: Mapping[str, Any]) -> str:
    reason = event.get("ResourceStatusReason") or f"{event['ResourceStatus']}, CloudFormation gives no reason"
    return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"


@dataclass(frozen=True, kw_only=True)
class StackFailures:
    """Reads the events of stacks with a CloudFormation client of their account and Region."""

    client: Any

    def first(self, stack: str, *, since: datetime | None = None) -> str | None:
        """Tell why a stack's newest operation failed; a deleted stack is found by its id only, not by its name."""
        return failure_reason(self._events(stack), since=since)

    def _events(self, stack: str) -> Iterator[Mapping[str, Any]]:
        for page in self.client.get_paginator("describe_stack_events").paginate(StackName=stack):
            yield from page["StackEvents"]
