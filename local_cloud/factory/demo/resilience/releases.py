"""Three releases: one whose canary survives, one whose canary does not, and one whose experiment is stopped."""

from __future__ import annotations

from lambdas.saas.model.runs import Run, RunState
from local_cloud.factory.chaos import CANARY, LAST
from local_cloud.factory.demo.resilience.scene import Scene
from local_cloud.factory.demo.stage import DEADLINE_SECONDS
from local_cloud.factory.granary import wait_until


def play(scene: Scene) -> None:
    """Play all of them."""
    good = _survives(scene)
    bad = _does_not(scene, good)
    _is_stopped(scene, bad)


def _survives(scene: Scene) -> str:
    scene.stage.act("A task is stopped, and the canary goes on")
    revision = scene.release(2, wanted=0)
    scene.show(revision, "PASS")
    _expect_revision(scene, revision, why="its canary has survived", at=LAST.id)
    return revision


def _does_not(scene: Scene, before: str) -> str:
    scene.stage.act("A commit saves a task: the canary does not bear it, and is rolled back")
    revision = scene.release(1, wanted=1)
    scene.show(revision, "FAIL")
    for row in (CANARY, LAST):
        _expect_revision(scene, before, why="the line stopped", at=row.id)
    return revision


def _is_stopped(scene: Scene, revision: str) -> None:
    stage, chaos = scene.stage, scene.chaos
    stage.act("The same once more, and somebody stops it")
    done = len(chaos.experiments())
    first = chaos.granary.run()
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
            return run if run and first and run.run != first.run and run.state != RunState.RUNNING else None

        wait_until(over, seconds=DEADLINE_SECONDS, what="the release to stop")
    scene.show(revision, "ABORTED")
    state = chaos.experiments()[0]["state"]["status"]
    stage.expect(holds=state == "stopped", otherwise=f"the experiment is {state}")


def _expect_revision(scene: Scene, revision: str, *, why: str, at: str) -> None:
    status = scene.chaos.granary.status(at)
    scene.stage.expect(
        holds=status is not None and status.revision_deployed == revision,
        otherwise=f"{at} should be at {revision}, for {why}; it is {status}",
    )
