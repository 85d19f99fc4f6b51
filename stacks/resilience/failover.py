"""The failover control plane, in the toolchain's account: a half in each of two Regions (decision 29)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.resilience.failover_data import FailoverKey, failover_table
from constructs_lib.resilience.failover_records import health_checks, records
from constructs_lib.resilience.failover_region import FailoverProps, FailoverRegion
from constructs_lib.resilience.failover_tenants import FailoverTenants
from lambdas.resilience.model.failover.catalogue import Application, Catalogue, Mode
from lambdas.resilience.model.failover.names import JOB, FailoverNames
from lambdas.resilience.model.names import ROOM
from stacks.foundation import Foundation
from stacks.room import RoomStack

if TYPE_CHECKING:
    from config.models.failover import Section


def build_failover(stage: Construct, foundation: Foundation, section: Section) -> None:
    """Add the stacks, in the order in which they need each other: keys, table, Regions, health checks, records."""
    catalogue = section.catalogue()
    first, second = catalogue.regions
    far = FailoverDataStack(stage, foundation=foundation, region=second)
    table = FailoverDataStack(stage, foundation=foundation, region=first, replica_region=second)
    table.add_stack_dependency(far)
    before: list[RoomStack] = []
    for region in catalogue.regions:
        before.append(FailoverStack(stage, foundation=foundation, section=section, region=region))
        before[-1].add_stack_dependency(table)
    if any(one.mode is Mode.SWITCH for one in catalogue.groups):
        checks = FailoverChecksStack(stage, foundation=foundation, catalogue=catalogue)
        for half in before:
            checks.add_stack_dependency(half)
        before = [checks]
    for zone in sorted({one.zone for one in catalogue.applications}):
        its = [it for it in catalogue.applications if it.zone == zone]
        stack = FailoverRecordsStack(stage, foundation=foundation, catalogue=catalogue, zone=zone, applications=its)
        for one in before:
            stack.add_stack_dependency(one)


class FailoverDataStack(RoomStack):
    """`<prefix>-resilience-failover-data-<region>`: what outlives the rest."""

    def __init__(self, scope: Construct, *, foundation: Foundation, region: str, replica_region: str = "") -> None:
        super().__init__(scope, room=ROOM, foundation=foundation, part=f"{JOB}-data-{region}", region=region)
        names = FailoverNames(prefix=foundation.names.prefix)
        key = FailoverKey(self, "Failover", names=names).key
        if replica_region:
            failover_table(self, names=names, key=key, replica_region=replica_region)


class FailoverStack(RoomStack):
    """`<prefix>-resilience-failover-<region>`: either Region's can command alone."""

    def __init__(self, scope: Construct, *, foundation: Foundation, section: Section, region: str) -> None:
        super().__init__(scope, room=ROOM, foundation=foundation, part=f"{JOB}-{region}", region=region)
        names = FailoverNames(prefix=foundation.names.prefix)
        arn = ssm.StringParameter.value_for_string_parameter(self, names.key_parameter)
        props = FailoverProps(
            names=names,
            region=region,
            key=kms.Key.from_key_arn(self, "Key", arn),
            catalogue=section.catalogue(),
            emails=section.emails,
            schedules={one.name: one.drill_schedule for one in section.groups if one.drill_schedule},
        )
        half = FailoverRegion(self, "Failover", props=props)
        if props.catalogue.tenants and region == foundation.region:
            FailoverTenants(self, "Tenants", props=props, half=half, tenants_arn=foundation.tenants_arn)


class FailoverChecksStack(RoomStack):
    """`<prefix>-resilience-failover-checks`: the health checks, which are of no Region."""

    def __init__(self, scope: Construct, *, foundation: Foundation, catalogue: Catalogue) -> None:
        first = catalogue.regions[0]
        super().__init__(scope, room=ROOM, foundation=foundation, part=f"{JOB}-checks", region=first)
        names = FailoverNames(prefix=foundation.names.prefix)
        health_checks(self, names=names, catalogue=catalogue)


class FailoverRecordsStack(RoomStack):
    """`<prefix>-resilience-failover-records-<zone>`: the records of a zone."""

    def __init__(
        self,
        scope: Construct,
        *,
        foundation: Foundation,
        catalogue: Catalogue,
        zone: str,
        applications: Sequence[Application],
    ) -> None:
        first = catalogue.regions[0]
        super().__init__(scope, room=ROOM, foundation=foundation, part=f"{JOB}-records-{zone}", region=first)
        names = FailoverNames(prefix=foundation.names.prefix)
        records(self, names=names, groups=catalogue.groups, applications=applications)
