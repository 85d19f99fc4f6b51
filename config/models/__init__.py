"""The configuration's shape: frozen models, one file of them a room; unknown keys are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import filter as filter_names
from importlib import import_module

from pydantic import Field, model_validator

from config.models.exceptions import Exceptions
from config.models.saas import Workloads
from config.models.toolchain import Toolchain
from config.models.types import Model
from config.problems import refuse
from lambdas.common.names import BUCKET_NAME_LIMIT, Names
from lambdas.common.partitions import partition_of

# Rooms, and parts of rooms, with a file of their own, `config/<name>.yaml`: it has the shape of `Section` in
# `config/models/<name>.py`. What has no file is off and costs nothing.
_NAMES: tuple[str, ...] = (
    "gates",
    "lake",
    "resilience",
    "failover",
)  # fmt: skip
ROOMS: dict[str, type[Model]] = {name: import_module(f"config.models.{name}").Section for name in _NAMES}

# Files that may be absent, and are of no room's section.
OPTIONAL: dict[str, type[Model]] = {
    "exceptions": Exceptions,
    "lake-permissions": import_module("config.models.lake_permissions").LakePermissions,
}

# All files of `config/`, by name.
FILES: dict[str, type[Model]] = {"toolchain": Toolchain, "workloads": Workloads, **ROOMS, **OPTIONAL}


class Configuration(Model):
    """All of `config/`."""

    toolchain: Toolchain
    workloads: Workloads
    exceptions: Exceptions = Exceptions()
    lake_permissions: Model | None = Field(None, alias="lake-permissions", description="None when there is no file.")
    rooms: Mapping[str, Model] = Field({}, description="The sections of the rooms that are on, by name.")

    def without_effect(self) -> list[str]:
        """Every key of the files that is given and changes nothing, or cannot mean what it says, each as a line."""
        told = [f"toolchain.yaml: releases.{line}" for line in self.toolchain.releases.without_effect()]
        there = self.workloads
        # With an organization alone, any account may be one.
        accounts = {*there.named_accounts, *there.leaving.accounts}
        component = there.component.without_effect(accounts=accounts, regions=there.reached_regions)
        told += [f"workloads.yaml: component.{line}" for line in component]
        told += [
            f"toolchain.yaml: releases.rings.{index}.match.tier has no effect: {ring.match['tier']} is no tier"
            for index, ring in enumerate(self.toolchain.releases.rings)
            if "tier" in ring.match and not filter_names(self.workloads.tiers, ring.match["tier"])
        ]
        for name, section in self.rooms.items():
            told += [f"{name}.yaml: {line}" for line in getattr(section, "without_effect", tuple)()]
        gates = getattr(self.rooms.get("gates"), "judges", ())
        if self.lake_permissions and "lake" not in self.rooms:
            told.append("lake-permissions.yaml: there is no lake.yaml: add it, or remove the file")
        else:
            lakes = {one.account for one in getattr(self.rooms.get("lake"), "environments", ())}
            named = sorted(set(getattr(self.lake_permissions, "accounts", ())) - lakes)
            told += [f"lake-permissions.yaml: principals of {one}: no lake is in that account" for one in named]
            told += getattr(self.rooms.get("lake"), "unclassed", list)()
        strays = [one for one in self.exceptions.exceptions if one.gate not in gates]
        return told + [f"exceptions.yaml: {one.fingerprint}: there is no gate {one.gate}: remove it" for one in strays]

    @model_validator(mode="after")
    def _fits(self) -> Configuration:
        """What of several files does not go together, told all at once, each with its file."""
        names = (self._chat, self._partitions, self._tiers, self._rooms, self._qualifiers, self._members, self._names)
        refuse(line for tell in names for line in tell())
        return self

    def _chat(self) -> Iterator[str]:
        partition = partition_of(self.toolchain.region)
        if self.toolchain.notifications.chat and partition != "aws":
            yield (
                f"toolchain.yaml: notifications.chat: there is no such service in partition {partition}: use `emails`"
            )

    def _partitions(self) -> Iterator[str]:
        home = partition_of(self.toolchain.region)
        strangers = [region for region in self.workloads.reached_regions if partition_of(region) != home]
        if strangers:
            yield (
                f"workloads.yaml: regions: {', '.join(strangers)} not in the toolchain's partition {home}: "
                "a factory works in one partition; use a second one there"
            )

    def _tiers(self) -> Iterator[str]:
        rings = [ring.name for ring in self.toolchain.releases.rings]
        for name, tier in self.workloads.tiers.items():
            if tier.ring and tier.ring not in rings:
                yield f"workloads.yaml: tiers.{name}.ring: {tier.ring} is no ring: use {', '.join(rings)}"

    def _rooms(self) -> Iterator[str]:
        """What a room says that does not go with the other files."""
        for name, section in self.rooms.items():
            if tell := getattr(section, "misfits", None):
                yield from (f"{name}.yaml: {line}" for line in tell(self.toolchain, self.workloads))

    def _qualifiers(self) -> Iterator[str]:
        if self.toolchain.bootstrap_qualifier == self.workloads.bootstrap_qualifier:
            yield (
                f"workloads.yaml: bootstrap_qualifier: {self.workloads.bootstrap_qualifier} is the toolchain's, whose "
                "roles trust a whole account and deploy as administrator: give each its own"
            )

    def _members(self) -> Iterator[str]:
        file = self.workloads.accounts_file
        if file and self.workloads.of_organization and self.toolchain.account in file.accounts:
            yield (
                f"workloads.yaml: accounts_file: names the toolchain's own account {self.toolchain.account}, which "
                "policies leave out that are bounded by an organization: take it out of the file"
            )

    def _names(self) -> Iterator[str]:
        """Of Regions in which names are too long only the first: a shorter prefix helps in all."""
        names, account = Names(prefix=self.toolchain.prefix), self.toolchain.account
        for region in (self.toolchain.region, *self.workloads.reached_regions):
            longest = names.access_logs_bucket(account, region)
            if len(longest) > BUCKET_NAME_LIMIT:
                yield (
                    f"toolchain.yaml: prefix: too long for Region {region}: bucket name {longest} would have "
                    f"{len(longest)} of {BUCKET_NAME_LIMIT} characters; use a shorter prefix"
                )
                return
