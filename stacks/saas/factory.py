"""Building the factory: the toolchain, and the artifact stores of the other Regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from lambdas.saas.model.names import SaasNames
from stacks.cicd import RoomsStage, add_rooms, rooms_on
from stacks.foundation import Foundation
from stacks.saas.artifacts import ArtifactsStack
from stacks.saas.toolchain import ToolchainStack
from stacks.workload_roles import WorkloadRolesStack

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
    stack = ToolchainStack(app, configuration=configuration, foundation=foundation, rooms_regions=rooms.regions)
    add_rooms(stack.cicd, rooms, foundation=foundation, configuration=configuration)
    stack.cicd.finish()
    for env in _roles_environments(workloads):
        on = [room.name for room, _ in rooms_on(configuration)]
        WorkloadRolesStack(app, env=env, foundation=foundation, rooms=on)
    for room, section in rooms_on(configuration):
        if room.administrators:
            room.administrators(app, foundation, section)
    for region in workloads.reached_regions:
        if region != toolchain.region:
            abroad = ArtifactsStack(
                app,
                env=cdk.Environment(account=toolchain.account, region=region),
                names=names,
                targets=targets,
                for_rooms=toolchain.bootstrap_qualifier if region in rooms.regions else "",
            )
            # A deployment of the toolchain, self-mutation's too, brings the stores of all Regions along.
            stack.add_stack_dependency(abroad)
    return stack


def _roles_environments(workloads: Workloads) -> list[cdk.Environment]:
    """Every account that something may stand in; of an organization's accounts, any."""
    # Roles have no Region; the first one is bootstrapped in every account that rows may name, or did.
    listed = [cdk.Environment(account=account, region=workloads.regions[0]) for account in workloads.reached_accounts]
    return listed or [cdk.Environment()]
