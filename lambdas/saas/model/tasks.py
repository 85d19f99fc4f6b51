"""Tasks around a deployment, as a component declares them in outputs of its stacks: a contract of templates; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from lambdas.common.errors import GranaryError
from lambdas.common.versioned_json import Text
from lambdas.saas.model.asking import Asking

# The keys of such outputs begin so; their values are JSON: see `Task`. The CDK's metadata of that key is `Declared`.
TASK_PREFIX = "GranaryTask"
# Variables that a build gets: its key is the same whenever the same run is begun.
KEY_VARIABLE, DEPLOYMENT_VARIABLE, REVISION_VARIABLE = "GRANARY_KEY", "GRANARY_DEPLOYMENT", "GRANARY_REVISION"
BUILD_VARIABLES = (KEY_VARIABLE, DEPLOYMENT_VARIABLE, REVISION_VARIABLE)
BEFORE, AFTER = "before", "after"
# What the keys of the releases table begin with that keep runs of tasks.
KEYS = "task/"
# What else a task may say of itself: that nothing leads back once it has run.
NEVER = "never"
# A list that only a deployment knows comes as one text; no id has a comma.
LIST_SEPARATOR = ","
LONGEST_NAME = 40
# An answer is waited for within one call, and no function works for longer than 15 minutes.
LONGEST_FUNCTION_MINUTES = 14
LONGEST_MINUTES = 12 * 60

_NAME = re.compile(rf"[A-Z][A-Za-z0-9]{{0,{LONGEST_NAME - 1}}}")


@dataclass(frozen=True, kw_only=True)
class Ecs:
    """A task of ECS on Fargate; `cluster` and `definition` are names or ARNs, `container` the one whose end counts.

    Without a container, each of the task's counts. `logs` is a log group, for people.
    """

    cluster: str
    definition: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...] = ()
    public_ip: bool = False
    container: str = ""
    logs: str = ""

    @property
    def network(self) -> dict[str, Any]:
        """Where it runs, as ECS takes it."""
        return {
            "subnets": _each(self.subnets),
            "securityGroups": _each(self.security_groups),
            "assignPublicIp": "ENABLED" if self.public_ip else "DISABLED",
        }


def _each(ids: tuple[str, ...]) -> list[str]:
    return [one for text in ids for one in text.split(LIST_SEPARATOR)]


@dataclass(frozen=True, kw_only=True)
class Task(Text):
    """What is run: one of an ECS task, a Lambda function and a CodeBuild project, in the tenant's account and Region.

    `minutes` is how long it may take.
    """

    minutes: int
    ecs: Ecs | None = None
    function: str = ""
    build: str = ""

    @classmethod
    def of_output(cls, name: str, outputs: Mapping[str, str], *, stack: str) -> Self:
        """Find and read a declaration among a stack's outputs.

        Raises:
            GranaryError: it is not there, or of a later version.
        """
        text = outputs.get(f"{TASK_PREFIX}{name}")
        if text is None:
            raise GranaryError(
                f"stack {stack} has no output {TASK_PREFIX}{name}: declare the task in it, and deploy it"
            )
        try:
            task = cls.from_json(text)
        except ValueError as error:
            raise GranaryError(f"output {TASK_PREFIX}{name} of stack {stack} cannot be read: {error}") from error
        if problem := task.problem:
            raise GranaryError(f"output {TASK_PREFIX}{name} of stack {stack}: {problem}")
        return task

    @property
    def kind(self) -> str:
        """`ECS task`, `function` or `build`, for people."""
        return "ECS task" if self.ecs else "function" if self.function else "build"

    @property
    def problem(self) -> str:
        """What is wrong with the declaration; empty when nothing is."""
        if sum(map(bool, (self.ecs, self.function, self.build))) != 1:
            return "name one of an ECS task, a function and a build"
        longest = LONGEST_FUNCTION_MINUTES if self.function else LONGEST_MINUTES
        if not 1 <= self.minutes <= longest:
            more = "; what takes longer is an ECS task or a build" if self.function else ""
            return f"a {self.kind} may take 1 to {longest} minutes, not {self.minutes}{more}"
        return ""


@dataclass(frozen=True, kw_only=True)
class Declared(Text):
    """A declaration as the pipeline sees it: what runs is in the output of `stack`, `when` is about the stack `of`.

    It may take `minutes`.
    """

    name: str
    when: str
    stack: str
    of: str
    rollback: str = ""
    minutes: int = 0

    @property
    def problem(self) -> str:
        """What is wrong with it; empty when nothing is."""
        if not _NAME.fullmatch(self.name):
            return (
                f"{self.name!r} cannot be the name of a task: use up to {LONGEST_NAME} letters and digits that begin "
                "with a capital"
            )
        return "" if self.rollback in ("", NEVER) else f"rollback is `{NEVER}` or nothing, not {self.rollback!r}"


@dataclass(frozen=True, kw_only=True)
class Asked(Asking):
    """What an action of a tenant's pipeline asks for: a task, and for whom; `execution` is the pipeline's."""

    UNKNOWN = "no task"

    stage: str
    stack: str
    task: str
    when: str
    of: str
    rollback: str = ""

    @property
    def key(self) -> str:
        """Of the item that keeps its newest run; there are as many as a tenant has tasks."""
        return f"{KEYS}{self.deployment}/{self.stage}/{self.stack}/{self.task}"

    @property
    def label(self) -> str:
        return f"task {self.task} ({self.when} {self.of})"

    @property
    def forward_only(self) -> bool:
        return self.rollback == NEVER
