"""The groups of config/failover.yaml: what fails over together, its databases and measures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from config.models.types import DnsName, Integer, Model, Name, RegionId, Word, ZoneId, each_once
from lambdas.resilience.model.failover.catalogue import Automatic, Database, Group, Measure, Mode, Restore


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
