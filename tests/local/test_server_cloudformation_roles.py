"""CloudFormation on the local cloud acts as the role that a stack was given, or as the caller."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud_fixtures import Workbench, allow, wait_until

_SERVICE = {"Service": "cloudformation.amazonaws.com"}
_STACK = "roles"
_QUEUE_ACTIONS = ("sqs:CreateQueue", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes", "sqs:DeleteQueue")


@dataclass(kw_only=True)
class Stack:
    """A stack that one session works on, and what the account's root sees of it."""

    workbench: Workbench
    session: Mapping[str, str]

    @property
    def client(self) -> Any:
        """CloudFormation, as the session."""
        return self.workbench.client("cloudformation", self.session)

    def ended(self, name: str = _STACK) -> str:
        """The stack's status once its operation is over."""

        def status() -> str | None:
            found = str(self._seen.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
            return None if found.endswith("IN_PROGRESS") else found

        return str(wait_until(status, what="the end of the operation"))

    def created(self, resources: Mapping[str, Any], **options: Any) -> str:
        """Create the stack; its status in the end."""
        return self.ended(self.client.create_stack(**_asked(resources), **options)["StackId"])

    def updated(self, resources: Mapping[str, Any], **options: Any) -> str:
        """Update the stack; its status in the end."""
        return self.ended(self.client.update_stack(**_asked(resources), **options)["StackId"])

    def deleted(self, **options: Any) -> str:
        """Delete the stack; its status in the end."""
        stack_id = str(self._seen.describe_stacks(StackName=_STACK)["Stacks"][0]["StackId"])
        self.client.delete_stack(StackName=_STACK, **options)
        return self.ended(stack_id)

    def failures(self) -> dict[str, str]:
        """Why resources failed, by logical id and status."""
        events = self._seen.describe_stack_events(StackName=_STACK)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        return {
            f"{event['LogicalResourceId']} {event['ResourceStatus']}": event["ResourceStatusReason"] for event in failed
        }

    @property
    def _seen(self) -> Any:
        return self.workbench.client("cloudformation")


def _asked(resources: Mapping[str, Any]) -> dict[str, Any]:
    template = json.dumps({"Resources": dict(resources)})
    return {"StackName": _STACK, "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]}


def _queue(name: str = "orders", **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, **properties}}


def _caller(workbench: Workbench, *statements: Mapping[str, Any]) -> Stack:
    """A caller who may operate stacks, and what the statements say."""
    role = workbench.role(
        "caller",
        principal={"AWS": f"arn:aws:iam::{workbench.account}:root"},
        statements=[allow("cloudformation:*"), *statements],
    )
    return Stack(workbench=workbench, session=workbench.assume(role))


def _execution(workbench: Workbench, *statements: Mapping[str, Any], name: str = "execution") -> str:
    return workbench.role(name, principal=_SERVICE, statements=statements)


def _permit(workbench: Workbench, role: str, statements: Sequence[Mapping[str, Any]]) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    workbench.client("iam").put_role_policy(RoleName=role, PolicyName="inline", PolicyDocument=policy)


def _passing(role: str) -> dict[str, Any]:
    return allow(
        "iam:PassRole",
        resource=role,
        StringEquals={"iam:PassedToService": "cloudformation.amazonaws.com"},
    )


def test_who_names_a_role_must_be_allowed_to_pass_it(workbench: Workbench) -> None:
    role = _execution(workbench, allow(*_QUEUE_ACTIONS))
    elsewhere = allow("iam:PassRole", resource=role, StringEquals={"iam:PassedToService": "codepipeline.amazonaws.com"})
    stack = _caller(workbench, elsewhere, allow(*_QUEUE_ACTIONS))
    asked = {**_asked({"Queue": _queue()}), "RoleARN": role}
    change_set = {"ChangeSetName": "first", "ChangeSetType": "CREATE"}
    stack.client.create_stack(**_asked({"Queue": _queue()}))
    stack.ended()
    attempts: list[Callable[[], Any]] = [
        lambda: stack.client.create_stack(**{**asked, "StackName": "other"}),
        lambda: stack.client.update_stack(**asked),
        lambda: stack.client.create_change_set(**{**asked, "StackName": "other"}, **change_set),
        lambda: stack.client.delete_stack(StackName=_STACK, RoleARN=role),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError, match=f"AccessDenied.*assumed-role/caller/.* iam:PassRole on resource: {role}"):
            attempt()
    assert stack.ended() == "CREATE_COMPLETE"


def test_a_role_that_does_not_trust_cloudformation_is_refused(workbench: Workbench) -> None:
    role = workbench.role("execution", principal={"Service": "codebuild.amazonaws.com"})
    stack = _caller(workbench, _passing(role))
    with pytest.raises(ClientError, match=f"ValidationError.*Role {role} is invalid or cannot be assumed"):
        stack.created({"Queue": _queue()}, RoleARN=role)


def test_a_resource_fails_with_the_action_that_the_role_lacks(workbench: Workbench) -> None:
    role = _execution(workbench, allow("sqs:CreateQueue", "sqs:GetQueueAttributes", "sqs:DeleteQueue"))
    stack = _caller(workbench, _passing(role))
    topic = {"Type": "AWS::SNS::Topic", "DependsOn": "Queue", "Properties": {"TopicName": "news"}}
    assert stack.created({"Queue": _queue(), "Topic": topic}, RoleARN=role) == "ROLLBACK_COMPLETE"
    session = f"arn:aws:sts::{workbench.account}:assumed-role/execution/AWSCloudFormation"
    resource = f"arn:aws:sns:{workbench.region}:{workbench.account}:news"
    reason = f"User: {session} is not authorized to perform: sns:CreateTopic on resource: {resource}"
    (failure,) = stack.failures().items()
    assert failure[0] == "Topic CREATE_FAILED"
    assert reason in failure[1]
    assert workbench.client("sqs").list_queues().get("QueueUrls", []) == []
    stack.deleted()
    _permit(workbench, "execution", [allow(*_QUEUE_ACTIONS, "sns:*")])
    assert stack.created({"Queue": _queue(), "Topic": topic}, RoleARN=role) == "CREATE_COMPLETE"


def test_a_stack_keeps_its_role(workbench: Workbench) -> None:
    """Given a stack with a role, whoever updates and deletes it goes on with that role, which they may not pass."""
    role = _execution(workbench, allow(*_QUEUE_ACTIONS))
    owner = _caller(workbench, _passing(role))
    assert owner.created({"Queue": _queue()}, RoleARN=role) == "CREATE_COMPLETE"
    _permit(workbench, "caller", [allow("cloudformation:*")])
    assert owner.updated({"Queue": _queue(DelaySeconds=5)}) == "UPDATE_COMPLETE"
    assert owner.updated({"Queue": _queue(DelaySeconds=5, Tags=[{"Key": "k", "Value": "v"}])}) == (
        "UPDATE_ROLLBACK_COMPLETE"
    )
    assert "assumed-role/execution/AWSCloudFormation" in owner.failures()["Queue UPDATE_FAILED"]
    assert "sqs:TagQueue" in owner.failures()["Queue UPDATE_FAILED"]
    _permit(workbench, "execution", [allow("sqs:GetQueueAttributes")])
    assert owner.deleted() == "DELETE_FAILED"
    assert "sqs:DeleteQueue" in owner.failures()["Queue DELETE_FAILED"]
    _permit(workbench, "execution", [allow(*_QUEUE_ACTIONS)])
    assert owner.deleted() == "DELETE_COMPLETE"


def test_a_stack_without_a_role_acts_as_the_caller(workbench: Workbench) -> None:
    stack = _caller(workbench, allow(*_QUEUE_ACTIONS))
    assert stack.created({"Queue": _queue()}) == "CREATE_COMPLETE"
    _permit(workbench, "caller", [allow("cloudformation:*")])
    assert stack.updated({"Queue": _queue(DelaySeconds=5)}) == "UPDATE_ROLLBACK_COMPLETE"
    reason = stack.failures()["Queue UPDATE_FAILED"]
    assert "assumed-role/caller/test is not authorized to perform: sqs:SetQueueAttributes" in reason


def test_a_change_set_is_executed_with_the_role_it_was_created_with(workbench: Workbench) -> None:
    role = _execution(workbench, allow(*_QUEUE_ACTIONS))
    stack = _caller(workbench, _passing(role))

    def deployed(name: str, kind: str, resources: Mapping[str, Any], **options: Any) -> str:
        change_set = stack.client.create_change_set(
            **_asked(resources), ChangeSetName=name, ChangeSetType=kind, **options
        )
        stack.client.execute_change_set(ChangeSetName=change_set["Id"])
        return stack.ended(change_set["StackId"])

    assert deployed("first", "CREATE", {"Queue": _queue()}, RoleARN=role) == "CREATE_COMPLETE"
    _permit(workbench, "caller", [allow("cloudformation:*")])
    assert deployed("second", "UPDATE", {"Queue": _queue(DelaySeconds=5)}) == "UPDATE_COMPLETE"
    assert stack.updated({"Queue": _queue(DelaySeconds=9)}) == "UPDATE_COMPLETE"
