"""The configuration's shape: frozen models, one a file of `config/`; unknown keys are refused."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator

from lambdas.common.names import BUCKET_NAME_LIMIT, Names
from lambdas.common.partitions import partition_of

# Each account is one statement resource in policies of at most 10,240 characters.
ACCOUNTS_LIMIT = 50

Entry = TypeVar("Entry", bound=Hashable)


def _each_once(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    if repeated := sorted({str(entry) for entry in entries if entries.count(entry) > 1}):
        raise ValueError(f"names {', '.join(repeated)} more than once")
    return entries


def _pinned(image: str) -> str:
    if image.endswith(":latest"):
        raise ValueError("must name a version: `latest` changes what a release deploys")
    return image


AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
RegionId = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$")]
Prefix = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=16)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Image = Annotated[
    str,
    Field(pattern=r"^[^\s:]+(/[^\s:]+)*:[A-Za-z0-9_.-]+(@sha256:[0-9a-f]{64})?$"),
    AfterValidator(_pinned),
]
# YAML 1.1 reads an unquoted `off` as false.
QuotaCheckWord = Annotated[
    Literal["enforce", "warn", "off"], BeforeValidator(lambda value: "off" if value is False else value)
]
Word = Annotated[str, Field(min_length=1)]
ChannelName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Name of the configuration, after the prefix.")
]
Uuid = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
Integer = Annotated[int, Strict()]  # neither YAML's `yes` nor "80" is meant as a number
Accounts = Annotated[tuple[AccountId, ...], Field(max_length=ACCOUNTS_LIMIT), AfterValidator(_each_once)]
Regions = Annotated[tuple[RegionId, ...], Field(min_length=1), AfterValidator(_each_once)]


class Model(BaseModel):
    """Base of every part of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class S3Source(Model):
    """The source is a zip in a versioned bucket that the toolchain creates."""

    provider: Literal["s3"]
    object_key: str = Field(
        "source.zip", pattern=r"^[A-Za-z0-9._/-]+\.zip$", description="Key of the zip with the source."
    )


class CodeCommitSource(Model):
    """The source is a CodeCommit repository of the toolchain account."""

    provider: Literal["codecommit"]
    repository: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$", description="Name of a repository that exists.")
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


class SlackChannel(Model):
    """A Slack channel, through Amazon Q Developer in chat applications."""

    provider: Literal["slack"]
    name: ChannelName
    workspace_id: str = Field(pattern=r"^[0-9A-Z]{1,255}$", description="Workspace that was authorized in the console.")
    channel_id: str = Field(pattern=r"^[A-Za-z0-9]{1,255}$", description="Channel: the end of its link.")


class TeamsChannel(Model):
    """A Microsoft Teams channel, through Amazon Q Developer in chat applications."""

    provider: Literal["teams"]
    name: ChannelName
    team_id: Uuid = Field(description="Team that was authorized in the console (groupId of the channel's link).")
    tenant_id: Uuid = Field(description="Tenant of Microsoft Entra (tenantId of the channel's link).")
    channel_id: str = Field(
        pattern=r"^[A-Za-z0-9_=+/.,-]*%3[aA][A-Za-z0-9_=+/.,-]*%40[A-Za-z0-9_=+/.,-]*$",
        description="Channel as its link has it, with %3a and %40: 19%3a...%40thread.tacv2.",
    )


def _names_differ(channels: tuple[SlackChannel | TeamsChannel, ...]) -> tuple[SlackChannel | TeamsChannel, ...]:
    _each_once(tuple(channel.name for channel in channels))
    return channels


ChatChannel = Annotated[SlackChannel | TeamsChannel, Field(discriminator="provider")]


class Notifications(Model):
    """Whom the factory tells of failures, and of releases that stop, complete or wait for an approval."""

    emails: tuple[Email, ...] = Field((), description="E-mail addresses; each confirms its subscription once.")
    chat: Annotated[tuple[ChatChannel, ...], AfterValidator(_names_differ)] = Field(
        (), max_length=20, description="Chat channels; each workspace or team is authorized once, in the console."
    )


class Ci(Model):
    """What CI/CD runs before it releases."""

    test_command: tuple[Word, ...] = Field(min_length=1, description="The test run, word by word; no shell reads it.")


class Provisioning(Model):
    """How provisioning builds work."""

    max_ids_per_build: Integer = Field(50, ge=1, le=100, description="Deployments that one build takes.")
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
    tombstone_days: Integer = Field(
        90, ge=1, le=3650, description="Days for which the status of a retired deployment is kept."
    )


class RingModel(Model):
    """One ring of a release."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32, description="What rows call it.")
    percent: Integer = Field(0, ge=0, le=100, description="Share of the deployments; the last ring gets the rest.")
    minimum: Integer = Field(0, ge=0, le=10_000, description="Deployments that it gets at least, if there are enough.")
    bake_minutes: Integer = Field(0, ge=0, le=10_080, description="Minutes for which it bakes before the next ring.")
    max_failures: Integer = Field(0, ge=0, le=10_000, description="Deployments that may fail.")
    max_failure_percent: Integer = Field(0, ge=0, le=100, description="The same in percent; the larger one counts.")
    concurrency: Integer = Field(0, ge=0, le=1_000, description="Pipelines at a time; 0 is the release's own.")
    approval: bool = Field(False, strict=True, description="Whether a person has to agree before it begins.")
    alarms: tuple[Word, ...] = Field(
        (), max_length=20, description="CloudWatch alarms that must be OK after the bake time, and not in ALARM in it."
    )


def _rings_differ(rings: tuple[RingModel, ...]) -> tuple[RingModel, ...]:
    _each_once(tuple(ring.name for ring in rings))
    return rings


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
    releases: ReleasesModel = ReleasesModel()
    lifecycle: Lifecycle = Lifecycle()


class Component(Model):
    """The demo component of every tenant."""

    kind: Literal["container_service", "task_definition"] = Field(
        description="container_service: ECS Express Mode; task_definition: what a local cloud can deploy of it."
    )
    image: Image = Field(description="Image with a tag; never latest.")
    port: Integer = Field(80, ge=1, le=65535, description="Port that the container listens on.")


class Workloads(Model):
    """config/workloads.yaml: where tenants' components may go."""

    accounts: Accounts = Field((), description="Accounts that rows may name.")
    organization_id: str | None = Field(
        None,
        pattern=r"^o-[a-z0-9]{10,32}$",
        description="Instead of accounts: any account of this organization.",
    )
    regions: Regions = Field(description="Regions that rows may name.")
    component: Component

    @model_validator(mode="after")
    def _accounts_or_organization(self) -> Workloads:
        if bool(self.accounts) == bool(self.organization_id):
            raise ValueError("give either accounts or organization_id")
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

    @model_validator(mode="after")
    def _names_fit(self) -> Configuration:
        names, account = Names(prefix=self.toolchain.prefix), self.toolchain.account
        for region in (self.toolchain.region, *self.workloads.regions):
            longest = names.access_logs_bucket(account, region)
            if len(longest) > BUCKET_NAME_LIMIT:
                raise ValueError(
                    f"toolchain.prefix: too long for Region {region}: bucket name {longest} would have "
                    f"{len(longest)} of {BUCKET_NAME_LIMIT} characters; use a shorter prefix"
                )
        return self
