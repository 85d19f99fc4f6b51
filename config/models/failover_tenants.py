"""The part of config/failover.yaml that makes applications of tenants that stand in both Regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Annotated

from pydantic import Field

from config.models.saas import Workloads
from config.models.toolchain import Toolchain
from config.models.types import Integer, Model, Word, ZoneId
from lambdas.resilience.model.failover.catalogue import Tenants

# A name in DNS, the first label of which has the tenant's id: no two tenants have the same.
Record = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9_][a-z0-9_-]*)?\{id\}([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+$",
        max_length=200,
    ),
]


class TenantsModel(Model):
    """Tenants whose rows name a standby_region: those that stand in both Regions, at home in the group's primary."""

    group: Word = Field(description="What they fail over with.")
    zone: ZoneId = Field(description="Hosted zone, of the toolchain's account, that the records are in.")
    record: Record = Field(description="Their names in DNS: {id} is the tenant's id. Best below a name of their own.")
    output: str = Field(
        pattern=r"^[A-Za-z0-9]{1,64}$",
        description="What the component declares public with its address: a name, or a URL.",
    )
    ttl: Integer = Field(60, ge=1, le=3600, description="Seconds for which resolvers keep them.")
    withdrawn: bool = Field(False, description="True: their applications are taken away; then take the entry away.")

    def tenants(self) -> Tenants:
        """The entry as functions have it."""
        return Tenants(**self.model_dump())


def wrong_of(entries: Sequence[TenantsModel], primaries: Mapping[str, str]) -> list[str]:
    """What is wrong with entries, given the primary of each group."""
    told = [f"tenants: {one.record}: there is no group {one.group}" for one in entries if one.group not in primaries]
    for one, other in combinations([one for one in entries if one.group in primaries], 2):
        if one.record == other.record and primaries[one.group] == primaries[other.group]:
            told.append(f"tenants: {one.record} is given twice for {primaries[one.group]}: give each primary one entry")
    return told


def misfits(regions: Sequence[str], toolchain: Toolchain, workloads: Workloads) -> list[str]:
    """Tenants are asked for in the toolchain's Region, and stand in those of config/workloads.yaml."""
    told = [
        f"tenants: {region} is none of workloads.regions, so no tenant stands in both Regions"
        for region in regions
        if region not in workloads.reached_regions
    ]
    if toolchain.region not in regions:
        told.append(
            f"tenants: they are asked for in the toolchain's Region, {toolchain.region}, which is none of "
            f"{' and '.join(regions)}: let it be one of them, or write applications down"
        )
    return told
