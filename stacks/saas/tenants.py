"""Building the pipelines of the tenants that a plan file names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk

from config.policy import target_policy
from constructs_lib.saas.place import PublishedPlace
from constructs_lib.saas.tenant_pipeline import SharedToolchain
from lambdas.common.names import FACTORY_TAG
from lambdas.saas.model.defaults import filled
from lambdas.saas.model.names import SaasNames
from stacks.buildspecs import commands_of
from stacks.cicd import tasks_arn, tenant_steps, tenant_steps_minutes, watch_arn
from stacks.foundation import Foundation
from stacks.saas.component import ComponentProps
from stacks.saas.plan import TenantsPlan
from stacks.saas.tenant_pipeline import TenantPipelineStack
from stacks.versions import cdk_cli

if TYPE_CHECKING:
    from config.models import Configuration


def build_tenants(app: cdk.App, *, configuration: Configuration, plan_file: str) -> list[TenantPipelineStack]:
    """Add one pipeline stack a tenant to the app."""
    plan = TenantsPlan.read(Path(plan_file))
    toolchain = configuration.toolchain
    shared = SharedToolchain(
        names=SaasNames(prefix=toolchain.prefix),
        artifact_keys=plan.artifact_keys,
        cli_version=cdk_cli(),
    )
    component = ComponentProps(
        settings=configuration.workloads.component,
        prefix=toolchain.prefix,
        qualifier=configuration.workloads.bootstrap_qualifier,
        permissions_boundary=configuration.workloads.permissions_boundary or "",
        place=PublishedPlace(parameters=configuration.workloads.place.model_dump()),
    )
    synth, policy = commands_of("saas", "tenant_synth"), target_policy(configuration)
    after_minutes = tenant_steps_minutes(configuration)
    tenants = [
        TenantPipelineStack(
            app,
            env=cdk.Environment(account=toolchain.account, region=toolchain.region),
            record=record,
            deployed=filled(record, policy),
            shared=shared,
            synth=synth,
            component=component,
            release_minutes=toolchain.releases.pipeline_timeout_minutes,
            tags=toolchain.tags,
            watch_arn=watch_arn(Foundation.of(configuration)),
            tasks_arn=tasks_arn(Foundation.of(configuration)),
            after_deploy=tenant_steps(
                configuration,
                deployment_id=record.id,
                deployment_type=record.type,
                region=record.region,
            ),
            after_minutes=after_minutes,
        )
        for record in plan.deployments
    ]
    for stack in tenants:
        stack.add_stack_tag(FACTORY_TAG, toolchain.prefix)
    return tenants
