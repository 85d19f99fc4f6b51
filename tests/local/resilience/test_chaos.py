"""Experiments as a part of releases, on one factory: a canary fails, is stopped, and survives.

IAM is enforced; tasks are processes that really stop, and addresses and alarms are really asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lambdas.saas.model.runs import RunState
from lambdas.saas.model.status import Outcome, Phase
from local_cloud.cloud import LocalCloud
from local_cloud.factory.chaos import CANARY, CONFIGURATION, ENDED, EXPERIMENT, LAST, QUICK, STARTED
from local_cloud.factory.granary import TOOLCHAIN, WORKLOAD, Granary
from local_cloud.factory.inbox import listen_to_bus, subscribe_to_failures
from tests.local.resilience.scene import CHAOS, Released, Scene
from tests.local.saas.factory import Factory
from tests.local.saas.permissions import without
from tests.local.saas.releasing import run_ended

# A factory's set-up, one more commit, and three attempts, with the other tests on the local cloud beside it.
pytestmark = pytest.mark.timeout(1500)

RUN, ROLE = CHAOS.room_role("resilience", "run"), CHAOS.room_role("resilience", "experiment")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A factory with the room on, and a tenant in each of two rings."""
    with LocalCloud.start(tmp_path_factory.mktemp("chaos")) as cloud:
        granary = Granary.build(cloud, overlay=CONFIGURATION)
        factory = Factory(granary=granary, bus=listen_to_bus(granary), people=subscribe_to_failures(granary))
        factory.put(CANARY, LAST)
        factory.released(granary.push("The first release"))
        factory.active(CANARY, LAST)
        cloud.faults.set(QUICK)
        scene = Scene(granary=granary, factory=factory)
        scene.bring_alarm(CANARY)
        yield scene


def test_nothing_is_injected_when_a_tenant_is_provisioned(scene: Scene) -> None:
    for row in (CANARY, LAST):
        why = f"no release waits for this execution: nothing is injected into {row.id}"
        assert scene.said(row) == ("Succeeded", why)
    assert scene.experiments() == []


def dry_run(scene: Scene) -> tuple[int, str]:
    """Exit code and answer of a dry run."""
    done = scene.granary.cli("chaos", "run", LAST.id, "--experiment", EXPERIMENT, "--dry-run", "--json")
    return done.returncode, json.loads(done.stdout)["said"] if done.stdout else done.stderr


def test_a_dry_run_says_what_it_would_hit_and_hits_nothing(scene: Scene) -> None:
    before = scene.stopped_by_fis()
    code, said = dry_run(scene)
    assert (code, said.partition(f":{WORKLOAD}:")[0]) == (
        0,
        f"DRY_RUN: {EXPERIMENT} on {LAST.id}: it would hit stop: arn:aws:ecs:{LAST.region}",
    )
    assert scene.stopped_by_fis() == before


@pytest.mark.parametrize(
    ("role", "action", "account", "words"),
    [
        (CHAOS.runner_role, "sts:AssumeRole", TOOLCHAIN, f"{RUN} cannot be assumed: the administrator of"),
        (CHAOS.runner_role, "lambda:InvokeFunction", TOOLCHAIN, "lambda:InvokeFunction"),
        (RUN, "fis:StartExperiment", WORKLOAD, "FIS refuses the experiment"),
        (RUN, "iam:PassRole", WORKLOAD, "FIS refuses the experiment"),
        (ROLE, "ecs:ListTasks", WORKLOAD, "the experiment failed"),
    ],
)
def test_what_a_role_lacks_is_said(scene: Scene, role: str, action: str, account: str, words: str) -> None:
    """Given a role without one permission, then an attempt says so, and leaves nothing behind."""
    with without(scene.granary, role, action, account=account):
        code, said = dry_run(scene)
    # Whoever may still be injecting holds the tenant for ten minutes, unless a person sees that nobody does.
    scene.forget(LAST)
    assert code == 1, said
    assert words in said
    assert action in said or role == CHAOS.runner_role
    assert scene.client("fis").list_experiment_templates()["experimentTemplates"] == []


@pytest.fixture(scope="module")
def failed(scene: Scene) -> Released:
    """A release, while every tenant has one task."""
    return scene.released()


def test_a_canary_that_does_not_survive_is_rolled_back(scene: Scene, failed: Released) -> None:
    status, last = (scene.granary.status(row.id) for row in (CANARY, LAST))
    assert status is not None
    assert last is not None
    assert (status.phase, status.release_outcome) == (Phase.ACTIVE, Outcome.ROLLED_BACK)
    assert status.revision_deployed == last.revision_deployed != failed.version
    for words in (f"FAIL: {EXPERIMENT} on {CANARY.id}: ", "home during: ", "and 100 % is asked for"):
        assert words in status.release_reason
    assert [one["outcome"] for one in scene.verdicts(failed.version)] == ["FAIL"]
    scene.hears(failed.run, (STARTED, ""), (ENDED, "FAIL"))


@pytest.mark.usefixtures("failed")
def test_its_rollbacks_inject_nothing(scene: Scene) -> None:
    assert scene.said(CANARY, before=2)[0] == "Failed"
    by_itself, by_the_release = (scene.said(CANARY, before=before) for before in (1, 0))
    assert by_itself == ("Succeeded", f"CodePipeline rolls {CANARY.id} back: nothing is injected")
    assert by_the_release == ("Succeeded", f"the release takes {CANARY.id} back: nothing is injected")
    assert scene.stopped_by_fis() == 1


@pytest.fixture(scope="module")
def stopped(scene: Scene, failed: Released) -> Released:
    """The release, resumed; while the experiment runs, somebody stops the execution.

    CodePipeline waits for the action, which the event of the stop ends.
    """
    run = scene.resumed(failed)
    scene.hears(run, (STARTED, ""))
    execution = scene.granary.executions(CANARY.pipeline)[0]["pipelineExecutionId"]
    scene.granary.client("codepipeline").stop_pipeline_execution(
        pipelineName=CANARY.pipeline, pipelineExecutionId=execution, abandon=False, reason="a test"
    )
    return Released(version=failed.version, run=run_ended(scene.factory, run.run, RunState.STOPPED))


def test_an_execution_that_is_stopped_stops_its_experiment(scene: Scene, stopped: Released) -> None:
    *_, verdict = scene.verdicts(stopped.version)
    assert (verdict["outcome"], verdict["reason"]) == ("ABORTED", "its execution is STOPPING")
    assert scene.experiments()[0]["state"]["status"] == "stopped"
    scene.hears(stopped.run, (STARTED, ""), (ENDED, "ABORTED"))


@pytest.fixture(scope="module")
def survived(scene: Scene, stopped: Released) -> Released:
    """The release, resumed when the canary has two tasks."""
    scene.give_tasks(CANARY, 2)
    run = scene.resumed(stopped)
    return Released(version=stopped.version, run=run_ended(scene.factory, run.run, RunState.SUCCEEDED))


@pytest.mark.usefixtures("survived")
def test_a_canary_whose_task_is_stopped_goes_on(scene: Scene) -> None:
    held = "its steady state held, by 2 probes (healthy, home)"
    assert scene.said(CANARY) == ("Succeeded", f"PASS: {EXPERIMENT} on {CANARY.id}: {held}")
    experiment = scene.experiments()[0]
    assert (experiment["state"]["status"], experiment["tags"]["granary:deployment"]) == ("completed", CANARY.id)
    assert scene.client("fis").list_experiment_templates()["experimentTemplates"] == []


def test_its_verdict_has_what_was_seen_at_each_step(scene: Scene, survived: Released) -> None:
    *_, verdict = scene.verdicts(survived.version)
    assert (verdict["outcome"], verdict["gate"], verdict["scope"]) == ("PASS", "chaos-canary", CANARY.id)
    steps, probes = ("before", "during", "after", "undone"), ("home", "healthy")
    assert sorted((one["step"], one["probe"], one["outcome"]) for one in verdict["evidence"]) == sorted(
        (step, probe, "PASS") for step in steps for probe in probes
    )


def test_the_bus_tells_of_it(scene: Scene, survived: Released) -> None:
    scene.hears(survived.run, (STARTED, ""), (ENDED, "PASS"))


def test_a_ring_without_an_entry_passes_at_once(scene: Scene, survived: Released) -> None:
    assert scene.said(LAST) == ("Succeeded", f"ring general has no experiment: nothing is injected into {LAST.id}")
    assert scene.verdicts(survived.version, "general") == []


@pytest.mark.usefixtures("survived")
def test_the_command_line_lists_shows_and_remembers(scene: Scene) -> None:
    assert EXPERIMENT in scene.granary.cli("chaos", "list").stdout
    shown = json.loads(scene.granary.cli("chaos", "show", EXPERIMENT).stdout)
    assert shown["actions"]["stop"]["actionId"] == "aws:ecs:stop-task"
    past = json.loads(scene.granary.cli("chaos", "history", CANARY.id, "--json").stdout)
    assert [one["outcome"] for one in past] == ["PASS", "ABORTED", "FAIL"]
    assert {(one["ring"], one["experiment"]) for one in past} == {("canary", EXPERIMENT)}
