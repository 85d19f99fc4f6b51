"""config/lake.yaml: the environments of the data lake, and its datasets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, InstanceOf, PrivateAttr, WithJsonSchema, model_validator

from config.models.lake_datasets import FOLDER, Definitions, once, read_dataset
from config.models.lake_permissions import LakePermissions
from config.models.types import AccountId, Integer, Model, RegionId
from lambdas.common.names import BUCKET_NAME_LIMIT
from lambdas.lake.model.governance.declared import declared_pii
from lambdas.lake.model.names import LakeNames, Zone

if TYPE_CHECKING:
    from config.models.saas import Workloads
    from config.models.toolchain import Toolchain

_FOLDER = r"^[a-z][a-z0-9_]{0,62}$"
# AWS's own limits of a VPC: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
_PREFIXES = range(16, 29)
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
_RULE_LETTERS = 64


_ODD = "must be the name of a folder below datasets/: small letters, digits and _"


def _is_folder(name: object) -> bool:
    return isinstance(name, str) and re.fullmatch(_FOLDER, name) is not None


def _laid(sources: object, directory: Path) -> list[str]:
    """The datasets of other sources that are there: the build of an ETL pipeline lays them, and so may people."""
    names = [str(one.get("name")) for one in sources if isinstance(one, dict)] if isinstance(sources, list) else []
    return [name for name in filter(_is_folder, names) if (directory / FOLDER / name).exists()]


def _network(cidr: str) -> str:
    network = IPv4Network(cidr)  # says what is wrong
    if network.prefixlen not in _PREFIXES:
        raise ValueError(f"{cidr}: a VPC has a range between /{_PREFIXES[0]} and /{_PREFIXES[-1]}")
    return cidr


class Keeping(Model):
    """How long objects of a zone are kept."""

    days: Integer | None = Field(None, ge=1, description="Days until objects expire; absent: never.")
    noncurrent_days: Integer = Field(30, ge=1, description="Days that replaced and deleted versions are kept.")
    archive_days: Integer | None = Field(None, ge=1, description="Days until objects go to the archive; absent: never.")

    @model_validator(mode="after")
    def _archived_before_it_expires(self) -> Keeping:
        if self.days and self.archive_days and self.archive_days >= self.days:
            raise ValueError(f"archive_days: {self.archive_days} is not before the end of {self.days} days")
        return self


class Retention(Model):
    """How long each zone keeps its objects."""

    raw: Keeping = Field(Keeping(), description="Files as they came.")
    conformed: Keeping = Field(Keeping(), description="Their rows, and the quarantine.")
    purpose_built: Keeping = Field(Keeping(), description="What queries make of them.")


class Crawler(Model):
    """A crawler: it tells the catalog of tables that others write below domains/<name>/ of a zone's bucket."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]{0,19}$", description="A domain, in the names of folder and database.")
    zone: Literal["conformed", "purpose_built"] = Field("conformed", description="In whose bucket the folder is.")
    schedule: str = Field(
        "", pattern=r"^(cron\(\S+( \S+){5}\))?$", description="When it runs, in UTC; absent: whoever writes starts it."
    )

    @model_validator(mode="after")
    def _is_no_zone(self) -> Crawler:
        if self.name in list(Zone):
            raise ValueError(f"name: {self.name} is a zone of the lake's own: call the domain otherwise")
        return self


class Environment(Model):
    """A lake: an account and a Region."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]{0,11}$", description="Its name, in those of buckets and databases.")
    account: AccountId = Field(description="Account that it is in.")
    region: RegionId = Field(description="Region that it is in.")
    branch: str | None = Field(None, min_length=1, max_length=250, description="Branch that its pipelines follow.")
    object_key: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._-]+\.zip$", description="Or the key of the zip that they follow."
    )
    cidr: Annotated[str, AfterValidator(_network)] = Field(description="IPv4 range of its VPC.")
    azs: Integer = Field(2, ge=1, le=6, description="Availability Zones that its jobs run in.")
    approval: bool = Field(False, description="Whether a person approves what is deployed.")
    production: bool = Field(False, description="Whether data stays when a stack is deleted.")
    retention: Retention | None = Field(None, description="How long it keeps what is in a zone, if not as all do.")

    crawlers: tuple[Crawler, ...] = Field(
        (), max_length=20, description="Domains whose tables others' jobs write, and a crawler finds."
    )

    @model_validator(mode="after")
    def _domains_differ(self) -> Environment:
        once([one.name for one in self.crawlers], "crawlers")
        return self

    @model_validator(mode="after")
    def _one_source(self) -> Environment:
        if (self.branch is None) == (self.object_key is None):
            raise ValueError("give one of branch and object_key: what its pipelines follow")
        return self

    @model_validator(mode="after")
    def _subnets_fit(self) -> Environment:
        # Each AZ has a subnet, and a subnet has a /28 at least.
        if IPv4Network(self.cidr).num_addresses // 16 < self.azs:
            raise ValueError(f"cidr: {self.cidr} has no room for {self.azs} subnets: use a larger range")
        return self


class DatasetSource(Model):
    """A source of its own that a dataset's folder is the root of, from where the factory's source is from."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,19}$", description="Name of the dataset.")
    object_key: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._-]+\.zip$", description="Key of its zip in the bucket of the factory's source."
    )
    repository: str | None = Field(None, pattern=r"^\S{1,255}$", description="Or its repository,")
    branch: str | None = Field(None, min_length=1, max_length=250, description="and the branch there.")

    @model_validator(mode="after")
    def _one_source(self) -> DatasetSource:
        if (self.repository is None) != (self.branch is None) or (self.repository is None) == (self.object_key is None):
            raise ValueError("give object_key, or repository and branch")
        return self

    @property
    def own(self) -> dict[str, Any]:
        """What it is called there."""
        return self.model_dump(exclude={"name"}, exclude_none=True)


class Section(Model):
    """The data lake."""

    environments: tuple[Environment, ...] = Field(min_length=1, max_length=20, description="The lakes.")
    datasets: tuple[Annotated[InstanceOf[Definitions], WithJsonSchema({"type": "string", "pattern": _FOLDER})], ...] = (
        Field(max_length=500, description="Folders of datasets/, each with a schema.yaml and its queries.")
    )
    dataset_sources: tuple[DatasetSource, ...] = Field(
        (), max_length=20, description="Further datasets, each in a source of its own."
    )
    retention: Retention = Field(Retention(), description="How long environments keep what is in a zone.")
    _permissions: LakePermissions | None = PrivateAttr(None)

    @property
    def permissions(self) -> LakePermissions | None:
        """The file lake-permissions.yaml; None when there is none."""
        return self._permissions

    def with_permissions(self, permissions: LakePermissions | None) -> Section:
        """The section, with that other file."""
        section = self.model_copy()
        section._permissions = permissions
        return section

    def unclassed(self) -> list[str]:
        """Columns whose class of personal data is not in the file of permissions: no record lets anybody read them."""
        known = {one.name for one in self.permissions.classes} if self.permissions else None
        return [
            f"datasets/{dataset.name}/schema.yaml: pii of {column.name}: there is no class {column.pii} in "
            "lake-permissions.yaml, so nobody is granted the column: correct it, or add the class"
            for dataset in (one.dataset for one in self.datasets)
            for column in (*dataset.columns, *(it for product in dataset.products for it in product.columns))
            if known is not None and column.pii and column.pii not in known
        ]

    @classmethod
    def gather(cls, data: Any, directory: Path) -> tuple[Any, list[str]]:
        """The datasets are read where their names are."""
        names = data.get("datasets") if isinstance(data, dict) else None
        if not isinstance(names, list):
            return data, []
        names = names + _laid(data.get("dataset_sources"), directory)
        errors = [f"lake.yaml: datasets.{place}: {_ODD}" for place, name in enumerate(names) if not _is_folder(name)]
        folders = dict.fromkeys(filter(_is_folder, names))
        errors += [
            f"lake.yaml: datasets: {name} is given twice: leave one" for name in folders if names.count(name) > 1
        ]
        read = [read_dataset(name, directory) for name in folders]
        return {**data, "datasets": [one for one, _ in read if one]}, errors + [
            line for _, told in read for line in told
        ]

    @model_validator(mode="after")
    def _names_differ(self) -> Section:
        once([one.name for one in self.environments], "environments")
        once([one.name for one in self.dataset_sources], "dataset_sources")
        datasets = [one.dataset for one in self.datasets]
        once([one.prefix for one in datasets], "datasets: prefix")
        once([name for one in datasets for name in (one.table, one.quarantine)], "datasets: conformed tables")
        once([product.name for one in datasets for product in one.products], "datasets: purpose-built tables")
        return self

    @model_validator(mode="after")
    def _ranges_differ(self) -> Section:
        for one, other in combinations(self.environments, 2):
            if IPv4Network(one.cidr).overlaps(IPv4Network(other.cidr)):
                raise ValueError(
                    f"environments: {one.name} has {one.cidr} and {other.name} {other.cidr}, which overlap: their "
                    "networks could never be joined; give each a range of its own"
                )
        return self

    def misfits(self, toolchain: Toolchain, workloads: Workloads) -> Iterator[str]:
        """What of the environments does not fit what the other files say."""
        source, reached = toolchain.source.provider, workloads.reached_accounts
        key = "object_key" if source == "s3" else "branch"
        yield from self._misfits_of_sources(toolchain)
        yield from self._unknown_to_governance(toolchain.prefix)
        for one in self.environments:
            where = f"environments: {one.name}:"
            if not (given := getattr(one, key)):
                yield f"{where} give {key}, for source.provider in toolchain.yaml is {source}"
            elif given == getattr(toolchain.source, key):
                yield f"{where} {key}: {given} is what CI/CD follows, and checks first: give it another"
            if one.account not in (reached or (one.account,)):
                yield f"{where} account {one.account} is none of workloads.yaml: add it to `accounts` there"
            if one.region not in (toolchain.region, *workloads.reached_regions):
                yield f"{where} Region {one.region} is none of workloads.yaml: add it to `regions` there"
            names = LakeNames(prefix=toolchain.prefix, environment=one.name)
            longest = names.bucket(Zone.PURPOSE_BUILT, one.account, one.region)
            if len(longest) > BUCKET_NAME_LIMIT:
                yield (
                    f"{where} bucket name {longest} would have {len(longest)} of {BUCKET_NAME_LIMIT} characters; use a "
                    "shorter name, or a shorter prefix"
                )

    def _misfits_of_sources(self, toolchain: Toolchain) -> Iterator[str]:
        source = toolchain.source.provider
        keys = [one.object_key for one in self.environments] + [getattr(toolchain.source, "object_key", None)]
        for one in self.dataset_sources:
            where = f"dataset_sources: {one.name}:"
            if (source == "s3") != (one.object_key is not None):
                wanted = "object_key" if source == "s3" else "repository and branch"
                yield f"{where} give {wanted}, for source.provider in toolchain.yaml is {source}"
            elif one.object_key in keys and one.object_key:
                yield f"{where} object_key: {one.object_key} is another source's: give it one of its own"
            for environment in self.environments:
                part = LakeNames(prefix=toolchain.prefix, environment=environment.name).part("etl")
                if len(rule := f"{part}-{one.name}-start") > _RULE_LETTERS:
                    yield f"{where} name: rule {rule} would have more than {_RULE_LETTERS} letters: shorten it"

    def _unknown_to_governance(self, prefix: str) -> Iterator[str]:
        """Personal data of other sources' schemas that lake-permissions.yaml does not name itself.

        Governance is deployed from the factory's source, and never sees those schemas: it would grant such columns.
        """
        if self.permissions is None:
            return
        policy, others = self.permissions.policy(prefix), {one.name for one in self.dataset_sources}
        declared = declared_pii((one.dataset for one in self.datasets if one.dataset.name in others), prefix=prefix)
        for name, patterns in sorted(declared.items()):
            for pattern, one in product(sorted(patterns), self.environments):
                database, table, column = place = pattern.replace("*", one.name).rsplit(".", 2)
                if name not in policy.classes_of(database, table, column):
                    yield (
                        f"dataset_sources: {'.'.join(place)} has personal data of class {name}, which "
                        "lake-permissions.yaml does not say, and governance sees no schema of another source: add "
                        f"'*.{table}.{column}' to the columns of the class there"
                    )

    def retention_of(self, environment: Environment) -> Retention:
        """How long an environment keeps what is in a zone."""
        return environment.retention or self.retention
