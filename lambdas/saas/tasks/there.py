"""A tenant's account and Region, in a session that begins what is named and tagged as the tenant's, and no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from lambdas.common.aws_errors import ignoring
from lambdas.common.clients import PATIENT, client_as
from lambdas.common.cross_account import assume
from lambdas.common.errors import GranaryError
from lambdas.common.names import DEPLOYMENT_TAG, WORKLOAD_ROLE_PATH
from lambdas.common.partitions import partition_of
from lambdas.common.stack_states import tags_of
from lambdas.common.written import cut
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.tasks import Asked, Task
from lambdas.saas.tasks.build_task import BuildTask
from lambdas.saas.tasks.ecs_task import EcsTask
from lambdas.saas.tasks.function_task import FunctionTask
from lambdas.saas.tasks.target import Target

# What begins something, and is of the tenant only if it bears its tag: `silo-a-b-migrate` is named as `silo-a`'s, too.
BEGINS = ("codebuild:StartBuild", "ecs:RunTask", "lambda:InvokeFunction")
# What was begun is known by its id, which nobody else tells us. Tasks bear no tag, and roles are handed on by names:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
FOLLOWS = (
    "cloudformation:DescribeStacks",
    "codebuild:BatchGetBuilds",
    "codebuild:StopBuild",
    "ecs:DescribeTasks",
    "ecs:StopTask",
    "iam:PassRole",
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
            if (tenant := tags_of(found).get(DEPLOYMENT_TAG, self.asked.deployment)) != self.asked.deployment:
                raise GranaryError(f"stack {stack} is of deployment {cut(tenant)}, not {self.asked.deployment}'s")
            return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}
        return {}

    def target(self, task: Task) -> Target:
        """What the task runs on; raises as `outputs` does."""
        if task.ecs:
            return EcsTask(client=self._client("ecs"), ecs=task.ecs)
        if task.function:
            return FunctionTask(client=self._client("lambda", config=PATIENT), function=task.function)
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
            allow=FOLLOWS,
            resources=followed(asked),
            besides=[
                {
                    "Effect": "Allow",
                    "Action": BEGINS,
                    "Resource": begun(asked),
                    "Condition": {"StringEquals": {f"aws:ResourceTag/{DEPLOYMENT_TAG}": asked.deployment}},
                }
            ],
            advice=f"{arn}, with which tasks run, cannot be assumed: {self.names.roles_advice(asked.account)}",
        )


def begun(asked: Asked) -> Sequence[str]:
    """ARNs, as patterns, of what bears a tenant's name: a session may begin it if it bears the tenant's tag, too."""
    name = f"{asked.type}-{asked.deployment}"
    return [
        *_arns(asked, "codebuild", f"project/{name}", f"project/{name}-*"),
        *_arns(asked, "ecs", f"task-definition/{name}:*", f"task-definition/{name}-*"),
        *_arns(asked, "lambda", f"function:{name}", f"function:{name}-*", f"function:{name}:*"),
    ]


def followed(asked: Asked) -> Sequence[str]:
    """The same of what it may look at, stop and hand on.

    Roles that are handed on are those of its own task definitions, and mostly named by CloudFormation: of a long name
    the beginning has to do.
    """
    name = f"{asked.type}-{asked.deployment}"
    role = f"{name}-*" if len(name) <= _KEPT else f"{name[:_KEPT]}*"
    return [
        *_arns(asked, "cloudformation", f"stack/{name}-*/*"),
        *_arns(asked, "codebuild", f"project/{name}", f"project/{name}-*"),
        *_arns(asked, "ecs", f"task/{name}/*", f"task/{name}-*/*"),
        *_arns(asked, "iam", f"role{WORKLOAD_ROLE_PATH}{role}", region=""),
    ]


def _arns(asked: Asked, service: str, *resources: str, region: str | None = None) -> list[str]:
    partition, where = partition_of(asked.region), asked.region if region is None else region
    return [f"arn:{partition}:{service}:{where}:{asked.account}:{one}" for one in resources]
