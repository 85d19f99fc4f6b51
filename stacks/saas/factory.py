"""Building the factory: the toolchain, and the artifact stores of the other Regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from config.policy import release_policy, target_policy
from constructs_lib.common.chat import ChatChannel
from constructs_lib.common.source import SourceProps
from constructs_lib.saas.lifecycle_machine import LifecycleSettings
from lambdas.saas.model.names import SaasNames
from stacks.cicd import RoomsStage, add_rooms, invoked_functions
from stacks.foundation import Foundation
from stacks.saas.artifacts import ArtifactsStack
from stacks.saas.toolchain import ToolchainProps, ToolchainStack
from stacks.saas.workload_roles import WorkloadRolesStack

if TYPE_CHECKING:
    from config.models import Configuration
    from config.models.saas import Workloads


def build_factory(app: cdk.App, *, configuration: Configuration) -> ToolchainStack:
    """Add the factory's stacks to the app."""
    toolchain, workloads = configuration.toolchain, configuration.workloads
    names = SaasNames(prefix=toolchain.prefix)
    foundation = Foundation.of(configuration)
    targets = foundation.targets
    rooms = RoomsStage(app, foundation=foundation, configuration=configuration)
    stack = ToolchainStack(
        app,
        env=foundation.env,
        props=ToolchainProps(
            names=names,
            targets=targets,
            target_policy=target_policy(configuration).to_json(),
            source=SourceProps(**toolchain.source.model_dump()),
            emails=toolchain.notifications.emails,
            chat=[ChatChannel(**channel.model_dump()) for channel in toolchain.notifications.chat],
            max_ids_per_build=toolchain.provisioning.max_ids_per_build,
            sweep_minutes=toolchain.provisioning.sweep_minutes,
            release_policy=release_policy(configuration).to_json(),
            pipeline_timeout_minutes=toolchain.releases.pipeline_timeout_minutes,
            lifecycle=LifecycleSettings(**toolchain.lifecycle.model_dump()),
            rooms_regions=rooms.regions,
            invoked=invoked_functions(foundation),
        ),
    )
    add_rooms(stack.cicd, rooms, foundation=foundation, configuration=configuration)
    stack.cicd.finish()
    for env in _roles_environments(workloads):
        WorkloadRolesStack(app, env=env, names=names, targets=targets, toolchain_account=toolchain.account)
    for region in workloads.reached_regions:
        if region != toolchain.region:
            abroad = ArtifactsStack(
                app,
                env=cdk.Environment(account=toolchain.account, region=region),
                names=names,
                targets=targets,
                for_rooms=region in rooms.regions,
            )
            # A deployment of the toolchain, self-mutation's too, brings the stores of all Regions along.
            stack.add_stack_dependency(abroad)
    return stack


def _roles_environments(workloads: Workloads) -> list[cdk.Environment]:
    """Every account that something may stand in; of an organization's accounts, any."""
    # Roles have no Region; the first one is bootstrapped in every account that rows may name, or did.
    listed = [cdk.Environment(account=account, region=workloads.regions[0]) for account in workloads.reached_accounts]
    return listed or [cdk.Environment()]
