"""The stacks of rooms in the toolchain account, and the pipelines that deploy them or invoke their functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from cli.common.errors import ConflictError
from lambdas.common.names import Names
from lambdas.common.stack_events import StackFailures

# Every stack of a room bears it, with `<prefix>/<room>`: `stacks/room.py` puts it on.
ROOM_TAG = "granary:room"
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


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A resource that stays when its stack is deleted."""

    stack: str
    type: str
    name: str


@dataclass(frozen=True, kw_only=True)
class RoomStacks:
    """The toolchain account as rooms' stacks are in it; `client` makes the client of a service in a Region."""

    client: Callable[[str, str], Any]
    names: Names
    region: str

    def all(self, regions: Sequence[str]) -> list[RoomStackFound]:
        """Every room's stacks in these Regions, newest first: a stack is younger than what it depends on."""
        found = [stack for region in dict.fromkeys(regions) for stack in self._in(region)]
        return sorted(found, key=lambda stack: stack.created, reverse=True)

    def _in(self, region: str) -> Iterator[RoomStackFound]:
        own = f"{self.names.prefix}/"
        for page in self.client("cloudformation", region).get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", ())}
                if tags.get(ROOM_TAG, "").startswith(own):
                    yield RoomStackFound(
                        room=tags[ROOM_TAG].removeprefix(own),
                        name=stack["StackName"],
                        stack_id=stack["StackId"],
                        region=region,
                        status=stack["StackStatus"],
                        created=stack["CreationTime"],
                    )

    def deployed_by_cicd(self, room: str) -> list[str]:
        """Names of the room's stacks that CI/CD goes on deploying."""
        own = self.names.room_stack(room)
        actions = _actions(self.client("codepipeline", self.region), self.names.cicd_pipeline)
        named = {str(action["configuration"].get("StackName", "")) for action in actions}
        return sorted(name for name in named if name == own or name.startswith(f"{own}-"))

    def invoked_by(self, room: str) -> list[str]:
        """Names of the pipelines that invoke a function of the room."""
        own = self.names.room_function(room, "")
        client = self.client("codepipeline", self.region)
        pages = client.get_paginator("list_pipelines").paginate()
        names = [pipeline["name"] for page in pages for pipeline in page["pipelines"]]
        return [
            name
            for name in names
            if any(
                str(action["configuration"].get("FunctionName", "")).rsplit(":", 1)[-1].startswith(own)
                for action in _actions(client, name)
            )
        ]

    def kept(self, stack: RoomStackFound) -> list[Kept]:
        """What the stack's deletion leaves."""
        client = self.client("cloudformation", stack.region)
        template = client.get_template(StackName=stack.stack_id, TemplateStage="Processed")["TemplateBody"]
        retained = {
            logical_id
            for logical_id, resource in (template.get("Resources", {}) if isinstance(template, dict) else {}).items()
            if str(resource.get("DeletionPolicy", "")).startswith("Retain")
        }
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack.stack_id)
        return [
            Kept(stack=stack.name, type=resource["ResourceType"], name=str(resource.get("PhysicalResourceId", "")))
            for page in pages
            for resource in page["StackResourceSummaries"]
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
    try:
        stages = client.get_pipeline(name=pipeline)["pipeline"]["stages"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "PipelineNotFoundException":
            return []  # deleted meanwhile
        raise
    return [action for stage in stages for action in stage["actions"]]
