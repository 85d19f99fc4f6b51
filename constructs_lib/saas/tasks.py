"""Declaring what runs around a deployment: before a stack of the component is deployed, or after one was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from itertools import pairwise
from typing import Any, Literal

import aws_cdk as cdk
from aws_cdk import pipelines
from constructs import Construct, IConstruct

from constructs_lib.common.invoke_step import InvokeStep
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.tasks import AFTER, BEFORE, LIST_SEPARATOR, NEVER, TASK_PREFIX, Declared, Ecs, Task


def declare_task(
    scope: Construct,
    name: str,
    *,
    before: cdk.Stack | None = None,
    ecs: Ecs | None = None,
    function: str = "",
    build: str = "",
    minutes: int = 10,
    rollback: Literal["", "never"] = "",
) -> cdk.CfnOutput:
    """Have something run around a deployment, once in each; `name` is alphanumeric and begins with a capital.

    What runs is of the tenant, in its account and Region, with a name that begins as the tenant's: an ECS task, a
    function (ARN or name; it answers within 14 minutes), or a build (a project's name). It comes with the stack of
    `scope`, which is deployed before the stack `before`: so it is the new version's. Without `before` it runs after
    the stack of `scope`.

    A `before` that fails has nothing of that stack deployed, nor of those that depend on it. A task that fails fails
    the deployment, which is rolled back. With `rollback="never"` nothing leads back once the task has succeeded: the
    tenant stays as it is, and a release that goes forward helps.

    Raises:
        ValueError: it cannot be run so; the text says what to do.
    """
    stack = cdk.Stack.of(scope)
    if before is stack:
        raise ValueError(
            f"task {name} is to run before stack {stack.stack_name}, in which it is declared: what it runs would be of "
            "the former deployment, or not there. Put what it runs into a stack of the tenant of its own "
            "(`tenant.stack_name(part)`), and declare the task in that"
        )
    if stack.nested_stack_parent:
        raise ValueError(
            f"task {name} is declared in a nested stack, of which the pipeline knows nothing: declare it in "
            f"{stack.nested_stack_parent.stack_name}"
        )
    task = Task(minutes=minutes, ecs=ecs, function=function, build=build)
    declared = Declared(
        name=name,
        when=BEFORE if before else AFTER,
        stack=stack.stack_name,
        of=(before or stack).stack_name,
        rollback=rollback,
        minutes=minutes,
    )
    if problem := declared.problem or task.problem:
        raise ValueError(f"task {name}: {problem}")
    if before:
        before.add_stack_dependency(stack, "A task of that stack runs before.")
    output = cdk.CfnOutput(scope, f"{TASK_PREFIX}{name}", value=stack.to_json_string(_given(task)))
    output.override_logical_id(f"{TASK_PREFIX}{name}")
    output.node.add_metadata(TASK_PREFIX, declared.to_json())
    return output


def _given(task: Task) -> Any:
    """As the function reads it; what is not given is left out."""
    return _without_empty(asdict(task))


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_empty(one) for key, one in value.items() if one}
    return _listed(list(value)) if isinstance(value, (list, tuple)) else value


def _listed(value: list[Any]) -> list[Any]:
    """A list; one that a token stands for is told as one text: the CDK would write it by a function of its own."""
    return [cdk.Fn.join(LIST_SEPARATOR, value)] if cdk.Token.is_unresolved(value) else value


def declared_tasks(stage: IConstruct) -> list[Declared]:
    """What the stacks of a stage declare, in the order of the declarations' paths."""
    return [
        Declared.from_json(str(entry.data))
        for one in stage.node.find_all()
        for entry in one.node.metadata
        if entry.type == TASK_PREFIX
    ]


def minutes_of(stacks: Iterable[cdk.Stack], tasks: Iterable[Declared]) -> int:
    """How long the tasks of a stage may take, once it was synthesized.

    Those of a stack, and of stacks that depend on each other, run one after the other, and add up; others run beside
    each other.
    """
    named, own = {stack.stack_name: stack for stack in stacks}, Counter[str]()
    for task in tasks:
        own[task.of] += task.minutes

    @cache
    def until(name: str) -> int:
        before = {one.stack_name for one in named[name].dependencies} & named.keys()
        return own[name] + max(map(until, before), default=0)

    return max(map(until, named), default=0)


def goes_forward_only(tasks: Iterable[Declared]) -> bool:
    """Whether a stage of these may not be rolled back by the pipeline itself."""
    return any(one.rollback == NEVER for one in tasks)


def task_steps(
    stacks: Iterable[cdk.Stack], tasks: Iterable[Declared], *, record: DeploymentRecord, stage: str, function_arn: str
) -> list[pipelines.StackSteps]:
    """What the pipeline does around each of the stacks; those of one stack one after the other, as their names are.

    Raises:
        ValueError: a task is about a stack that the pipeline does not deploy there, and would never be run.
    """
    stacks, tasks = list(stacks), list(tasks)
    known = {stack.stack_name for stack in stacks}
    for task in tasks:
        if not {task.of, task.stack} <= known:
            raise ValueError(
                f"task {task.name} of stack {task.stack} runs {task.when} {task.of}, and stage {stage} deploys "
                f"{', '.join(sorted(known))}: declare it in one of these, about one of these"
            )
    found: list[pipelines.StackSteps] = []
    ordered = sorted(tasks, key=lambda one: one.name)
    for stack in stacks:
        steps = {
            when: _in_order(
                [
                    _step(one, record=record, stage=stage, function_arn=function_arn)
                    for one in ordered
                    if (one.when, one.of) == (when, stack.stack_name)
                ]
            )
            for when in (BEFORE, AFTER)
        }
        if any(steps.values()):
            found.append(pipelines.StackSteps(stack=stack, pre=steps[BEFORE], post=steps[AFTER]))
    return found


def _in_order(steps: list[pipelines.Step]) -> list[pipelines.Step]:
    for former, step in pairwise(steps):
        step.add_step_dependency(former)
    return steps


def _step(task: Declared, *, record: DeploymentRecord, stage: str, function_arn: str) -> pipelines.Step:
    return InvokeStep(
        f"{task.when}-{task.name}",
        function_arn=function_arn,
        parameters={
            "deployment": record.id,
            "type": record.type,
            "account": record.account,
            "region": record.region,
            "stage": stage,
            "stack": task.stack,
            "task": task.name,
            "when": task.when,
            "of": task.of,
            "execution": "#{codepipeline.PipelineExecutionId}",
            **({"rollback": task.rollback} if task.rollback else {}),
        },
    )
