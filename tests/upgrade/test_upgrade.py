"""A factory that was deployed from an earlier revision, with a tenant in it, is brought to today's by a push.

There is no way back over this bridge: sources of then deploy with roles that tenants' builds have no longer.
The local cloud is today's, the source is then's. A clone without that revision has nothing to upgrade from: skipped.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lambdas.saas.model.contract import CONTRACT
from lambdas.saas.model.runs import RunState
from lambdas.saas.model.status import Outcome, Phase, Status
from local_cloud.cloud import PROJECT_ROOT, LocalCloud
from local_cloud.factory.granary import REGIONS, TOOLCHAIN, WORKLOAD, Granary, Row
from local_cloud.factory.inbox import listen_to_bus, subscribe_to_failures
from local_cloud.factory.workspace import OVERLAY, Workspace
from local_cloud.factory.zone import parameter
from tests.local.saas.factory import Factory
from tests.local.saas.releasing import ended

# Its projects hold their commands, and its releases name no contract.
BEFORE = "d142659"
_CHANGELOG = PROJECT_ROOT / "CHANGELOG.md"
_RECORD_THEN = "tests/unit/lambdas/common/test_record.py"

TENANT = Row(id="acme", type="silo", region="us-east-1", ring="canary")
LARGE = replace(TENANT, size="large")
# What a broken commit adds to the component, and somebody has made by hand.
OBSTACLE = "/acme/obstacle"
# The component that there was then.
_COMPONENT_THEN = {"kind": "task_definition", "image": "public.ecr.aws/nginx/nginx:1.29.3", "port": 80}


def _overlay(*, then: bool) -> dict[str, dict[str, Any]]:
    """The local cloud's configuration; the sweep comes rarely, and CI runs a test that there is."""
    toolchain = OVERLAY["toolchain"]
    provisioning = {**toolchain["provisioning"], "sweep_minutes": 60}
    *before, test, last, option, value = toolchain["ci"]["test_command"]
    command = [*before, _RECORD_THEN if then else test, last, option, value]
    workloads = {"component": _COMPONENT_THEN} if then else OVERLAY["workloads"]
    return {
        "toolchain": {**toolchain, "provisioning": provisioning, "ci": {"test_command": command}},
        "workloads": workloads,
    }


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    """A factory deployed from the earlier revision."""
    known = subprocess.run(["git", "cat-file", "-e", f"{BEFORE}^{{commit}}"], cwd=PROJECT_ROOT, check=False)
    if known.returncode:
        pytest.skip(f"this clone has no revision {BEFORE} to upgrade from: fetch the history (git fetch --unshallow)")
    folder = tmp_path_factory.mktemp("upgrade")
    with LocalCloud.start(folder / "cloud") as cloud:
        workspace = Workspace.create(folder / "workspace", overlay=_overlay(then=True), revision=BEFORE)
        granary = Granary(cloud, workspace)
        _bootstrap_as_then(granary)
        granary.deploy()
        yield Factory(granary=granary, bus=listen_to_bus(granary), people=subscribe_to_failures(granary))


@pytest.fixture(scope="module")
def first(factory: Factory) -> str:
    """The release of then, with a tenant at it; answers its revision."""
    version = factory.granary.push("Then")
    factory.released(version)
    ended(factory, version, RunState.SUCCEEDED)
    factory.put(TENANT)
    assert factory.active(TENANT)[TENANT.id].revision_deployed == version
    return version


@pytest.fixture(scope="module")
def second(factory: Factory, first: str) -> str:
    """Today's source, which fails at the tenant; answers its revision.

    Before that the workload account is brought to date, as the changelog says.
    """
    statement = json.loads(_CHANGELOG.read_text(encoding="utf-8").partition("```json")[2].partition("```")[0])
    factory.granary.workspace.fill(overlay=_overlay(then=False))
    factory.granary.bootstrap_workload(WORKLOAD, *REGIONS)
    factory.granary.extend_execution_policy(statement["Action"], resources=statement["Resource"])
    _obstacle(factory).put_parameter(Name=OBSTACLE, Type="String", Value="made by hand")
    factory.granary.extend_execution_policy(
        ["ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:GetParameters", "ssm:PutParameter"],
        resources=[f"arn:*:ssm:*:*:parameter{OBSTACLE}"],
    )
    obstacle = parameter("Obstacle", name=f'"{OBSTACLE}"', value='"made by the component"')
    factory.granary.workspace.add_to_components(obstacle)
    factory.granary.workspace.commit("Today")
    version = factory.granary.push("Today")
    factory.released(version)
    ended(factory, version, RunState.STOPPED)
    return version


def _bootstrap_as_then(granary: Granary) -> None:
    """As the README of then said: the workload account trusts the toolchain account."""
    policy = granary.publish_execution_policy(WORKLOAD)
    granary.cloud.bootstrap(TOOLCHAIN, *REGIONS)
    granary.cloud.bootstrap(WORKLOAD, *REGIONS, trust=[TOOLCHAIN], execution_policies=[policy])


def _obstacle(factory: Factory) -> Any:
    return factory.granary.client("ssm", account=WORKLOAD, region=TENANT.region)


def _status(factory: Factory) -> Status:
    status = factory.granary.status(TENANT.id)
    assert status
    return status


def test_ci_cd_of_then_deploys_and_releases_todays_source(factory: Factory, second: str) -> None:
    release = factory.granary.runs.release(second)
    assert release
    assert release.contract == CONTRACT


@pytest.mark.usefixtures("second")
def test_a_release_that_fails_is_not_rolled_back_to_the_source_of_then(factory: Factory, first: str) -> None:
    """Given a tenant at which today's release failed, then it is left as it is, and why is told."""
    status = _status(factory)
    assert (status.phase, status.revision_deployed, status.release_outcome) == (
        Phase.FAILED,
        first,
        Outcome.ROLLBACK_FAILED,
    )
    assert f"it could not be rolled back: release {first} needs contract 0, which" in status.release_reason


@pytest.mark.usefixtures("second")
def test_a_changed_row_waits_for_todays_release(factory: Factory, first: str) -> None:
    """The functions are today's by now, and the release that builds would run is of then."""
    factory.put(LARGE)
    factory.reaches(TENANT.id, Phase.PENDING, reason=f"release {first} needs contract 0, which")


def test_the_release_reaches_the_tenant_when_the_cause_is_gone(factory: Factory, second: str) -> None:
    """Given a row that waits, when the release is through, then it is applied from that, and the tenant is there."""
    stopped = ended(factory, second, RunState.STOPPED)
    _obstacle(factory).delete_parameter(Name=OBSTACLE)
    done = factory.granary.cli("resume", "--no-follow")
    assert done.returncode == 0, done.stderr
    ended(factory, second, RunState.SUCCEEDED, not_run=stopped.run)
    assert factory.active(LARGE)[TENANT.id].revision_deployed == second


def test_a_changed_row_is_applied_from_todays_release(factory: Factory, second: str) -> None:
    factory.put(TENANT)
    factory.leaves(TENANT.id, Phase.ACTIVE)
    assert factory.active(TENANT)[TENANT.id].revision_deployed == second


def test_a_later_release_that_fails_is_rolled_back_to_todays(factory: Factory, second: str) -> None:
    obstacle = f"{OBSTACLE}-again"
    _obstacle(factory).put_parameter(Name=obstacle, Type="String", Value="made by hand")
    factory.granary.workspace.replace("component/__init__.py", f'"{OBSTACLE}"', f'"{obstacle}"')
    factory.granary.workspace.commit("Tomorrow")
    version = factory.granary.push("Tomorrow")
    factory.released(version)
    ended(factory, version, RunState.STOPPED)
    status = _status(factory)
    assert (status.phase, status.revision_deployed, status.release_outcome) == (
        Phase.ACTIVE,
        second,
        Outcome.ROLLED_BACK,
    )


def test_what_was_deployed_by_the_roles_of_then_is_deleted_by_todays(factory: Factory) -> None:
    done = factory.granary.cli("retire", "--yes", TENANT.id)
    assert done.returncode == 0, done.stderr
    status = factory.reaches(TENANT.id, Phase.RETIRED)
    assert status.warnings == ()
    assert factory.stack(TENANT.pipeline) is None
