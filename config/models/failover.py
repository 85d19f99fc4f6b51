"""config/failover.yaml: applications that fail over from one Region to another, in groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from config.models.failover_groups import GroupModel, Measures
from config.models.failover_tenants import TenantsModel, misfits, wrong_of
from config.models.saas import Workloads
from config.models.toolchain import Toolchain
from config.models.types import DnsName, Email, Integer, Model, Name, RegionId, ZoneId, each_once, twice
from config.problems import refuse
from lambdas.common.partitions import partition_of
from lambdas.resilience.model.failover.catalogue import Application, Catalogue, Endpoint, Mode

# A stack has 500 resources, and a zone's records are one stack.
_MOST_OF_A_ZONE = 480
# A zone is a stack of CI/CD, whose stage has 100 actions, two a stack; and the function's policies name them all.
_MOST_ZONES, _MOST_DATABASES = 30, 30
# Health checks watch endpoints and other health checks there, and no alarms.
# https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-r53.html
_WITHOUT_SWITCH = ("aws-us-gov",)
# Where records are changed; names are answered everywhere.
# https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html
_CHANGES_RECORDS = frozenset({"us-east-1", "cn-northwest-1"})


class EndpointModel(Model):
    """Where an application is in a Region."""

    dns_name: DnsName = Field(description="DNS name of its load balancer, API or the like.")
    zone: ZoneId | None = Field(None, description="Hosted zone of that name, for an alias; absent: a CNAME.")


class ApplicationModel(Model):
    """An application."""

    name: Name = Field(description="Its name, unique in its group.")
    group: Name = Field(description="What it fails over with.")
    record: DnsName = Field(description="Its name in DNS; what is there already is taken away first.")
    zone: ZoneId = Field(description="Hosted zone, of the toolchain's account, that the record is in.")
    endpoints: dict[RegionId, EndpointModel] = Field(description="Where it is, in both Regions.")
    ttl: Integer = Field(60, ge=1, le=3600, description="Seconds for which resolvers keep a CNAME.")


class Section(Model):
    """The failover control plane."""

    regions: Annotated[tuple[RegionId, ...], AfterValidator(each_once)] = Field(
        min_length=2, max_length=2, description="Both Regions; the first one's stack has the table."
    )
    emails: Annotated[tuple[Email, ...], AfterValidator(each_once)] = Field(
        (), description="Who is told by both Regions; each confirms the subscription once in each."
    )
    groups: tuple[GroupModel, ...] = Field(min_length=1, max_length=20, description="The groups.")
    applications: tuple[ApplicationModel, ...] = Field((), max_length=5000, description="Their applications.")
    tenants: tuple[TenantsModel, ...] = Field((), max_length=10, description="Tenants that are applications, too.")

    def catalogue(self) -> Catalogue:
        """All of it as the function has it."""
        return Catalogue(
            regions=self.regions,
            groups=tuple(one.group() for one in self.groups),
            applications=tuple(map(_application, self.applications)),
            tenants=tuple(one.tenants() for one in self.tenants),
        )

    def without_effect(self) -> Iterator[str]:
        """Keys that are given and change nothing."""
        for one in self.groups:
            if "max_lag_seconds" in one.model_fields_set and one.measures.lag is None:
                yield f"groups: {one.name}: max_lag_seconds: nothing without measures.lag: give that, or remove it"
        for its in self.applications:
            if "ttl" in its.model_fields_set and any(at.zone for at in its.endpoints.values()):
                yield f"applications: {its.name}: ttl: an alias has that of its target: remove it"

    def misfits(self, toolchain: Toolchain, workloads: Workloads) -> list[str]:
        """What does not go with the other files: both Regions have a store of CI/CD's, in the toolchain's partition."""
        stores = {toolchain.region, *workloads.reached_regions}
        told = [
            f"regions: {one} has no artifact store: use one of {', '.join(sorted(stores))}, or add it to `regions` in "
            "config/workloads.yaml"
            for one in self.regions
            if one not in stores
        ]
        return told + (misfits(self.regions, toolchain, workloads) if self.tenants else [])

    @model_validator(mode="after")
    def _is_whole(self) -> Section:
        """All that concerns several keys, told together."""
        wrong = [*self._groups_wrong(), *self._databases_wrong(), *self._applications_wrong()]
        wrong += wrong_of(self.tenants, {one.name: one.primary for one in self.groups})
        refuse(wrong)
        return self

    def _groups_wrong(self) -> list[str]:
        both = set(self.regions)
        told = twice("groups", [one.name for one in self.groups])
        if (count := sum(len(one.databases) for one in self.groups)) > _MOST_DATABASES:
            told.append(
                f"groups: they have {count} databases, and the function's policy has room for {_MOST_DATABASES}"
            )
        if len({partition_of(region) for region in both}) > 1:
            told.append("regions: both are in one partition")
        for one in self.groups:
            if one.primary not in both:
                told.append(f"groups: {one.name}: primary is one of {', '.join(self.regions)}")
            if one.mode is Mode.SWITCH and partition_of(one.primary) in _WITHOUT_SWITCH:
                told.append(f"groups: {one.name}: no health check watches an alarm in its partition: mode: weights")
            places = {"alarms": set(one.alarms)}
            for name in Measures.model_fields:
                if measure := getattr(one.measures, name):
                    places[f"measures.{name}.dimensions"] = set(measure.dimensions)
            told += [
                f"groups: {one.name}: {key}: give both Regions, {' and '.join(self.regions)}"
                for key, given in places.items()
                if given != both
            ]
            told += twice(f"groups: {one.name}: databases", [it.name for it in one.databases])
            if one.mode is Mode.SWITCH:
                told += [
                    f"groups: {one.name}: databases.{it.name}.record is changed in {region}, and in that Region's "
                    "outage the switch would wait for it: leave record out and let each Region use its own name of "
                    "the database, or mode: weights"
                    for it in one.databases
                    for region in sorted(both & _CHANGES_RECORDS)
                    if it.record
                ]
        return told

    def _databases_wrong(self) -> list[str]:
        """Each restores in one of the Regions, and what one makes or moves is no other's."""
        all_of_them = [(group.name, one) for group in self.groups for one in group.databases]
        restores = [(name, one, region, its) for name, one in all_of_them for region, its in one.restores.items()]
        told = [
            f"groups: {name}: databases: {one.name}: restores: {region} is none of {', '.join(self.regions)}"
            for name, one, region, _ in restores
            if region not in self.regions
        ]
        clusters = [one.global_cluster for _, one in all_of_them if one.global_cluster]
        told += twice("databases: global_cluster", clusters)
        told += twice("databases: instance", [f"{its.instance} in {region}" for _, _, region, its in restores])
        records = [f"{one.record} in {one.zone}" for one in self.applications]
        records += [f"{one.record} in {one.zone}" for _, one in all_of_them if one.record]
        return told + twice("record", records)

    def _applications_wrong(self) -> list[str]:
        groups, both = {one.name for one in self.groups}, set(self.regions)
        told = twice("applications", [f"{one.group}/{one.name}" for one in self.applications])
        for one in self.applications:
            if one.group not in groups:
                told.append(f"applications: {one.name}: there is no group {one.group}")
            if set(one.endpoints) != both:
                told.append(f"applications: {one.name}: endpoints: give both Regions, {' and '.join(self.regions)}")
            if len({its.zone is None for its in one.endpoints.values()}) > 1:
                told.append(f"applications: {one.name}: endpoints: give a zone in both Regions, or in neither")
        zones = Counter(one.zone for one in self.applications)
        others = {one.zone for one in self.tenants} | {
            it.zone for one in self.groups for it in one.databases if it.zone
        }
        if (count := len({*zones, *others})) > _MOST_ZONES:
            told.append(
                f"applications, tenants and databases are in {count} zones, and CI/CD and the functions' policies have "
                f"room for {_MOST_ZONES}: a zone holds {_MOST_OF_A_ZONE} applications"
            )
        told += [
            f"applications: zone {zone} has {count}, and a stack has room for {_MOST_OF_A_ZONE}: delegate "
            "a part of the zone to another"
            for zone, count in sorted(zones.items())
            if count > _MOST_OF_A_ZONE
        ]
        return told


def _application(one: ApplicationModel) -> Application:
    return Application(
        name=one.name,
        group=one.group,
        record=one.record,
        zone=one.zone,
        endpoints={at: Endpoint(dns_name=its.dns_name, zone=its.zone or "") for at, its in one.endpoints.items()},
        ttl=one.ttl,
    )
