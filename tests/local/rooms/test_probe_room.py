"""A room comes, is used, fails a tenant, is rolled back there, and goes: on the README's factory, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.saas.model.runs import RunState
from lambdas.saas.model.status import Outcome, Phase
from local_cloud.factory.demo.saas.rows import POOL1, POOL2
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, Granary, wait_until
from local_cloud.factory.inbox import listen_to_bus, subscribe_to_failures
from stacks import rooms
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.probe_room.install import install

CALM, STORMY = POOL1, POOL2
ACTION = "probe-greet"
STACK = "granary-probe"
BUCKET = f"granary-probe-{TOOLCHAIN}-{HOME}"


@pytest.fixture(scope="module")
def factory(demoed: Granary) -> Iterator[Factory]:
    """The README's factory with two tenants of the demo, before there is a room; the room leaves nothing there."""
    yield Factory(granary=demoed, bus=listen_to_bus(demoed), people=subscribe_to_failures(demoed))
    s3 = demoed.client("s3")
    for kept in s3.list_object_versions(Bucket=BUCKET).get("Versions", ()):
        s3.delete_object(Bucket=BUCKET, Key=kept["Key"], VersionId=kept["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)


def _actions(granary: Granary, pipeline: str) -> dict[str, dict[str, Any]]:
    stages = granary.client("codepipeline").get_pipeline(name=pipeline)["pipeline"]["stages"]
    return {action["name"]: action for stage in stages for action in stage["actions"]}


def _stack(granary: Granary) -> str:
    """Status of the room's stack; empty when it is not there."""
    stacks = granary.client("cloudformation").describe_stacks()["Stacks"]
    return next((stack["StackStatus"] for stack in stacks if stack["StackName"] == STACK), "")


def _run_over(factory: Factory, version: str) -> Any:
    """The run of the release that a push led to, when it is over."""

    def over() -> Any:
        run = factory.granary.run(version)
        return run if run and run.state != RunState.RUNNING else None

    return wait_until(over, seconds=PATIENCE_SECONDS, what=f"the run of {version} to end")


def _push(factory: Factory, message: str) -> str:
    """Commit, push, and wait until CI/CD is through."""
    factory.granary.workspace.commit(message)
    version = factory.granary.push(message)
    factory.released(version)
    return version


def test_a_room_comes_is_used_is_rolled_back_and_goes(factory: Factory) -> None:
    granary, root = factory.granary, factory.granary.workspace.root
    before = granary.status(STORMY.id)
    assert before

    # The room is added, and fails one of the tenants: that one goes back to the revision without it.
    install(root)
    granary.workspace.replace("config/probe.yaml", "refuses: []", f"refuses: [{STORMY.id}]")
    run = _run_over(factory, _push(factory, "The probe comes"))
    assert _stack(granary) == "CREATE_COMPLETE"
    cicd = {a["actionName"]: a for a in _executed(granary, NAMES.cicd_pipeline)}
    assert {"probe-attest", "FileAssets", "Prepare", "Deploy"} <= set(cicd)
    # The execution began before the step was there; self-mutation restarted it with the step.
    assert "probe: weighed the source of granary" in _log(factory, cicd["probe-weigh"])
    assert "probe: inspected" in _log(factory, cicd["Synth"])
    assert "probe: attested" in _log(factory, cicd["probe-attest"])

    assert run.state == RunState.STOPPED
    (greeted,) = [a for a in _executed(granary, CALM.pipeline) if a["actionName"] == ACTION]
    said = greeted["output"]["executionResult"]["externalExecutionSummary"]
    assert said == f"good morning, {CALM.id} in {CALM.region}: run {run.run} in ring {CALM.ring}"
    stormy = factory.reaches(STORMY.id, Phase.ACTIVE)
    assert stormy.release_outcome == Outcome.ROLLED_BACK
    assert f"refused: good morning, {STORMY.id}" in stormy.release_reason
    assert stormy.revision_deployed == before.revision_deployed
    assert ACTION in _actions(granary, CALM.pipeline)
    assert ACTION not in _actions(granary, STORMY.pipeline)

    # It is of use now, and cannot be cleaned up.
    listed = json.loads(granary.cli("rooms", "--json").stdout)
    found = {room["room"]: (room["state"], len(room["stacks"])) for room in listed}
    assert found == {
        "saas": ("on", 0),
        "probe": ("on", 1),
        **{name: ("off", 0) for name in rooms.NAMES if name != "saas"},
    }
    assert "is on" in granary.cli("cleanup", "probe", "--yes").stderr
    assert granary.cli("probe", "greet").stdout == "good morning\n"

    # It is taken out: it costs releases nothing any more, and what is left is named, and refused while it is used.
    (root / "config" / "probe.yaml").unlink()
    assert f"CI/CD still deploys {STACK}" in granary.cli("cleanup", "probe", "--yes").stderr
    run = _run_over(factory, _push(factory, "The probe goes"))
    assert run.state == RunState.SUCCEEDED
    assert ACTION not in _actions(granary, CALM.pipeline)
    assert "left behind: `granary cleanup probe`" in granary.cli("rooms").stdout
    done = granary.cli("cleanup", "probe", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert [kept["type"] for kept in json.loads(done.stdout)["kept"]] == ["AWS::S3::Bucket"]
    assert _stack(granary) == ""
    assert granary.cli("cleanup", "probe", "--yes").returncode == 3
    assert BUCKET in [found["Name"] for found in granary.client("s3").list_buckets()["Buckets"]]


def _executed(granary: Granary, pipeline: str) -> list[dict[str, Any]]:
    """The actions of a pipeline's newest execution."""
    execution = granary.executions(pipeline)[0]["pipelineExecutionId"]
    pages = granary.client("codepipeline").get_paginator("list_action_executions")
    chosen = {"pipelineExecutionId": execution}
    return [
        detail
        for page in pages.paginate(pipelineName=pipeline, filter=chosen)
        for detail in page["actionExecutionDetails"]
    ]


def _log(factory: Factory, action: dict[str, Any]) -> str:
    return factory.log(action["output"]["executionResult"]["externalExecutionId"])
