"""The stack with one tenant's pipeline, in the toolchain account."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import pipelines
from constructs import Construct

from constructs_lib.common.build_commands import BuildCommands
from constructs_lib.common.invoke_step import InvokeStep
from constructs_lib.saas.tasks import declared_tasks, goes_forward_only, minutes_of, task_steps
from constructs_lib.saas.tenant_deployment import tenant_synthesizer
from constructs_lib.saas.tenant_pipeline import SharedToolchain, TenantPipeline
from lambdas.common.errors import GranaryError
from lambdas.common.names import DEPLOYMENT_TAG, FACTORY_TAG, TYPE_TAG
from lambdas.saas.model.asking import PARAMETERS_LIMIT, stacks_told
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.record import DeploymentRecord
from stacks.saas.component import ComponentProps, ComponentStage, check_stacks
from stacks.tags import tag_stacks, tag_whole


class TenantPipelineStack(cdk.Stack):
    """`<type>-<id>-pipeline`: deploys the component into the account and Regions that the record names.

    `record` is what the row says, which the pipeline hands to its own synth; `deployed` is that with all that the row
    leaves to its tier and to defaults, as this source has them. Before a stage deploys, the function of `watch_arn` is
    asked whose its stacks are. Tasks that the component declares are run by the function of `tasks_arn`; with all that
    they may take, the pipeline has to be over within the `release_minutes` for which a release waits. `after_deploy`
    ends the stage of the primary, and may take `after_minutes`; that of the standby begins after it. Tags of
    `deployed`, its id and its type are on the pipeline and its projects, too: what they cost is the tenant's.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        env: cdk.Environment,
        record: DeploymentRecord,
        deployed: DeploymentRecord,
        shared: SharedToolchain,
        synth: BuildCommands,
        component: ComponentProps,
        release_minutes: int,
        tags: Mapping[str, str],
        watch_arn: str,
        tasks_arn: str = "",
        after_deploy: Sequence[pipelines.Step] = (),
        after_minutes: int = 0,
    ) -> None:
        name = pipeline_name(record.type, record.id)
        super().__init__(scope, name, stack_name=name, env=env, synthesizer=tenant_synthesizer(shared.names))
        self.tenant = TenantPipeline(self, "Tenant", record=record, shared=shared, synth=synth)
        # Every reason begins with the stage's name, which so tells where the standby failed.
        forward_only, minutes = False, 0
        standby = {f"Standby-{record.standby_region}": record.standby_region} if record.standby_region else {}
        for stage_name, region in {"Deploy": record.region, **standby}.items():
            stage = ComponentStage(
                self,
                stage_name,
                record=replace(deployed, region=region, standby_region=""),
                component=component,
                is_standby=stage_name in standby,
            )
            tag_stacks(stage, tags, but=[key for key, _ in deployed.tags])
            for stack in stage.stacks:
                stack.add_stack_tag(FACTORY_TAG, shared.names.factory(account=self.account, region=self.region))
            tasks = declared_tasks(stage)
            forward_only = forward_only or goes_forward_only(tasks)
            there = replace(deployed, region=region)
            self.tenant.pipeline.add_stage(
                stage,
                pre=[_ask_whose(stage.stacks, there, watch_arn)],
                post=list(after_deploy) if region == record.region else None,
                stack_steps=task_steps(stage.stacks, tasks, record=there, stage=stage_name, function_arn=tasks_arn),
            )
            check_stacks(stage, record)
            minutes += minutes_of(stage.stacks, tasks)
        if minutes + after_minutes >= release_minutes:
            after = f", the experiment of a ring after them {after_minutes}" if after_minutes else ""
            raise ValueError(
                f"the tasks of {record.type} {record.id} may take {minutes} minutes, one after the other{after}, and a "
                f"release waits for a pipeline for {release_minutes}, its deployment included: give them fewer "
                "`minutes`, or raise releases.pipeline_timeout_minutes in config/toolchain.yaml"
            )
        self.tenant.finish(forward_only=forward_only)
        for key, value in (*deployed.tags, (DEPLOYMENT_TAG, record.id), (TYPE_TAG, record.type)):
            tag_whole(self, key, value)


def _ask_whose(stacks: Sequence[cdk.Stack], record: DeploymentRecord, function_arn: str) -> pipelines.Step:
    """Ask, before anything of a stage, whose its stacks are: which a release adds, no build of the factory's knows.

    Raises:
        GranaryError: there are too many to ask about.
    """
    # Nested stacks have no name that anybody else could have.
    names = [stack.stack_name for stack in stacks if not stack.nested_stack_parent]
    parameters = {
        "deployment": record.id,
        "type": record.type,
        "account": record.account,
        "region": record.region,
        "stacks": stacks_told(names, of=f"{record.type}-{record.id}"),
        "execution": "#{codepipeline.PipelineExecutionId}",
    }
    if len(json.dumps(parameters)) > PARAMETERS_LIMIT:
        raise GranaryError(
            f"the names of the {len(names)} stacks of the component are longer than an action takes "
            f"({PARAMETERS_LIMIT} characters): give it fewer stacks, or shorter names"
        )
    return InvokeStep("Whose", function_arn=function_arn, parameters=parameters, with_assembly=True)
