"""The rooms' share of the pipelines: their stage and steps in CI/CD, their actions in tenants' pipelines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import pipelines

from config.models import Configuration
from constructs_lib.common.cicd_pipeline import CicdPipeline
from constructs_lib.common.invoke_step import InvokeStep
from lambdas.common.errors import GranaryError
from lambdas.common.names import ORDER_TAG
from lambdas.saas.model.names import SaasNames
from stacks.buildspecs import room_commands
from stacks.foundation import Foundation
from stacks.landing_zone import settle_builds
from stacks.room import Room, RoomStack, RoomStep
from stacks.rooms import rooms
from stacks.tags import tag_stacks

STAGE = "Rooms"


def rooms_on(configuration: Configuration) -> Iterator[tuple[Room, Any]]:
    """The rooms that are on, each with its section of the configuration (None: it is always on)."""
    for room in rooms():
        if room.always or room.name in configuration.rooms:
            yield room, configuration.rooms.get(room.name)


def reporting_rooms(configuration: Configuration) -> list[str]:
    """Names of the rooms that are on and check something in the synth build, which may leave reports there."""
    return [room.name for room, _ in rooms_on(configuration) if room.checks]


def demanded_gates(configuration: Configuration) -> tuple[str, ...]:
    """Names of the gates whose verdicts a release of this configuration needs."""
    return tuple(gate for room, section in rooms_on(configuration) for gate in room.demands(section))


class RoomsStage(cdk.Stage):
    """The stacks of all rooms that are on; `regions` are those that they are in.

    Raises:
        GranaryError: a stack is where CI/CD cannot deploy it.
    """

    def __init__(self, app: cdk.App, *, foundation: Foundation, configuration: Configuration) -> None:
        super().__init__(app, f"{foundation.names.prefix}-rooms", stage_name=STAGE, env=foundation.env)
        foundation = replace(foundation, checks=_checks(foundation, configuration))
        for room, section in rooms_on(configuration):
            if room.stacks:
                room.stacks(self, foundation, section)
        for room in rooms():
            for part, stacks in room.parts.items():
                if part in configuration.rooms:
                    stacks(self, foundation, configuration.rooms[part])
        self.stacks = [child for child in self.node.find_all() if isinstance(child, cdk.Stack)]
        for stack in self.stacks:
            _check(stack, foundation)
        for stack in self.stacks:
            stack.add_stack_tag(ORDER_TAG, str(_depth(stack)))
        tag_stacks(self, foundation.tags)
        settle_builds(self, configuration)
        self.regions = sorted({stack.region for stack in self.stacks})


def _checks(foundation: Foundation, configuration: Configuration) -> list[iam.PolicyStatement]:
    """What builds of rooms' own pipelines may do that have all rooms check them."""
    return [one for room, section in rooms_on(configuration) for one in room.check_elsewhere(foundation, section)]


def _depth(stack: cdk.Stack) -> int:
    """How many stacks have to be there before a stack, one after the other."""
    return max((1 + _depth(other) for other in stack.dependencies), default=0)


def _check(stack: cdk.Stack, foundation: Foundation) -> None:
    """The stack can be deployed by CI/CD, which has rights in the toolchain's account and stores in some Regions."""
    if not isinstance(stack, RoomStack):
        raise GranaryError(f"stack {stack.stack_name} of the stage {STAGE} is no RoomStack: make it one")
    if stack.account != foundation.account:
        raise GranaryError(
            f"stack {stack.stack_name} is in account {stack.account}, and CI/CD deploys rooms to the toolchain account "
            f"{foundation.account} only: deploy it by a pipeline of its own, as a tenant's component, or by hand"
        )
    if stack.region not in foundation.store_regions:
        raise GranaryError(
            f"stack {stack.stack_name} is in {stack.region}, which has no artifact store: use one of "
            f"{', '.join(foundation.store_regions)}, or add the Region to `regions` in config/workloads.yaml"
        )


def add_rooms(cicd: CicdPipeline, stage: RoomsStage, *, foundation: Foundation, configuration: Configuration) -> None:
    """Give CI/CD what the rooms that are on contribute; it is finished afterwards."""
    if stage.stacks:
        cicd.deploy_rooms(stage, regions=stage.regions)
    # Of rooms that are off, too: the commit that switches one on is checked by a build that knows nothing of it yet.
    for room in rooms():
        if statements := room.check_statements(foundation, configuration.rooms.get(room.name)):
            cicd.may_check(statements)
    for room, _ in rooms_on(configuration):
        for step in room.before_synth:
            cicd.before_synth(_step(cicd, room, step, foundation, with_assembly=False))
        for step in room.before_release:
            cicd.before_release(_step(cicd, room, step, foundation, with_assembly=True))


def _step(
    cicd: CicdPipeline, room: Room, step: RoomStep, foundation: Foundation, *, with_assembly: bool
) -> pipelines.CodeBuildStep:
    return cicd.room_step(
        room.name,
        step.job,
        room_commands(room.name, step.job, step.exports),
        statements=step.statements(foundation),
        environment=step.environment(foundation),
        role_name=foundation.names.room_role(room.name, step.role) if step.role else None,
        with_assembly=with_assembly,
    )


def invoked_functions(foundation: Foundation) -> list[str]:
    """ARNs of the functions that tenants' pipelines invoke for rooms, of rooms that are off too.

    A pipeline goes on invoking the function of a room that was taken out until a release reaches it.
    """
    return [_function_arn(foundation, room, job) for room in rooms() for job in room.actions]


def tenant_steps(
    configuration: Configuration, *, deployment_id: str, deployment_type: str, region: str
) -> Sequence[pipelines.Step]:
    """What the rooms that are on do at the end of a tenant's Deploy stage, one after the other."""
    foundation = Foundation.of(configuration)
    steps: list[pipelines.Step] = []
    for room, _ in rooms_on(configuration):
        for job in room.actions:
            step = InvokeStep(
                f"{room.name}-{job}".replace("_", "-"),
                function_arn=_function_arn(foundation, room, job),
                parameters={
                    "deployment": deployment_id,
                    "type": deployment_type,
                    "region": region,
                    "execution": "#{codepipeline.PipelineExecutionId}",
                },
            )
            if steps:
                step.add_step_dependency(steps[-1])
            steps.append(step)
    return steps


def tenant_steps_minutes(configuration: Configuration) -> int:
    """How long a tenant's Deploy stage may wait for these."""
    return sum(room.action_minutes(section) for room, section in rooms_on(configuration))


def tasks_arn(foundation: Foundation) -> str:
    """ARN of the function that tenants' pipelines invoke for what their components declare."""
    return foundation.arn("lambda", f"function:{SaasNames(prefix=foundation.names.prefix).tasks_function}")


def assets_arn(foundation: Foundation) -> str:
    """ARN of the function that tenants' pipelines invoke to have their assets published."""
    return foundation.arn("lambda", f"function:{SaasNames(prefix=foundation.names.prefix).assets_function}")


def watch_arn(foundation: Foundation) -> str:
    """ARN of the function that tenants' pipelines ask, before they deploy, whose the stacks are."""
    return foundation.arn("lambda", f"function:{SaasNames(prefix=foundation.names.prefix).pipeline_watch_function}")


def _function_arn(foundation: Foundation, room: Room, job: str) -> str:
    return foundation.arn("lambda", f"function:{foundation.names.room_function(room.name, job)}")
