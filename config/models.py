"""The configuration's shape: frozen models, one a file of `config/`; unknown keys are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from lambdas.common.names import BUCKET_NAME_LIMIT, Names
from lambdas.common.partitions import partition_of

# Each account is one statement resource in policies of at most 10,240 characters.
ACCOUNTS_LIMIT = 50

AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$", strict=True)]
RegionId = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$", strict=True)]
Prefix = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=16, strict=True)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", strict=True)]


class Model(BaseModel):
    """Base of every part of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class S3Source(Model):
    """The source is a zip in a versioned bucket that the toolchain creates."""

    provider: Literal["s3"]
    object_key: str = Field("source.zip", pattern=r"^[A-Za-z0-9._/-]+\.zip$", description="Key of the zip with the source.")


class CodeCommitSource(Model):
    """The source is a CodeCommit repository of the toolchain account."""

    provider: Literal["codecommit"]
    repository: str = Field(pattern=r"^[\w.-]{1,100}$", description="Name of a repository that exists.")
    branch: str = Field("main", min_length=1, description="Branch that is released.")


class ConnectionSource(Model):
    """The source is on GitHub, GitLab or Bitbucket, through a CodeConnections connection."""

    provider: Literal["connection"]
    repository: str = Field(pattern=r"^[^/\s]+(/[^/\s]+)+$", description="owner/name on the provider.")
    branch: str = Field("main", min_length=1, description="Branch that is released.")
    connection_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[0-9a-f-]+$",
        description="ARN of a connection whose handshake was finished in the console.",
    )


class Notifications(Model):
    """Whom the factory tells of failures."""

    emails: tuple[Email, ...] = Field((), description="E-mail addresses; each confirms its subscription once.")


class Ci(Model):
    """What CI/CD runs before it releases."""

    test_command: tuple[str, ...] = Field(min_length=1, description="The test run, word by word; no shell reads it.")


class Provisioning(Model):
    """How provisioning builds work."""

    max_ids_per_build: int = Field(50, ge=1, le=100, description="Deployments that one build takes.")
    deploy_concurrency: int = Field(4, ge=1, le=16, description="Pipeline stacks that one build deploys at a time.")
    sweep_minutes: int = Field(5, ge=1, le=60, description="Minutes between two rounds of the reconciliation sweep.")


class Toolchain(Model):
    """config/toolchain.yaml: the factory itself."""

    prefix: Prefix = Field(description="First part of every physical name: lower-case, at most 16 characters.")
    account: AccountId = Field(description="Toolchain account, 12 digits as a string.")
    region: RegionId = Field(description="The toolchain's Region.")
    bootstrap_qualifier: str = Field("hnb659fds", pattern=r"^[a-z0-9]{1,10}$", description="CDK bootstrap qualifier.")
    source: Annotated[S3Source | CodeCommitSource | ConnectionSource, Field(discriminator="provider")]
    notifications: Notifications = Notifications()
    ci: Ci
    provisioning: Provisioning = Provisioning()

    @model_validator(mode="after")
    def _names_fit(self) -> Toolchain:
        longest = Names(prefix=self.prefix).access_logs_bucket(self.account, self.region)
        if len(longest) > BUCKET_NAME_LIMIT:
            raise ValueError(f"prefix is too long: bucket name {longest} has {len(longest)} of {BUCKET_NAME_LIMIT} characters")
        return self


class Component(Model):
    """The demo component of every tenant."""

    kind: Literal["container_service", "task_definition"] = Field(
        description="container_service: ECS Express Mode; task_definition: its part that a local cloud can deploy."
    )
    image: str = Field(pattern=r"^[^\s:]+(/[^\s:]+)*:[\w.-]+(@sha256:[0-9a-f]{64})?$", description="Image with a tag; never latest.")
    port: int = Field(80, ge=1, le=65535, description="Port that the container listens on.")

    @model_validator(mode="after")
    def _image_is_pinned(self) -> Component:
        if self.image.endswith(":latest"):
            raise ValueError("image must name a version: `latest` changes what a release deploys")
        return self


class Workloads(Model):
    """config/workloads.yaml: where tenants' components may go."""

    accounts: tuple[AccountId, ...] = Field((), max_length=ACCOUNTS_LIMIT, description="Accounts that rows may name.")
    organization_id: str | None = Field(
        None, pattern=r"^o-[a-z0-9]{10,32}$", description="Instead of accounts: any account of this organization."
    )
    regions: tuple[RegionId, ...] = Field(min_length=1, description="Regions that rows may name.")
    component: Component

    @model_validator(mode="after")
    def _accounts_or_organization(self) -> Workloads:
        if bool(self.accounts) == bool(self.organization_id):
            raise ValueError("give either accounts or organization_id")
        for name, values in (("accounts", self.accounts), ("regions", self.regions)):
            if len(set(values)) != len(values):
                raise ValueError(f"{name} has an entry twice")
        return self


class Configuration(Model):
    """All of `config/`."""

    toolchain: Toolchain
    workloads: Workloads

    @model_validator(mode="after")
    def _one_partition(self) -> Configuration:
        home = partition_of(self.toolchain.region)
        strangers = [region for region in self.workloads.regions if partition_of(region) != home]
        if strangers:
            raise ValueError(
                f"workloads.regions: {', '.join(strangers)} not in the toolchain's partition {home}: "
                "a factory works in one partition; use a second one there"
            )
        return self
