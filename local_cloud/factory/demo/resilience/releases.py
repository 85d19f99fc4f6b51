"""One release, three times: its canary does not survive, its experiment is stopped, and its canary survives."""

from __future__ import annotations

from lambdas.saas.model.runs import Run, RunState
from local_cloud.factory.chaos import CANARY, LAST
from local_cloud.factory.demo.resilience.scene import Scene
from local_cloud.factory.demo.stage import DEADLINE_SECONDS
from local_cloud.factory.granary import wait_until


def play(scene: Scene) -> None:
    """Play all of them."""
    revision = _does_not_survive(scene)
    _is_stopped(scene, revision)
    _survives(scene, revision)


def _does_not_survive(scene: Scene) -> str:
    scene.stage.act(f"A release: {CANARY.id} has one task, which is stopped, and is rolled back")
    before = scene.revision(CANARY)
    revision = scene.release()
    scene.stage.granary(scene.chaos.granary, "release", wanted=1)
    scene.show(revision, "FAIL")
    for row in (CANARY, LAST):
        scene.expect_revision(row, before, why="the line stopped")
    return revision


def _is_stopped(scene: Scene, revision: str) -> None:
    stage, chaos = scene.stage, scene.chaos
    stage.act(f"The same once more when {CANARY.id} has two tasks, and somebody stops it")
    with stage.step(f"give {CANARY.id} a second task"):
        chaos.give_tasks(CANARY, 2)
    # Until somebody has stopped it, whoever looks at the canary finds it well, and the experiment goes on.
    with chaos.faults_last():
        _stop(scene, revision)
    scene.show(revision, "ABORTED")
    state = chaos.experiments()[0]["state"]["status"]
    stage.expect(holds=state == "stopped", otherwise=f"the experiment is {state}")


def _stop(scene: Scene, revision: str) -> None:
    """Resume the release, stop the execution of the canary while the experiment runs, and wait until the line stops."""
    stage, chaos = scene.stage, scene.chaos
    done, before = len(chaos.experiments()), chaos.granary.run()
    stage.granary(chaos.granary, "resume", "--no-follow")

    def running() -> bool | None:
        newest, *others = chaos.experiments()
        return True if len(others) == done and newest["state"]["status"] == "running" else None

    with stage.step("the experiment runs"):
        wait_until(running, seconds=DEADLINE_SECONDS, what="the experiment")
    with stage.step(f"stop the execution of {CANARY.pipeline}: its experiment stops with it"):
        execution = chaos.granary.executions(CANARY.pipeline)[0]["pipelineExecutionId"]
        chaos.granary.client("codepipeline").stop_pipeline_execution(
            pipelineName=CANARY.pipeline, pipelineExecutionId=execution, reason="a sale begins"
        )

        def over() -> Run | None:
            run = chaos.granary.run(revision)
            return run if run and before and run.run != before.run and run.state != RunState.RUNNING else None

        wait_until(over, seconds=DEADLINE_SECONDS, what="the release to stop")


def _survives(scene: Scene, revision: str) -> None:
    scene.stage.act(f"Of the two tasks of {CANARY.id} one is stopped: it goes on, and so does the release")
    scene.stage.granary(scene.chaos.granary, "resume")
    scene.show(revision, "PASS")
    for row in (CANARY, LAST):
        scene.expect_revision(row, revision, why=f"{CANARY.id} has survived")
