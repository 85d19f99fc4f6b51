"""Who may start the release machine, or a build, and nothing else, changes nothing that others rely on."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.common.errors import NotReleasedError
from lambdas.common.revisions import release_key
from lambdas.common.versioned_json import plain
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import RunState
from lambdas.saas.store.builds import ProvisioningBuilds
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, wait_until
from local_cloud.factory.moving import current_release
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.permissions import credentials_of
from tests.local.saas.releasing import run_ended

_MACHINE = f"arn:aws:states:{HOME}:{TOOLCHAIN}:stateMachine:{NAMES.release_machine}"
_RELEASES = NAMES.releases_bucket(TOOLCHAIN, HOME)


def kept(factory: Factory) -> list[dict[str, Any]]:
    """What is kept of releases, and which run is in force."""
    items = factory.granary.client("dynamodb").scan(TableName=NAMES.releases_table, ConsistentRead=True)["Items"]
    return [item for item in items if item["id"]["S"] == "current" or item["id"]["S"].startswith("release/")]


def never_was(_: Release) -> Release:
    return Release(
        revision="never-was",
        key=release_key("never-was"),
        version_id="v",
        sha256="0" * 64,
        published_at="9999-01-01T00:00:00.000+00:00",
    )


def of_another_version(release: Release) -> Release:
    return replace(release, version_id="another-version")


@pytest.fixture(scope="module")
def released(factory: Factory) -> Release:
    """The release that is through."""

    def current() -> Release | None:
        with suppress(NotReleasedError):
            return current_release(factory.granary)
        return None

    return wait_until(current, seconds=PATIENCE_SECONDS, what="the first release to be through")


@pytest.mark.parametrize(
    ("forge", "why"), [(never_was, "is not in the releases bucket"), (of_another_version, "version another-version of")]
)
def test_a_run_of_what_was_not_published_is_refused(
    factory: Factory, released: Release, forge: Callable[[Release], Release], why: str
) -> None:
    """Given a start with a release that is none, then its run says so, and nothing of the real ones is overwritten."""
    release, before = forge(released), kept(factory)
    name = f"forged-{forge.__name__}"
    given = {"release": plain(release), "resumes": ""}
    states = factory.granary.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=_MACHINE, name=name, input=json.dumps(given))["executionArn"]
    run = run_ended(factory, name, RunState.STOPPED)
    assert run.reason.startswith(f"release {release.revision} is refused: ")
    assert why in run.reason
    assert kept(factory) == before
    factory.people_hear(release.revision, "is refused")

    def cause() -> str | None:
        return str(states.describe_execution(executionArn=execution).get("cause", "")) or None

    assert wait_until(cause, seconds=60, what="the end of the execution") == run.reason


def test_who_may_start_builds_cannot_choose_what_they_run(factory: Factory, released: Release) -> None:
    """Given the credentials of onboarding, then a build of a release starts, and one with commands of one's own not."""
    credentials = credentials_of(factory.granary, "ReconcilerOnboardRole")
    codebuild = factory.granary.cloud.client("codebuild", TOOLCHAIN, HOME, credentials)
    source = {
        "sourceTypeOverride": "S3",
        "sourceLocationOverride": f"{_RELEASES}/{released.key}",
        "sourceVersion": released.version_id,
    }
    commands = "version: 0.2\nphases: {build: {commands: ['aws sts get-caller-identity']}}"
    for overrides in (
        {"sourceTypeOverride": "NO_SOURCE", "buildspecOverride": commands},
        {**source, "buildspecOverride": commands},
        {**source, "sourceLocationOverride": f"{_RELEASES}/tenants/silo-acme/source.zip"},
        {**source, "serviceRoleOverride": f"arn:aws:iam::{TOOLCHAIN}:role/granary-tenant-synth"},
        {**source, "logsConfigOverride": {"cloudWatchLogs": {"status": "DISABLED"}}},
        {**source, "environmentVariablesOverride": [{"name": "PYTHONPATH", "value": "mine"}]},
    ):
        with pytest.raises(ClientError, match=r"AccessDenied.*codebuild:StartBuild"):
            codebuild.start_build(projectName=NAMES.provisioning_project, **overrides)
    builds = ProvisioningBuilds(client=codebuild, project=NAMES.provisioning_project, releases_bucket=_RELEASES)
    started = builds.start([], release=released, token="the-ordinary-build")
    assert factory.build_ended(started)["buildStatus"] == "SUCCEEDED"
