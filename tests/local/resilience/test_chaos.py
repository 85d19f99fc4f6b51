"""Experiments as a part of releases, on one factory: a canary that survives, one that does not, one that is stopped.

IAM is enforced; tasks are processes that really stop, and addresses and alarms are really asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.model.status import Outcome, Phase
from local_cloud.cloud import LocalCloud
from local_cloud.factory.granary import WORKLOAD, Granary, wait_until
from local_cloud.factory.inbox import listen_to_bus, subscribe_to_failures
from tests.local.resilience.scene import CANARY, CHAOS, CONFIGURATION, ENDED, EXPERIMENT, LAST, QUICK, STARTED, Scene
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.permissions import without
from tests.local.saas.releasing import ended

# A factory's set-up, two more commits, and three attempts.
pytestmark = pytest.mark.timeout(1500)


@dataclass(frozen=True, kw_only=True)
class Released:
    """A release that is over; `executions` had the canary's pipeline before it."""

    version: str
    run: Run


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A factory with the room on, and a tenant in each of two rings."""
    with LocalCloud.start(tmp_path_factory.mktemp("chaos")) as cloud:
        granary = Granary.build(cloud, overlay=CONFIGURATION)
        scene = Scene(
            factory=Factory(granary=granary, bus=listen_to_bus(granary), people=subscribe_to_failures(granary))
        )
        scene.factory.put(CANARY, LAST)
        scene.factory.released(granary.push("The first release"))
        scene.factory.active(CANARY, LAST)
        cloud.faults.set(QUICK)
        scene.bring_alarm(CANARY)
        yield scene


def test_nothing_is_injected_when_a_tenant_is_provisioned(scene: Scene) -> None:
    for row in (CANARY, LAST):
        assert scene.said(row) == (
            "Succeeded",
            f"no release waits for this execution: nothing is injected into {row.id}",
        )
    assert scene.experiments() == []


@pytest.fixture(scope="module")
def survived(scene: Scene) -> Released:
    """A release after which every tenant has two tasks."""
    version = scene.tasks(2)
    return Released(version=version, run=ended(scene.factory, version, RunState.SUCCEEDED))


def test_the_canary_survives_the_release(scene: Scene, survived: Released) -> None:
    status, said = scene.said(CANARY)
    assert (status, said) == (
        "Succeeded",
        f"PASS: {EXPERIMENT} on {CANARY.id}: its steady state held, by 2 probes (healthy, home)",
    )
    (experiment,) = scene.experiments()
    assert experiment["state"]["status"] == "completed"
    assert scene.stopped_by_fis() == 1
    assert experiment["tags"]["granary:deployment"] == CANARY.id


def test_its_verdict_has_what_was_seen_at_every_step(scene: Scene, survived: Released) -> None:
    (verdict,) = scene.verdicts(survived.version)
    predicate = verdict["predicate"]
    assert (predicate["outcome"], predicate["gate"], predicate["scope"]) == ("PASS", "chaos-canary", CANARY.id)
    seen = {(one["step"], one["probe"], one["outcome"]) for one in predicate["evidence"]}
    assert seen == {
        (step, probe, "PASS") for step in ("before", "during", "after", "undone") for probe in ("home", "healthy")
    }


def test_the_bus_is_told(scene: Scene, survived: Released) -> None:
    heard = wait_until(
        lambda: told if len(told := scene.told(survived.run)) == 2 else None, seconds=PATIENCE_SECONDS, what="events"
    )
    assert heard == [(ENDED, "PASS"), (STARTED, "")]


def test_a_ring_without_an_entry_passes_at_once(scene: Scene, survived: Released) -> None:
    assert scene.said(LAST) == ("Succeeded", f"ring general has no experiment: nothing is injected into {LAST.id}")
    assert scene.verdicts(survived.version, "general") == []


@pytest.mark.usefixtures("survived")
def test_the_command_line_tells_of_experiments(scene: Scene) -> None:
    cli = scene.factory.granary.cli
    assert EXPERIMENT in cli("chaos", "list").stdout
    assert json.loads(cli("chaos", "show", EXPERIMENT).stdout)["actions"]["stop"]["actionId"] == "aws:ecs:stop-task"
    (past,) = json.loads(cli("chaos", "history", CANARY.id, "--json").stdout)
    assert (past["outcome"], past["ring"], past["experiment"]) == ("PASS", "canary", EXPERIMENT)


@pytest.mark.usefixtures("survived")
def test_a_dry_run_tells_what_it_would_hit_and_hits_nothing(scene: Scene) -> None:
    before = scene.stopped_by_fis()
    done = scene.factory.granary.cli("chaos", "run", LAST.id, "--experiment", EXPERIMENT, "--dry-run")
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert f"DRY_RUN: {EXPERIMENT} on {LAST.id}: it would hit stop: arn:aws:ecs:" in done.stdout
    assert scene.stopped_by_fis() == before


@pytest.mark.parametrize(
    ("role", "action", "account"),
    [
        (CHAOS.runner_role, "sts:AssumeRole", ""),
        (CHAOS.room_role("resilience", "run"), "fis:StartExperiment", WORKLOAD),
        (CHAOS.room_role("resilience", "experiment"), "ecs:DescribeTasks", WORKLOAD),
    ],
)
@pytest.mark.usefixtures("survived")
def test_whoever_lacks_a_permission_is_named(scene: Scene, role: str, action: str, account: str) -> None:
    granary = scene.factory.granary
    with without(granary, role, action, **({"account": account} if account else {})):
        done = granary.cli("chaos", "run", LAST.id, "--experiment", EXPERIMENT, "--dry-run")
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert action in done.stdout
    assert scene.experiments()[0]["state"]["status"] in ("completed", "failed")


@pytest.fixture(scope="module")
def failed(scene: Scene, survived: Released) -> Released:
    """A release after which every tenant would have one task."""
    version = scene.tasks(1)
    return Released(version=version, run=ended(scene.factory, version, RunState.STOPPED))


def test_a_canary_that_does_not_survive_fails_in_its_ring(scene: Scene, survived: Released, failed: Released) -> None:
    status = scene.factory.granary.status(CANARY.id)
    assert status is not None
    assert (status.phase, status.revision_deployed) == (Phase.ACTIVE, survived.version)
    assert status.release_outcome == Outcome.ROLLED_BACK
    assert f"FAIL: {EXPERIMENT} on {CANARY.id}" in status.release_reason
    (verdict,) = scene.verdicts(failed.version)
    assert verdict["predicate"]["outcome"] == "FAIL"


def test_its_rollback_injects_nothing(scene: Scene, failed: Released) -> None:
    assert scene.said(CANARY, 1)[0] == "Failed"
    assert scene.said(CANARY) == ("Succeeded", f"the release takes {CANARY.id} back: nothing is injected")
    assert len([one for one in scene.experiments() if one["tags"]["granary:deployment"] == CANARY.id]) == 2
    last = scene.factory.granary.status(LAST.id)
    assert last is not None
    assert last.revision_deployed != failed.version


def test_who_stops_the_execution_stops_the_experiment(scene: Scene, failed: Released) -> None:
    granary = scene.factory.granary
    run = scene.resumed(failed.version, failed.run)
    wait_until(
        lambda: (STARTED, "") in scene.told(run) or None, seconds=PATIENCE_SECONDS, what="the experiment to begin"
    )
    execution = granary.executions(CANARY.pipeline)[0]["pipelineExecutionId"]
    granary.client("codepipeline").stop_pipeline_execution(
        pipelineName=CANARY.pipeline, pipelineExecutionId=execution, abandon=False, reason="a test"
    )
    ended(scene.factory, failed.version, RunState.STOPPED, not_run=failed.run.run)
    outcome = scene.verdicts(failed.version)[-1]["predicate"]
    assert (outcome["outcome"], "its execution is STOPPING" in outcome["reason"]) == ("ABORTED", True), outcome
    assert scene.experiments()[0]["state"]["status"] == "stopped"
