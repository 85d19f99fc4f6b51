"""A shop on ECS: a stack with its database, a migration that runs, and one with the service under a DNS name.

Copy `component/` and `tests/component/` over yours. In config/workloads.yaml: `component: {}`, `permissions_boundary`,
`place` with vpc, subnets, zone and certificate, and the parameters

    domain: {description: Address of the shop., default: none.example.com, pattern: "[a-z0-9.-]+"}
    plan: {description: What it may do., default: basic, choices: [basic, full]}
    license: {description: Secret with its licence., default: "", reference: secret}

Then `make schema`, and `granary component check --write config/policies`. The migration runs as a role of the stack
`granary-workload-roles-<account>`, which the administrators of workload accounts deploy before the first release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, Strict

from constructs_lib.saas.component_spec import Needs, Place, Settings, Spec, Tenant
from lambdas.saas.model.record import Size

if TYPE_CHECKING:
    import aws_cdk as cdk

# CPU units (1,024 are one vCPU), memory in MiB, and the most capacity units of the database.
SIZES = {Size.SMALL: (256, 512, 1), Size.MEDIUM: (512, 1024, 4), Size.LARGE: (1024, 2048, 16)}
_UNITS_A_QUARTER = 256
_PLACE = ("vpc", "subnets", "zone", "certificate")


class Shop(Settings):
    """The shop of every tenant."""

    desired: Annotated[int, Strict()] = Field(2, ge=0, le=20, description="Tasks of the service that run.")


def build(stage: cdk.Stage, tenant: Tenant[Shop]) -> None:
    """The data first: what reads them refers to their stack, and so comes after it."""
    import aws_cdk as cdk

    from component.database import add_database
    from component.service import add_service
    from component.task import add_cluster, add_migration
    from constructs_lib.saas.tasks import declare_task

    data = cdk.Stack(stage, "Data", stack_name=tenant.stack_name("data"), synthesizer=tenant.synthesizer())
    # The migration runs before the service's stack is there, so its cluster is here.
    database, cluster = add_database(data, tenant), add_cluster(data, tenant)
    migration = add_migration(data, tenant, database, cluster=cluster)
    service = cdk.Stack(stage, "Service", stack_name=tenant.stack_name(), synthesizer=tenant.synthesizer())
    add_service(service, tenant, database, cluster=cluster)
    declare_task(data, "Migrate", before=service, ecs=migration, minutes=60)


def needs(settings: Shop, size: Size) -> Needs:
    """Two stacks; the roles of the service's and the migration's task; the tasks."""
    return Needs(stacks=2, roles=2, fargate_quarters=settings.desired * SIZES[size][0] // _UNITS_A_QUARTER)


def place_problem(place: Place, settings: Shop) -> str | None:
    """It goes into the landing zone's network and under its domain."""
    del settings
    if missing := [what for what in _PLACE if what not in place.published]:
        return (
            f"account {place.account} publishes no {', '.join(missing)} in {place.region}: name the parameters under "
            "`place` in config/workloads.yaml, and release that"
        )
    return None


SPEC = Spec(settings=Shop, needs=needs, place_problem=place_problem)
