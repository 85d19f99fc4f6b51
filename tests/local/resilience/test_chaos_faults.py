"""What goes wrong with experiments of a release: each time it is resumed, the line stops, and nothing is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from local_cloud.factory.chaos import CANARY, ENDED, LAST, STARTED
from local_cloud.factory.granary import NAMES, TOOLCHAIN, WORKLOAD
from tests.local.first_factory import Reader
from tests.local.resilience.scene import CHAOS, RUNBOOK, Released, Scene
from tests.local.saas.permissions import without
from tests.unit.docs.markdown import blocks

_PLACEHOLDER = "01234567-0000-4000-8000-000000000000"


@pytest.fixture(scope="module", autouse=True)
def sturdy(scene: Scene, failed: Released) -> None:
    """The canary bears it that one of its tasks is stopped."""
    assert failed
    scene.give_tasks(CANARY, 2)


@pytest.fixture
def slow(scene: Scene) -> Iterator[None]:
    """Experiments that last until somebody stops them."""
    with scene.faults_last():
        yield


def nothing_is_left(scene: Scene) -> None:
    scene.free(CANARY)
    assert {one["state"]["status"] for one in scene.experiments()} <= {"cancelled", "completed", "failed", "stopped"}
    assert scene.templates() == []


@pytest.mark.usefixtures("slow")
def test_an_execution_that_is_stopped_stops_its_experiment(scene: Scene, failed: Released) -> None:
    """Given the release, resumed, when somebody stops the execution: CodePipeline waits for the action, which ends."""
    run = scene.resumed()
    scene.hears(run, (STARTED, ""))
    scene.stop(CANARY, abandon=False)
    scene.over(run)
    verdict = scene.last_verdict(failed)
    assert (verdict["outcome"], verdict["reason"]) == ("ABORTED", "its execution is STOPPING")
    assert scene.experiments()[0]["state"]["status"] == "stopped"
    scene.hears(run, (STARTED, ""), (ENDED, "ABORTED"))
    nothing_is_left(scene)


@pytest.mark.usefixtures("slow")
def test_an_abandoned_execution_stops_its_experiment(scene: Scene, failed: Released, reader: Reader) -> None:
    """Given an attempt that has gone on by tokens for longer than a function may run: a person follows the runbook."""
    run = scene.resumed()
    scene.hears(run, (STARTED, ""))
    scene.time_passes(CANARY, minutes=16)
    scene.goes_on(CANARY)
    (stop,) = [one for one in blocks(RUNBOOK, "bash") if "stop-pipeline-execution" in one.text]
    assert _PLACEHOLDER in stop.text
    reader.follow(RUNBOOK, replace(stop, text=stop.text.replace(_PLACEHOLDER, scene.execution(CANARY))))
    scene.over(run)
    scene.hears(run, (STARTED, ""), (ENDED, "ABORTED"))
    verdict = scene.last_verdict(failed)
    assert verdict["outcome"] == "ABORTED"
    assert verdict["reason"].startswith("its execution is STOP")
    nothing_is_left(scene)


@pytest.mark.usefixtures("slow")
def test_a_stop_alarm_that_rings_while_the_fault_lasts_ends_it(scene: Scene, failed: Released) -> None:
    run = scene.resumed()
    scene.hears(run, (STARTED, ""))
    with scene.ringing(CANARY) as alarm:
        scene.over(run)
    verdict = scene.last_verdict(failed)
    why = "was stopped, by an alarm or by a person: Experiment halted by stop condition."
    assert (verdict["outcome"], verdict["reason"]) == ("FAIL", f"the experiment {why} In ALARM: {alarm}")
    scene.hears(run, (STARTED, ""), (ENDED, "FAIL"))
    nothing_is_left(scene)


@pytest.mark.usefixtures("slow")
def test_the_safety_lever_ends_what_runs(scene: Scene, failed: Released, reader: Reader) -> None:
    """A person follows the runbook while the fault lasts; of the tenant that tells nothing."""
    run = scene.resumed()
    scene.hears(run, (STARTED, ""))
    engage, disengage = [one for one in blocks(RUNBOOK, "bash") if "safety-lever" in one.text]
    reader.follow(RUNBOOK, engage)
    try:
        scene.over(run)
    finally:
        reader.follow(RUNBOOK, disengage)
    verdict = scene.last_verdict(failed)
    why = "the experiment was cancelled, as the safety lever does: Experiment halted by safety lever."
    assert (verdict["outcome"], verdict["reason"]) == ("ABORTED", why)
    assert scene.experiments()[0]["state"]["status"] == "stopped", "so FIS calls it"
    scene.hears(run, (STARTED, ""), (ENDED, "ABORTED"))
    nothing_is_left(scene)


@pytest.mark.usefixtures("slow")
def test_what_no_event_has_ended_the_sweep_ends(scene: Scene, failed: Released) -> None:
    with scene.deaf():
        run = scene.resumed()
        scene.hears(run, (STARTED, ""))
        scene.stop(CANARY, abandon=True)
        scene.over(run)
        assert scene.experiments()[0]["state"]["status"] == "running"
        scene.sweep()
    scene.hears(run, (STARTED, ""), (ENDED, "ABORTED"))
    verdict = scene.last_verdict(failed)
    assert (verdict["outcome"], verdict["reason"]) == ("ABORTED", "its execution is Stopped")
    nothing_is_left(scene)


@pytest.mark.usefixtures("slow")
def test_what_is_not_over_in_time_is_given_up(scene: Scene, failed: Released) -> None:
    run = scene.resumed()
    scene.hears(run, (STARTED, ""))
    scene.time_passes(CANARY, minutes=30)
    scene.over(run)
    verdict = scene.last_verdict(failed)
    assert verdict["outcome"] == "ABORTED"
    assert verdict["reason"].startswith("it was not over by ")
    status, said = scene.said(CANARY, before=2)
    assert (status, "ABORTED: " in said) == ("Failed", True)
    nothing_is_left(scene)


def test_who_is_not_well_before_is_not_experimented_with(scene: Scene, failed: Released) -> None:
    before = len(scene.experiments())
    with scene.without_alarm(CANARY):
        run = scene.resumed()
        scene.goes_on(CANARY)
        scene.time_passes(CANARY, minutes=2)
        scene.over(run)
    verdict = scene.last_verdict(failed)
    assert verdict["outcome"] == "INCONCLUSIVE"
    assert verdict["reason"] == (
        "the steady state does not hold before, and nothing was injected: healthy before: there is no such alarm, "
        "and OK is asked for"
    )
    assert len(scene.experiments()) == before
    scene.hears(run, (ENDED, "INCONCLUSIVE"))
    nothing_is_left(scene)


def test_what_the_experiments_role_may_not_do_is_said(scene: Scene, failed: Released) -> None:
    with without(scene.granary, CHAOS.room_role("resilience", "experiment"), "ecs:StopTask", account=WORKLOAD):
        scene.over(scene.resumed())
    verdict = scene.last_verdict(failed)
    assert verdict["outcome"] == "ERROR"
    assert verdict["reason"].startswith("the experiment failed: ")
    assert "ecs:StopTask" in verdict["reason"]
    nothing_is_left(scene)


@pytest.mark.parametrize(
    ("role", "action", "on"),
    [
        (NAMES.tenant_pipeline_role, "lambda:InvokeFunction", CHAOS.chaos_function),
        (CHAOS.runner_role, "dynamodb:GetItem", ""),
    ],
)
def test_what_the_actions_roles_may_not_do_is_said(scene: Scene, role: str, action: str, on: str) -> None:
    """Given a pipeline that a person starts: its action fails with the reason, and passes when that is mended."""
    pipelines = scene.granary.client("codepipeline")
    with without(scene.granary, role, action, on=on, account=TOOLCHAIN):
        begun = pipelines.start_pipeline_execution(name=LAST.pipeline)["pipelineExecutionId"]
        scene.factory.execution(LAST.pipeline, begun, "Failed")
        failed = scene.factory.failed_action(LAST.pipeline)
    assert failed.startswith("resilience-fis-trigger: ")
    assert action in failed


def test_a_person_who_starts_a_pipeline_injects_nothing(scene: Scene) -> None:
    pipelines = scene.granary.client("codepipeline")
    begun = pipelines.start_pipeline_execution(name=LAST.pipeline)["pipelineExecutionId"]
    scene.factory.execution(LAST.pipeline, begun, "Succeeded")
    why = f"no release waits for this execution: nothing is injected into {LAST.id}"
    assert scene.said(LAST, execution=begun) == ("Succeeded", why)
