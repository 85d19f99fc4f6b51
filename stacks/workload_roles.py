"""The factory's own roles in workload accounts: the catalogue of them by room, and the stack that makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import aws_cdk as cdk
from constructs import Construct

from constructs_lib.common.workload_role import WorkloadRole
from stacks.common.delivery_roles import delivery_roles
from stacks.common.lake_roles import lake_roles
from stacks.foundation import Foundation
from stacks.resilience.workload_roles import resilience_roles
from stacks.saas.workload_roles import saas_roles

# A line a room. What deploys a component and looks at it are roles of the bootstrap template.
CATALOGUE: Mapping[str, Callable[[Foundation], Sequence[WorkloadRole]]] = {
    "saas": saas_roles,
    "lake": lake_roles,
    "resilience": resilience_roles,
    "delivery": delivery_roles,
}


class WorkloadRolesStack(cdk.Stack):
    """`<prefix>-workload-roles-<account>`: the roles of the rooms that are on.

    A room that is off has none: they trust roles by name, which somebody else could take.

    Deployed once an account, by its administrator and with their credentials: CloudFormation there may not make roles
    for the factory. Without an account in `env` it is `<prefix>-workload-roles`, whose template fits every account, as
    a StackSet of the organization for example.
    """

    def __init__(self, scope: Construct, *, env: cdk.Environment, foundation: Foundation, rooms: Iterable[str]) -> None:
        name = foundation.names.workload_roles_stack(env.account or "")
        super().__init__(
            scope,
            name,
            stack_name=name,
            env=env,
            synthesizer=cdk.CliCredentialsStackSynthesizer(qualifier=foundation.targets.qualifier),
            permissions_boundary=cdk.PermissionsBoundary.from_name(foundation.workload_boundary),
        )
        for declared in (CATALOGUE[room] for room in rooms if room in CATALOGUE):
            for role in declared(foundation):
                role.make(self, toolchain_account=foundation.account)
