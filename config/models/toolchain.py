"""config/toolchain.yaml: the factory itself; what a room adds to it stands in that room's file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.models.landing_zone import Builds
from config.models.saas import Lifecycle, Provisioning, ReleasesModel
from config.models.types import (
    AccountId,
    Email,
    Model,
    PolicyName,
    Prefix,
    Qualifier,
    RegionId,
    Tags,
    Uuid,
    Word,
    each_once,
)

# Policies name what tenants' stacks bear by patterns like `silo-*-pipeline` and `<prefix>-silo-*`.
_WORDS_OF_TENANTS = {"silo", "pool"}


def _matches_no_tenants(prefix: str) -> str:
    words = prefix.split("-")
    if _WORDS_OF_TENANTS & {words[0], words[-1]}:
        raise ValueError(f"{prefix} begins or ends with silo or pool, as names of tenants do: choose another prefix")
    return prefix


ChannelName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Name of the configuration, after the prefix.")
]


def _no_detour(key: str) -> str:
    if {"", ".", ".."} & set(key.split("/")):
        raise ValueError("must be a plain path: no part of it is empty, `.` or `..`")
    return key


class S3Source(Model):
    """The source is a zip in a versioned bucket that the toolchain creates."""

    provider: Literal["s3"]
    object_key: Annotated[str, AfterValidator(_no_detour)] = Field(
        "source.zip", pattern=r"^[A-Za-z0-9._/-]+\.zip$", description="Key of the zip with the source."
    )


class CodeCommitSource(Model):
    """The source is a CodeCommit repository of the toolchain account."""

    provider: Literal["codecommit"]
    repository: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$", description="Name of a repository that exists.")
    branch: str = Field("main", min_length=1, description="Branch that is released.")


class ConnectedRepository(Model):
    """A repository on GitHub, GitLab or Bitbucket, through a CodeConnections connection."""

    provider: Literal["connection"]
    repository: str = Field(pattern=r"^[^/\s]+(/[^/\s]+)+$", description="owner/name on the provider.")
    connection_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/[0-9a-f-]+$",
        description="ARN of a connection whose handshake was finished in the console.",
    )


class ConnectionSource(ConnectedRepository):
    """The source is on GitHub, GitLab or Bitbucket, through a CodeConnections connection."""

    branch: str = Field("main", min_length=1, description="Branch that is released.")


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
    each_once(tuple(channel.name for channel in channels))
    return channels


ChatChannel = Annotated[SlackChannel | TeamsChannel, Field(discriminator="provider")]


class Notifications(Model):
    """Whom the factory tells of failures, and of releases that stop, complete or wait for an approval."""

    emails: Annotated[tuple[Email, ...], AfterValidator(each_once)] = Field(
        (), description="E-mail addresses; each confirms its subscription once."
    )
    chat: Annotated[tuple[ChatChannel, ...], AfterValidator(_names_differ)] = Field(
        (), max_length=20, description="Chat channels; each workspace or team is authorized once, in the console."
    )


class Ci(Model):
    """What CI/CD runs before it releases."""

    test_command: tuple[Word, ...] = Field(min_length=1, description="The test run, word by word; no shell reads it.")


class Toolchain(Model):
    """config/toolchain.yaml: the factory itself."""

    prefix: Annotated[Prefix, AfterValidator(_matches_no_tenants)] = Field(
        description="First part of every physical name: lower-case, at most 16 characters."
    )
    account: AccountId = Field(description="Toolchain account, 12 digits as a string.")
    region: RegionId = Field(description="The toolchain's Region.")
    bootstrap_qualifier: Qualifier = Field(
        "hnb659fds", description="Qualifier of the CDK bootstrap stacks that the factory itself is deployed with."
    )
    tags: Tags = Field({}, description="Tags of every stack and of what is in it; a row's own tags come first.")
    source: Annotated[S3Source | CodeCommitSource | ConnectionSource, Field(discriminator="provider")]
    notifications: Notifications = Notifications()
    ci: Ci
    builds: Builds = Field(Builds(), description="Where builds run, and where they get packages from.")
    permissions_boundary: PolicyName | None = Field(
        None, description="Policy of the toolchain's account that bounds every role of the factory there."
    )
    provisioning: Provisioning = Provisioning()
    releases: ReleasesModel = ReleasesModel()
    lifecycle: Lifecycle = Lifecycle()
