"""The stacks of rooms in the toolchain account, and the pipelines that deploy them or invoke their functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import WaiterError

from cli.common.errors import ConflictError
from lambdas.common.aws_errors import ignoring
from lambdas.common.names import ORDER_TAG, ROOM_TAG, Names
from lambdas.common.stack_events import StackFailures
from lambdas.common.stack_states import tags_of

_WAIT = {"Delay": 5, "MaxAttempts": 360}


@dataclass(frozen=True, kw_only=True)
class RoomStackFound:
    """A stack of a room, as CloudFormation has it."""

    room: str
    name: str
    stack_id: str
    region: str
    status: str
    created: datetime
    order: int


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A resource that stays when its stack is deleted."""

    stack: str
    type: str
    name: str
    region: str

    def __str__(self) -> str:
        """What it is and where: the id of a key says nothing of its Region."""
        return f"{self.type} {self.name} in {self.region}"


@dataclass(frozen=True, kw_only=True)
class RoomStacks:
    """The toolchain account as rooms' stacks are in it; `client` makes the client of a service in a Region."""

    client: Callable[[str, str], Any]
    names: Names
    region: str

    def all(self, regions: Sequence[str]) -> list[RoomStackFound]:
        """Every room's stacks in these Regions, in the order in which they can go: first what nothing depends on."""
        found = [stack for region in dict.fromkeys(regions) for stack in self._in(region)]
        return sorted(found, key=lambda stack: (stack.order, stack.created), reverse=True)

    def _in(self, region: str) -> Iterator[RoomStackFound]:
        own = f"{self.names.prefix}/"
        for page in self.client("cloudformation", region).get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                tags = tags_of(stack)
                room = tags.get(ROOM_TAG, "").removeprefix(own)
                # A tag alone is no proof: whoever may tag a stack would choose what is deleted.
                if tags.get(ROOM_TAG, "") == f"{own}{room}" and self._bears(stack, self.names.room_stack(room)):
                    yield RoomStackFound(
                        room=room,
                        name=stack["StackName"],
                        stack_id=stack["StackId"],
                        region=region,
                        status=stack["StackStatus"],
                        created=stack["CreationTime"],
                        order=int(order) if (order := tags.get(ORDER_TAG, "")).isdecimal() else 0,
                    )

    def _bears(self, stack: Mapping[str, Any], name: str) -> bool:
        """Whether a stack has the name of a room's, and is none that another stack holds."""
        found = str(stack["StackName"])
        return "ParentId" not in stack and (found == name or found.startswith(f"{name}-"))

    def deployed_by_cicd(self, stacks: Sequence[RoomStackFound]) -> list[str]:
        """Names of those stacks that CI/CD goes on deploying."""
        actions = _actions(self.client("codepipeline", self.region), self.names.cicd_pipeline)
        named = {str(action["configuration"].get("StackName", "")) for action in actions}
        return sorted(named & {stack.name for stack in stacks})

    def invoked_by(self, stacks: Sequence[RoomStackFound]) -> list[str]:
        """Names of the pipelines that invoke a function of the stacks."""
        functions = {name for stack in stacks if stack.region == self.region for name in self._functions(stack)}
        client = self.client("codepipeline", self.region)
        pages = client.get_paginator("list_pipelines").paginate()
        names = [pipeline["name"] for page in pages for pipeline in page["pipelines"]] if functions else []
        return [
            name
            for name in names
            if any(
                str(action["configuration"].get("FunctionName", "")).rsplit(":", 1)[-1] in functions
                for action in _actions(client, name)
            )
        ]

    def _functions(self, stack: RoomStackFound) -> list[str]:
        found = self._resources(stack)
        return [str(one["PhysicalResourceId"]) for one in found if one["ResourceType"] == "AWS::Lambda::Function"]

    def _resources(self, stack: RoomStackFound) -> list[Mapping[str, Any]]:
        """Resources that are there; one whose creation failed has no physical id."""
        client = self.client("cloudformation", stack.region)
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack.stack_id)
        return [one for page in pages for one in page["StackResourceSummaries"] if one.get("PhysicalResourceId")]

    def kept(self, stack: RoomStackFound) -> list[Kept]:
        """What the stack's deletion leaves."""
        client = self.client("cloudformation", stack.region)
        template = client.get_template(StackName=stack.stack_id, TemplateStage="Processed")["TemplateBody"]
        retained = {
            logical_id
            for logical_id, resource in (template.get("Resources", {}) if isinstance(template, dict) else {}).items()
            if str(resource.get("DeletionPolicy", "")).startswith("Retain")
        }
        return [
            Kept(
                stack=stack.name,
                type=resource["ResourceType"],
                name=str(resource["PhysicalResourceId"]),
                region=stack.region,
            )
            for resource in self._resources(stack)
            if resource["LogicalResourceId"] in retained
        ]

    def delete(self, stack: RoomStackFound) -> None:
        """Delete a stack and wait until it is gone; one that is gone already is none.

        Raises:
            ConflictError: CloudFormation could not delete it.
        """
        client = self.client("cloudformation", stack.region)
        client.delete_stack(StackName=stack.stack_id)
        try:
            client.get_waiter("stack_delete_complete").wait(StackName=stack.stack_id, WaiterConfig=_WAIT)
        except WaiterError as error:
            reason = StackFailures(client=client).first(stack.stack_id) or str(error)
            raise ConflictError(
                f"stack {stack.name} in {stack.region} could not be deleted: {reason}. Remove what is in the way, then "
                f"run this again: it goes on where it stopped"
            ) from error


def _actions(client: Any, pipeline: str) -> list[dict[str, Any]]:
    with ignoring("PipelineNotFoundException"):  # deleted meanwhile
        stages = client.get_pipeline(name=pipeline)["pipeline"]["stages"]
        return [action for stage in stages for action in stage["actions"]]
    return []
