"""Deploy/CloudFormation: change sets and stacks.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.codepipeline import artifacts
from local_cloud.codepipeline.actions.context import Context, Outcome
from local_cloud.codepipeline.actions.stack_inputs import stack_arguments
from local_cloud.codepipeline.errors import ActionFailed, configuration_error

REQUIRED = frozenset({"ActionMode", "StackName"})
_TIMEOUT_MINUTES = 3 * 24 * 60
_SUCCEEDED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
Modes = dict[str, Callable[[Context, Any], None]]


def run(context: Context) -> Outcome:
    """Run the action mode; a finished stack's outputs become output variables."""
    mode = context.setting("ActionMode")
    cloudformation = context.client("cloudformation")
    context.describe(external_id=context.setting("StackName"))
    MODES[mode](context, cloudformation)
    outputs = {} if mode in ("DELETE_ONLY", "CHANGE_SET_REPLACE") else _outputs(context, cloudformation)
    written = frozenset[str]()
    if name := context.optional("OutputFileName"):
        artifact = context.action.outputs[0]
        context.write(artifact=artifact, body=artifacts.zipped({name: json.dumps(outputs).encode()}))
        written = frozenset({artifact})
    return Outcome(variables=outputs, written=written)


def _stack(context: Context, cloudformation: Any) -> dict[str, Any] | None:
    """The stack, or None when there is none (a deleted one is none)."""
    try:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=context.setting("StackName"))["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _outputs(context: Context, cloudformation: Any) -> dict[str, str]:
    stack = _stack(context, cloudformation)
    return {item["OutputKey"]: item["OutputValue"] for item in (stack or {}).get("Outputs", [])}


def _replace_change_set(context: Context, cloudformation: Any) -> None:
    """CHANGE_SET_REPLACE: an empty change set is a success; CHANGE_SET_EXECUTE then does nothing."""
    stack = _stack(context, cloudformation)
    names = {"StackName": context.setting("StackName"), "ChangeSetName": context.setting("ChangeSetName")}
    if stack is not None:
        _refuse_unfinished(stack)
        cloudformation.delete_change_set(**names)
    is_new = stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS"
    cloudformation.create_change_set(
        **stack_arguments(context),
        ChangeSetName=names["ChangeSetName"],
        ChangeSetType="CREATE" if is_new else "UPDATE",
    )
    found: dict[str, Any] = {}

    def ended() -> bool:
        found.update(cloudformation.describe_change_set(**names))
        return found["Status"] in ("CREATE_COMPLETE", "FAILED")

    context.wait(ended, default_minutes=_TIMEOUT_MINUTES)
    if found["Status"] == "FAILED" and not _is_empty(found):
        raise ActionFailed("JobFailed", f"Change set {names['ChangeSetName']} failed: {found.get('StatusReason')}")


def _is_empty(change_set: dict[str, Any]) -> bool:
    return any(text in change_set.get("StatusReason", "") for text in _NO_CHANGES)


def _refuse_unfinished(stack: dict[str, Any]) -> None:
    if stack["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"):
        raise ActionFailed(
            "JobFailed",
            f"Stack {stack['StackName']} is in {stack['StackStatus']} state and can not be updated: delete it first",
        )


def _execute_change_set(context: Context, cloudformation: Any) -> None:
    names = {"StackName": context.setting("StackName"), "ChangeSetName": context.setting("ChangeSetName")}
    change_set = cloudformation.describe_change_set(**names)
    if change_set["Status"] == "FAILED" and _is_empty(change_set):
        context.run.summary = "The change set contains no changes"
        return
    cloudformation.execute_change_set(**names)
    _await_stack(context, cloudformation)


def _create_or_update(context: Context, cloudformation: Any) -> None:
    stack, arguments = _stack(context, cloudformation), stack_arguments(context)
    if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        cloudformation.create_stack(**arguments)
    else:
        _refuse_unfinished(stack)
        try:
            cloudformation.update_stack(**arguments)
        except ClientError as error:
            if _NO_CHANGES[1] in str(error):
                return
            raise
    _await_stack(context, cloudformation)


def _delete(context: Context, cloudformation: Any) -> None:
    stack = _stack(context, cloudformation)
    if stack is None:
        return
    role = {"RoleARN": context.optional("RoleArn")} if context.optional("RoleArn") else {}
    cloudformation.delete_stack(StackName=stack["StackId"], **role)

    def gone() -> bool:
        found = cloudformation.describe_stacks(StackName=stack["StackId"])["Stacks"][0]
        if found["StackStatus"] == "DELETE_FAILED":
            raise ActionFailed("JobFailed", f"Stack {stack['StackName']} cannot be deleted: {_reason(found)}")
        return bool(found["StackStatus"] == "DELETE_COMPLETE")

    context.wait(gone, default_minutes=_TIMEOUT_MINUTES)


def _reason(stack: dict[str, Any]) -> str:
    return str(stack.get("StackStatusReason", "no reason given"))


def _await_stack(context: Context, cloudformation: Any) -> None:
    found: dict[str, Any] = {}

    def ended() -> bool:
        found.clear()
        found.update(_stack(context, cloudformation) or {"StackStatus": "DELETE_COMPLETE"})
        return not found["StackStatus"].endswith("_IN_PROGRESS")

    context.wait(ended, default_minutes=_TIMEOUT_MINUTES)
    if found["StackStatus"] not in _SUCCEEDED:
        name = context.setting("StackName")
        reason = _first_failure(cloudformation, found.get("StackId", name)) or _reason(found)
        raise ActionFailed("JobFailed", f"Stack {name} ended in {found['StackStatus']}: {reason}")


def _first_failure(cloudformation: Any, stack: str) -> str | None:
    """The reason of the first resource that failed in the stack's latest operation."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    first = None
    for event in (event for page in pages for event in page["StackEvents"]):
        is_stack = event["PhysicalResourceId"] == event["StackId"]
        if is_stack and event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
            break
        if event["ResourceStatus"].endswith("_FAILED") and not is_stack:
            first = f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason')}"
    return first


MODES: Modes = {
    "CHANGE_SET_REPLACE": _replace_change_set,
    "CHANGE_SET_EXECUTE": _execute_change_set,
    "CREATE_UPDATE": _create_or_update,
    "DELETE_ONLY": _delete,
}
_NEEDED_BY_MODE = {
    "CHANGE_SET_REPLACE": frozenset({"ChangeSetName", "TemplatePath"}),
    "CHANGE_SET_EXECUTE": frozenset({"ChangeSetName"}),
    "CREATE_UPDATE": frozenset({"TemplatePath"}),
}


def check(configuration: Mapping[str, str]) -> None:
    """Refuse a mode that the local cloud does not execute, and one that lacks its settings."""
    mode = configuration["ActionMode"]
    if mode not in MODES:
        raise configuration_error(f"The local cloud does not execute the CloudFormation action mode {mode}")
    missing = sorted(_NEEDED_BY_MODE.get(mode, frozenset()) - configuration.keys())
    if missing:
        raise configuration_error(f"ActionMode {mode} needs {', '.join(missing)}")
