"""config/failover.yaml: applications that fail over from one Region to another, in groups."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from config.models.failover_tenants import TenantsModel, misfits, wrong_of
from config.models.saas import Workloads
from config.models.toolchain import Toolchain
from config.models.types import DnsName, Email, Integer, Model, RegionId, Word, ZoneId, each_once
from lambdas.common.partitions import partition_of
from lambdas.resilience.model.failover.catalogue import (
    Application,
    Automatic,
    Catalogue,
    Database,
    Endpoint,
    Group,
    Measure,
    Mode,
    Restore,
)

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
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


class MeasureModel(Model):
    """A metric of CloudWatch."""

    namespace: Word = Field(description="Its namespace.")
    metric: Word = Field(description="Its name.")
    statistic: Literal["Average", "Maximum", "Minimum", "Sum"] = Field("Maximum", description="What is drawn of it.")
    dimensions: dict[RegionId, dict[str, Word]] = Field(description="Its dimensions, by Region.")


class Measures(Model):
    """Metrics of a group, the same in both Regions."""

    traffic: MeasureModel | None = Field(None, description="Requests; only drawn.")
    errors: MeasureModel | None = Field(None, description="Failed requests; only drawn.")
    lag: MeasureModel | None = Field(None, description="Seconds that a Region's data is behind.")
    capacity: MeasureModel | None = Field(None, description="What runs: the least now against the peak of a day.")


class RestoreModel(Model):
    """A database from replicated backups."""

    backups: str = Field(pattern=r"^arn:aws[a-z-]*:rds:[a-z0-9-]+:[0-9]{12}:auto-backup:.+$", description="Their ARN.")
    instance: Name = Field(description="Name of the instance that is made.")
    subnet_group: Name = Field(description="Its subnet group.")
    security_groups: tuple[Annotated[str, Field(pattern=r"^sg-[0-9a-f]+$")], ...] = Field((), description="Of it.")


class DatabaseModel(Model):
    """A database that comes along, before the traffic does."""

    name: Name = Field(description="Its name, in steps and reasons.")
    global_cluster: Name | None = Field(None, description="An Aurora global database, whose writer moves.")
    restores: dict[RegionId, RestoreModel] = Field({}, description="Or what it is restored from, by Region.")
    record: DnsName | None = Field(None, description="A CNAME that leads to the writer; see the page.")
    zone: ZoneId | None = Field(None, description="The hosted zone of the record.")

    @model_validator(mode="after")
    def _is_one_kind(self) -> DatabaseModel:
        if bool(self.global_cluster) == bool(self.restores):
            raise ValueError("give one of global_cluster and restores: how it comes to the other Region")
        if (self.record is None) != (self.zone is None):
            raise ValueError("record and zone belong together")
        return self


class AutomaticModel(Model):
    """Failing over without a person; never back."""

    alarms: Annotated[tuple[Word, ...], AfterValidator(each_once)] = Field(
        min_length=1, max_length=10, description="Alarms of the standby Region that watch the primary: all must ring."
    )
    after_minutes: Integer = Field(5, ge=1, le=120, description="For so long.")
    cool_down_minutes: Integer = Field(60, ge=5, le=10080, description="And no request came for so long.")


class GroupModel(Model):
    """What fails over together."""

    name: Name = Field(description="Its name.")
    primary: RegionId = Field(description="The Region that serves it at home.")
    mode: Mode = Field(Mode.SWITCH, description="One switch for all, or the weights of all records.")
    alarms: dict[RegionId, Annotated[tuple[Word, ...], Field(min_length=1), AfterValidator(each_once)]] = Field(
        description="Alarms that must be OK in the Region that it is to go to, by Region."
    )
    revision: str | None = Field(
        None, pattern=r"^/[A-Za-z0-9._/-]{1,200}$", description="SSM parameter, in both Regions, with what runs there."
    )
    measures: Measures = Measures()
    max_lag_seconds: Integer = Field(60, ge=0, le=86400, description="How far the data may be behind.")
    drill_days: Integer | None = Field(None, ge=1, le=730, description="How old the last drill may be.")
    drill_schedule: str | None = Field(
        None, pattern=r"^(cron|rate)\([^()]+\)$", description="When EventBridge begins a drill; absent: a person does."
    )
    databases: tuple[DatabaseModel, ...] = Field((), max_length=20, description="Databases, in their order.")
    automatic: AutomaticModel | None = Field(None, description="Absent: people decide.")

    def group(self) -> Group:
        """The group as the function has it."""
        given = {
            name: Measure(**one.model_dump())
            for name in Measures.model_fields
            if (one := getattr(self.measures, name)) is not None
        }
        return Group(
            name=self.name,
            primary=self.primary,
            mode=self.mode,
            alarms=dict(self.alarms),
            revision=self.revision or "",
            measures=given,
            max_lag_seconds=self.max_lag_seconds,
            drill_days=self.drill_days or 0,
            databases=tuple(map(_database, self.databases)),
            automatic=Automatic(**self.automatic.model_dump()) if self.automatic else None,
        )


def _database(one: DatabaseModel) -> Database:
    return Database(
        name=one.name,
        global_cluster=one.global_cluster or "",
        restores={region: Restore(**its.model_dump()) for region, its in one.restores.items()},
        record=one.record or "",
        zone=one.zone or "",
    )


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

    def misfits(self, toolchain: Toolchain, workloads: Workloads) -> list[str]:
        """What does not go with the other files."""
        return misfits(self.regions, toolchain, workloads) if self.tenants else []

    @model_validator(mode="after")
    def _is_whole(self) -> Section:
        """All that concerns several keys, told together."""
        wrong = [*self._groups_wrong(), *self._databases_wrong(), *self._applications_wrong()]
        wrong += wrong_of(self.tenants, {one.name: one.primary for one in self.groups})
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _groups_wrong(self) -> list[str]:
        both = set(self.regions)
        told = _twice("groups", [one.name for one in self.groups])
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
            told += _twice(f"groups: {one.name}: databases", [it.name for it in one.databases])
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
        told += _twice("databases: global_cluster", clusters)
        told += _twice("databases: instance", [f"{its.instance} in {region}" for _, _, region, its in restores])
        records = [f"{one.record} in {one.zone}" for one in self.applications]
        records += [f"{one.record} in {one.zone}" for _, one in all_of_them if one.record]
        return told + _twice("record", records)

    def _applications_wrong(self) -> list[str]:
        groups, both = {one.name for one in self.groups}, set(self.regions)
        told = _twice("applications", [f"{one.group}/{one.name}" for one in self.applications])
        for one in self.applications:
            if one.group not in groups:
                told.append(f"applications: {one.name}: there is no group {one.group}")
            if set(one.endpoints) != both:
                told.append(f"applications: {one.name}: endpoints: give both Regions, {' and '.join(self.regions)}")
            if len({its.zone is None for its in one.endpoints.values()}) > 1:
                told.append(f"applications: {one.name}: endpoints: give a zone in both Regions, or in neither")
        zones = Counter(one.zone for one in self.applications)
        if (count := len(zones | {one.zone: 0 for one in self.tenants})) > _MOST_ZONES:
            told.append(
                f"applications: they are in {count} zones, and CI/CD has room for {_MOST_ZONES}: a zone holds "
                f"{_MOST_OF_A_ZONE}"
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


def _twice(where: str, names: list[str]) -> list[str]:
    return [f"{where}: {name} is given twice" for name, times in sorted(Counter(names).items()) if times > 1]
