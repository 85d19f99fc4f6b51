"""What an assembly lists to be published, who has taken it on, and what a job does about it; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.clock import Stamp, since
from lambdas.common.cloud_assembly import STACK
from lambdas.common.partitions import partition_of
from lambdas.common.versioned_json import Text

# What the keys of claims begin with, in the releases table.
KEYS = "asset/"
# What a publishing build is told; who may start one may set these variables and no others.
BUILD_VARIABLES = ("PIPELINE_STACK", "CLI_VERSION")
# So many are claimed at once, for a transaction has no more; those of an assembly that lists more follow from it.
CLAIMS = 100
# So many are looked for within the minutes of a function, one after the other.
MOST = 2_000
# Whoever has claimed has begun the build by then, or has died.
HELD = timedelta(minutes=5)
_ROLE_FIELDS = 6
_NOT_PUBLISHED = "assets were not published"
_NAMED_BUILD = re.compile(rf"{_NOT_PUBLISHED}: build ([\w-]+:[\w-]+) ")


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One asset in one place: an object (`name` is its key) of a bucket, or an image (its tag) of a repository.

    `role` is the ARN with which it is published there.
    """

    image: bool
    region: str
    role: str
    holder: str
    name: str

    @property
    def account(self) -> str:
        return self.role.split(":")[4]

    @property
    def key(self) -> str:
        """What a claim of it is known by: what the asset is, by its hash, and where it is to be."""
        return f"{KEYS}{self.account}/{self.region}/{self.holder}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Who has taken an asset on: an execution of a pipeline, since when, and the build if it has begun."""

    by: str
    since: Stamp
    build: str = ""


@dataclass(frozen=True, kw_only=True)
class Waits(Text):
    """What a job tells the next one of its action: until when is waited, and for which build; `own` has begun it.

    `failed` is another one's build that was waited for, and failed.
    """

    until: Stamp
    build: str = ""
    own: bool = False
    failed: str = ""


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Somebody is at work; without a build, it is about to begin. `own`: it is this very execution."""

    build: str = ""
    own: bool = False


@dataclass(frozen=True, kw_only=True)
class Take:
    """Claim these, and begin a build; with `since` they were claimed then by this execution, which began none."""

    keys: Sequence[str]
    since: str = ""


def decide(
    missing: Iterable[Asset], claims: Mapping[str, Claim], *, by: str, running: Set[str], now: datetime
) -> Wait | Take:
    """Tell what an execution does that finds assets missing; `running` are the claims' builds that are not over.

    It begins no build while anybody is at work on any of them. A claim whose build is over is void: the build has
    failed, or the asset was there.
    """
    keys = sorted({asset.key for asset in missing})
    mine = ""
    for claim in (claims[key] for key in keys if key in claims):
        own = claim.by == by
        if claim.build and claim.build in running:
            return Wait(build=claim.build, own=own)
        if claim.build:
            continue
        if own:
            mine = max(mine, claim.since)
        elif since(claim.since, now) < HELD:
            return Wait()
    if mine:
        return Take(keys=[key for key in keys if key in claims and claims[key] == Claim(by=by, since=mine)], since=mine)
    return Take(keys=keys[:CLAIMS])


def not_published(why: str) -> str:
    """What a tenant is told; `why` begins with `build <id> `, if one has been waited for."""
    return f"{_NOT_PUBLISHED}: {why}"


def build_told(message: str) -> str:
    """The build that such a message names: no action of the pipeline has it as its own. Empty when it names none."""
    found = _NAMED_BUILD.search(message)
    return found[1] if found else ""


def listed(manifests: Mapping[str, Any], artifacts: Mapping[str, Any]) -> list[Asset]:
    """What lists of assets name, by their paths; `artifacts` are what the manifests of their folders list.

    A stack's template is left out: its stack is deployed from the artifact. That of a nested stack is not.
    https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.cloud_assembly_schema.AssetManifest.html

    Raises:
        ValueError: a list cannot be read; the text names it.
    """
    found: dict[str, Asset] = {}
    for path, manifest in manifests.items():
        try:
            templates = _templates(artifacts.get(path.rpartition("/")[0], {}))
            for image, section in ((False, "files"), (True, "dockerImages")):
                for asset in (manifest.get(section) or {}).values():
                    if asset["source"].get("path") in templates:
                        continue
                    places = [_asset(one, image=image) for one in asset["destinations"].values()]
                    found |= {one.key: one for one in places}
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is no list of assets: {type(error).__name__} {error}") from error
    return [found[key] for key in sorted(found)]


def _templates(artifacts: Mapping[str, Any]) -> set[str]:
    return {one["properties"]["templateFile"] for one in artifacts.values() if one["type"] == STACK}


def _asset(place: Mapping[str, str], *, image: bool) -> Asset:
    region = place["region"]
    role = place["assumeRoleArn"].replace("${AWS::Partition}", partition_of(region))
    if len(role.split(":")) != _ROLE_FIELDS:
        raise KeyError(role)
    holder, name = ("repositoryName", "imageTag") if image else ("bucketName", "objectKey")
    return Asset(image=image, region=region, role=role, holder=place[holder], name=place[name])
