"""A tenant's account and Region, in a session that reaches what is named as the tenant's and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from lambdas.common.aws_errors import ignoring
from lambdas.common.clients import client_as
from lambdas.common.cross_account import assume
from lambdas.common.errors import GranaryError
from lambdas.common.names import DEPLOYMENT_TAG, WORKLOAD_ROLE_PATH
from lambdas.common.partitions import partition_of
from lambdas.common.written import cut
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.tasks import Asked, Task
from lambdas.saas.tasks.build_task import BuildTask
from lambdas.saas.tasks.ecs_task import EcsTask
from lambdas.saas.tasks.function_task import FunctionTask
from lambdas.saas.tasks.target import Target

ACTIONS = (
    "cloudformation:DescribeStacks",
    "codebuild:BatchGetBuilds",
    "codebuild:StartBuild",
    "codebuild:StopBuild",
    "ecs:DescribeTasks",
    "ecs:RunTask",
    "ecs:StopTask",
    "iam:PassRole",
    "lambda:InvokeFunction",
)
# What CloudFormation names itself it shortens to 64 characters, by a rule that no page of AWS has; so much stays.
_KEPT = 20
# CloudFormation has no code of its own for a stack that is not there.
_NO_STACK = ("ValidationError",)


class Place(Protocol):
    """Port to where a tenant stands."""

    def outputs(self, stack: str) -> Mapping[str, str]: ...
    def target(self, task: Task) -> Target: ...


@dataclass(frozen=True, kw_only=True)
class There:
    """Acts with the task runner's role of the account."""

    asked: Asked
    names: SaasNames
    sts: Any
    make_client: Callable[..., Any] = client_as

    def outputs(self, stack: str) -> Mapping[str, str]:
        """The outputs of a stack, as they are now; empty when there is no such stack.

        Raises:
            GranaryError: the role cannot be assumed, or the stack is of a tenant whose id begins as this one's.
        """
        with ignoring(*_NO_STACK):
            found = self._client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
            tags = {one["Key"]: one["Value"] for one in found.get("Tags", ())}
            if (tenant := tags.get(DEPLOYMENT_TAG, self.asked.deployment)) != self.asked.deployment:
                raise GranaryError(f"stack {stack} is of deployment {cut(tenant)}, not {self.asked.deployment}'s")
            return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}
        return {}

    def target(self, task: Task) -> Target:
        """What the task runs on; raises as `outputs` does."""
        if task.ecs:
            return EcsTask(client=self._client("ecs"), ecs=task.ecs)
        if task.function:
            return FunctionTask(client=self._client("lambda", patient=True), function=task.function)
        if task.build:
            return BuildTask(client=self._client("codebuild"), project=task.build)
        raise GranaryError(f"{self.asked.label} says not what to run: declare it again")

    def _client(self, service: str, **how: Any) -> Any:
        return self.make_client(service, region=self.asked.region, credentials=self._credentials, **how)

    @cached_property
    def _credentials(self) -> Mapping[str, str]:
        asked = self.asked
        role = f"role{WORKLOAD_ROLE_PATH}{self.names.task_runner_role}"
        arn = f"arn:{partition_of(asked.region)}:iam::{asked.account}:{role}"
        return assume(
            self.sts,
            arn,
            session_name=f"{self.names.prefix}-tasks",
            allow=ACTIONS,
            resources=reach(asked),
            advice=f"{arn}, with which tasks run, cannot be assumed: {self.names.roles_advice(asked.account)}",
        )


def reach(asked: Asked) -> Sequence[str]:
    """ARNs, as patterns, of what a session about a tenant may reach: what bears its name.

    Roles that are handed on are those of its own task definitions, and mostly named by CloudFormation: of a long name
    the beginning has to do.
    """
    name, partition = f"{asked.type}-{asked.deployment}", partition_of(asked.region)
    role = f"{name}-*" if len(name) <= _KEPT else f"{name[:_KEPT]}*"

    def arns(service: str, *resources: str, region: str = asked.region) -> list[str]:
        return [f"arn:{partition}:{service}:{region}:{asked.account}:{one}" for one in resources]

    return [
        *arns("cloudformation", f"stack/{name}-*/*"),
        *arns("codebuild", f"project/{name}", f"project/{name}-*"),
        *arns("ecs", f"task-definition/{name}:*", f"task-definition/{name}-*", f"task/{name}/*", f"task/{name}-*/*"),
        *arns("lambda", f"function:{name}", f"function:{name}-*", f"function:{name}:*"),
        *arns("iam", f"role{WORKLOAD_ROLE_PATH}{role}", region=""),
    ]
