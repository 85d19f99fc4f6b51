"""The room `saas`: config/workloads.yaml, and the keys of config/toolchain.yaml that are about tenants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, InstanceOf, WithJsonSchema, model_validator

from component import SPEC
from config.models.accounts import PATHS_LIMIT, AccountsFile, OrganizationPath
from config.models.landing_zone import LandingPlace
from config.models.parameters import Parameters, RingName, TierModel, TierName
from config.models.types import (
    ACCOUNTS_LIMIT,
    Accounts,
    Integer,
    Model,
    PolicyName,
    Qualifier,
    RegionId,
    Regions,
    Word,
    each_once,
)
from config.problems import refuse

if TYPE_CHECKING:
    Component = Any
else:
    Component = SPEC.settings

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
AlarmName = Annotated[Word, Field(max_length=255)]
# YAML 1.1 reads an unquoted `off` as false.
QuotaCheckWord = Annotated[
    Literal["enforce", "warn", "off"], BeforeValidator(lambda value: "off" if value is False else value)
]


class Provisioning(Model):
    """How provisioning builds work."""

    max_ids_per_build: Integer = Field(50, ge=1, le=90, description="Deployments that one build takes.")
    deploy_concurrency: Integer = Field(4, ge=1, le=16, description="Pipeline stacks that one build deploys at a time.")
    sweep_minutes: Integer = Field(
        5, ge=1, le=60, description="Minutes between two rounds of the reconciliation sweep."
    )
    quota_check: QuotaCheckWord = Field(
        "enforce", description="What becomes of new deployments for which a quota has no room, or cannot be read."
    )


class Lifecycle(Model):
    """How deployments end."""

    grace_hours: Integer = Field(
        168, ge=0, le=8760, description="Hours in which a retired deployment can come back; then its stacks go."
    )
    archive: Literal["snapshot", "none"] = Field(
        "snapshot", description="What is kept of what a component declares stateful."
    )
    on_row_removed: Literal["keep", "retire"] = Field(
        "keep", description="What becomes of a deployment whose row is removed without retiring it."
    )
    max_removed_percent: Integer = Field(
        10, ge=0, le=100, description="Share of the fleet that removed rows may retire in a day; 100: all of it."
    )
    tombstone_days: Integer = Field(
        90, ge=1, le=3650, description="Days for which the status of a retired deployment is kept."
    )


RingPattern = Annotated[str, Field(pattern=r"^[a-z0-9*-]+$", max_length=64)]


class RingModel(Model):
    """One ring of a release."""

    name: RingName = Field(description="What rows call it.")
    match: dict[Literal["tier", "region", "type"], RingPattern] = Field(
        {},
        description="Deployments that come into it, whatever its share: all that is given has to fit, * is anything.",
    )
    percent: Integer = Field(0, ge=0, le=100, description="Share of the deployments; the last ring gets the rest.")
    minimum: Integer = Field(0, ge=0, le=10_000, description="Deployments that it gets at least, if there are enough.")
    bake_minutes: Integer = Field(0, ge=0, le=10_080, description="Minutes for which it bakes before the next ring.")
    max_failures: Integer = Field(0, ge=0, le=10_000, description="Deployments that may fail.")
    max_failure_percent: Integer = Field(0, ge=0, le=100, description="The same in percent; the larger one counts.")
    concurrency: Integer = Field(0, ge=0, le=1_000, description="Pipelines at a time; 0 is the release's own.")
    approval: bool = Field(False, strict=True, description="Whether a person has to agree before it begins.")
    alarms: tuple[AlarmName, ...] = Field(
        (), max_length=20, description="CloudWatch alarms that must be OK after the bake time, and not in ALARM in it."
    )


def _rings_differ(rings: tuple[RingModel, ...]) -> tuple[RingModel, ...]:
    each_once(tuple(ring.name for ring in rings))
    return rings


_WHOLE = 100
_DEFAULT_RINGS = (
    RingModel(name="canary", percent=1, minimum=1, bake_minutes=10),
    RingModel(name="early", percent=10, minimum=1, bake_minutes=10),
    RingModel(name="general", max_failure_percent=1),
)


class ReleasesModel(Model):
    """How a release gets to the tenants."""

    strategy: Literal["one-at-a-time", "rings", "all-at-once"] = Field(
        "rings", description="rings: as below; the others have one ring, with the last one's settings."
    )
    start: Literal["automatic", "manual"] = Field(
        "automatic",
        description="manual: CI/CD publishes a release and starts nothing; `granary release --start` does, for all or "
        "with --only for some.",
    )
    concurrency: Integer = Field(50, ge=1, le=1_000, description="Tenants' pipelines that are under way at a time.")
    pipeline_timeout_minutes: Integer = Field(
        120,
        ge=5,
        le=1_440,
        description="Minutes for which a tenant's pipeline is waited for; then it has failed.",
    )
    rings: Annotated[tuple[RingModel, ...], AfterValidator(_rings_differ)] = Field(
        _DEFAULT_RINGS, min_length=1, max_length=20, description="In this order."
    )

    @model_validator(mode="after")
    def _something_is_left(self) -> ReleasesModel:
        total = sum(ring.percent for ring in self.rings[:-1])
        if total > _WHOLE:
            raise ValueError(f"the percents of the rings before the last add up to {total}: at most {_WHOLE}")
        return self

    def without_effect(self) -> list[str]:
        """Keys that are given and change nothing, each with the reason."""
        *before, last = enumerate(self.rings)
        told = [
            f"rings.{last[0]}.{key} has no effect: the last ring gets the rest"
            for key in ("percent", "minimum")
            if getattr(last[1], key)
        ]
        told += [
            f"rings.{index}.alarms notice next to nothing without bake_minutes: they are looked at once, at its end"
            for index, ring in (*before, last)
            if ring.alarms and not ring.bake_minutes
        ]
        if self.strategy != "rings":
            told += self._of_one_ring([f"rings.{index}" for index, _ in before])
        return told

    def _of_one_ring(self, rings: list[str]) -> list[str]:
        """The same of a strategy that has one ring, with the last one's settings."""
        given = rings if "rings" in self.model_fields_set else []
        last, where = self.rings[-1], f"rings.{len(self.rings) - 1}"
        if self.strategy == "one-at-a-time":
            given += [f"{where}.{key}" for key in ("max_failures", "max_failure_percent") if getattr(last, key)]
            given += ["concurrency"] if "concurrency" in self.model_fields_set else []
        given += [f"{where}.concurrency"] if last.concurrency else []
        return [f"{key} has no effect with the strategy {self.strategy}" for key in given]


class Leaving(Model):
    """Accounts and Regions that tenants are to leave: no new ones go there, and what stands there can be deleted."""

    accounts: Accounts = Field((), description="Accounts that rows may not name any more.")
    regions: Annotated[tuple[RegionId, ...], AfterValidator(each_once)] = Field(
        (), description="Regions that rows may not name any more."
    )


class Workloads(Model):
    """config/workloads.yaml: where tenants' components may go."""

    accounts: Accounts = Field((), description="Accounts that rows may name.")
    accounts_file: Annotated[InstanceOf[AccountsFile], WithJsonSchema({"type": "string"})] | None = Field(
        None, description="Instead of accounts: a file beside this one that has them, one a line."
    )
    organization_id: str | None = Field(
        None,
        pattern=r"^o-[a-z0-9]{10,32}$",
        description="Instead of accounts: any account of this organization. With accounts_file, those of the file.",
    )
    organization_paths: Annotated[tuple[OrganizationPath, ...], AfterValidator(each_once)] = Field(
        (),
        max_length=PATHS_LIMIT,
        description="Instead of organization_id: the accounts below these organizational units.",
    )
    regions: Regions = Field(description="Regions that rows may name.")
    bootstrap_qualifier: Qualifier = Field(
        "granary", description="Qualifier of the factory's own bootstrap stacks, with which components are deployed."
    )
    permissions_boundary: PolicyName | None = Field(
        None, description="Policy in each workload account that bounds every role of components and of the factory."
    )
    place: LandingPlace = Field(
        LandingPlace(), description="What a landing zone publishes in each account and Region, for components."
    )
    leaving: Leaving = Field(Leaving(), description="Where something may still stand that is to go.")
    component: Component = Field({}, validate_default=True, description="What the users' zone `component/` asks for.")
    parameters: Parameters = Field({}, description="What rows may say to their component, by name.")
    tiers: dict[TierName, TierModel] = Field({}, max_length=50, description="Defaults that rows may name.")

    @model_validator(mode="after")
    def _tiers_fit(self) -> Workloads:
        refuse(f"tiers.{name}.{line}" for name, tier in self.tiers.items() for line in tier.misfits(self.parameters))
        return self

    @classmethod
    def gather(cls, data: Any, directory: Path) -> tuple[Any, list[str]]:
        """The file of accounts is read where its name is."""
        name = data.get("accounts_file") if isinstance(data, dict) else None
        if name is None:
            return data, []
        read, errors = AccountsFile.read(name, directory)
        return {**data, "accounts_file": read}, errors

    @model_validator(mode="after")
    def _accounts_or_organization(self) -> Workloads:
        if self.accounts and self.accounts_file:
            raise ValueError("give either accounts or accounts_file")
        if self.organization_id and self.organization_paths:
            raise ValueError("give either organization_id or organization_paths, which are of an organization already")
        if self.accounts_file and (len(self.named_accounts) <= ACCOUNTS_LIMIT or self.of_organization):
            return self
        if self.accounts_file:
            raise ValueError(
                f"accounts_file: names {len(self.named_accounts)} accounts, and policies have room for "
                f"{ACCOUNTS_LIMIT}: give organization_paths or organization_id as well, which bound the policies; rows "
                "may name the accounts of the file all the same"
            )
        if bool(self.accounts) == self.of_organization:
            raise ValueError("give either accounts or organization_id")
        return self

    @model_validator(mode="after")
    def _leaving_is_no_target(self) -> Workloads:
        if self.of_organization and self.leaving.accounts:
            key = "organization_id" if self.organization_id else "organization_paths"
            raise ValueError(f"leaving.accounts: leave it out: with {key}, all accounts are reached")
        named = {
            "accounts": (self.named_accounts, self.leaving.accounts),
            "regions": (self.regions, self.leaving.regions),
        }
        for key, (stay, leave) in named.items():
            if both := sorted({*stay} & {*leave}):
                raise ValueError(f"leaving.{key}: {', '.join(both)} may be named by rows, too: leave it in one place")
        each_once(self.named_accounts)
        if len(self.reached_accounts) > ACCOUNTS_LIMIT:
            raise ValueError(
                f"{len(self.reached_accounts)} accounts with those that are leaving: name at most {ACCOUNTS_LIMIT}"
            )
        return self

    @property
    def of_organization(self) -> bool:
        """Whether policies are bounded by the organization, or by paths in it, and name no accounts."""
        return bool(self.organization_id or self.organization_paths)

    @property
    def named_accounts(self) -> tuple[str, ...]:
        """The accounts that rows may name; none when it is any of the organization's."""
        return self.accounts_file.accounts if self.accounts_file else self.accounts

    @property
    def reached_accounts(self) -> tuple[str, ...]:
        """The accounts that the factory has rights in; none when the organization bounds them."""
        return () if self.of_organization else (*self.named_accounts, *self.leaving.accounts)

    @property
    def reached_regions(self) -> tuple[str, ...]:
        """The Regions that the factory has rights and artifact stores in."""
        return (*self.regions, *self.leaving.regions)
