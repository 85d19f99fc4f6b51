"""A task of ECS on Fargate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.common.errors import CapacityError, GranaryError
from lambdas.saas.model.tasks import Ecs
from lambdas.saas.tasks.target import Seen

# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html: both have limits of their own.
_STARTED_BY = 36
_TOKEN = 64
# What ECS says of a cluster, or of Fargate, that has no room now.
_NO_ROOM = ("RESOURCE", "Capacity")


@dataclass(frozen=True, kw_only=True)
class EcsTask:
    """Runs `ecs`; what is begun twice with one token is one task: ECS knows it by that for a day."""

    client: Any
    ecs: Ecs

    def begin(self, token: str, request: Mapping[str, str]) -> Seen:
        """Start it; raises CapacityError when there is no room for it now."""
        del request  # the container would have to be named for it
        answer = self.client.run_task(
            cluster=self.ecs.cluster,
            taskDefinition=self.ecs.definition,
            count=1,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": self.ecs.network},
            clientToken=token[:_TOKEN],
            startedBy=token[:_STARTED_BY],
        )
        if not answer["tasks"]:
            reasons = (
                ", ".join(str(one.get("reason", one)) for one in answer.get("failures", ())) or "it gives no reason"
            )
            error = CapacityError if any(word in reasons for word in _NO_ROOM) else GranaryError
            raise error(f"ECS has started no task of {self.ecs.definition}: {reasons}")
        return Seen(ref=answer["tasks"][0]["taskArn"])

    def look(self, ref: str) -> Seen:
        """Tell how it stands; one that ECS does not know yet, or not any more, is not over."""
        tasks = self.client.describe_tasks(cluster=self.ecs.cluster, tasks=[ref])["tasks"]
        if not tasks or tasks[0].get("lastStatus") != "STOPPED":
            return Seen(ref=ref, gone=not tasks)
        return ended(ref, tasks[0], self.ecs)

    def stop(self, ref: str, why: str) -> None:
        """End it."""
        self.client.stop_task(cluster=self.ecs.cluster, task=ref, reason=why[:255])


def ended(ref: str, task: Mapping[str, Any], ecs: Ecs) -> Seen:
    """Tell how a task went that has stopped: it is well when each container that counts has ended with 0."""
    containers = [one for one in task.get("containers", ()) if ecs.container in ("", one.get("name"))]
    if containers and all(one.get("exitCode") == 0 for one in containers):
        return Seen(ref=ref, over=True, ok=True, said=f"ECS task {ref} ended well")
    return Seen(ref=ref, over=True, said=_why(ref, task, containers, ecs))


def _why(ref: str, task: Mapping[str, Any], containers: Sequence[Mapping[str, Any]], ecs: Ecs) -> str:
    parts = [str(task.get("stoppedReason") or "ECS gives no reason")]
    for one in containers:
        if one.get("exitCode") != 0:
            code = "no exit code" if one.get("exitCode") is None else f"exit code {one['exitCode']}"
            parts.append(f"container {one.get('name')}: {code} {one.get('reason', '')}".rstrip())
    if not containers:
        parts.append(f"it has no container {ecs.container}")
    logs = f"; logs: {ecs.logs}" if ecs.logs else ""
    return f"ECS task {ref}: {', '.join(parts)}{logs}"
