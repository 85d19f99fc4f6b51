"""The same release, resumed when its canary has two tasks: it survives, and the rings after it get the release.

Each but one when it is validated: that is done by builds, of which the last one succeeds.
"""

from __future__ import annotations

import json

import pytest

from lambdas.saas.model.runs import RunState
from local_cloud.factory.chaos import CANARY, ENDED, EXPERIMENT, LAST, STARTED
from local_cloud.factory.granary import WORKLOAD
from tests.local.resilience.catalogue import CHECKS, EARLY, KINDS, REHEARSED
from tests.local.resilience.scene import Released, Scene


def test_a_later_ring_gets_nothing_that_no_canary_has_survived(scene: Scene, failed: Released) -> None:
    """Given nobody in the canary's ring, the release stops before the ring that demands its survival.

    In between, the ring of the dry run gets it, which is no survival.
    """
    before = scene.stopped_by_fis()
    scene.factory.remove(CANARY)
    scene.factory.stream_is_drained()
    stopped = scene.over(scene.resumed())
    scene.factory.put(CANARY)
    scene.factory.stream_is_drained()
    scene.factory.active(CANARY)
    assert f"no tenant of ring canary has survived release {failed.version}: " in stopped.run.reason
    early, rehearsed = (scene.granary.status(row.id) for row in (EARLY, REHEARSED))
    assert early is not None
    assert rehearsed is not None
    assert early.revision_deployed != failed.version == rehearsed.revision_deployed
    said = (
        f"DRY_RUN: {EXPERIMENT} on {REHEARSED.id}: it would hit stop: arn:aws:ecs:{REHEARSED.region}:{WORKLOAD}:task/"
    )
    status, told = scene.said(REHEARSED)
    assert (status, told.startswith(said)) == ("Succeeded", True), told
    assert scene.verdicts(failed.version, REHEARSED.ring) == []
    assert scene.stopped_by_fis() == before


@pytest.fixture(scope="module")
def unchecked(scene: Scene, failed: Released) -> Released:
    """The release, resumed when the canary has two tasks; the next ring's project is not there."""
    assert failed
    scene.give_tasks(CANARY, 2)
    with scene.faults_last():
        run = scene.resumed()
        scene.is_looked_at(CANARY, run, "home", "healthy")
    return scene.over(run)


def test_what_cannot_be_built_is_an_error(scene: Scene, unchecked: Released) -> None:
    status, said = scene.said(EARLY, before=2)
    project = CHECKS.format(type=EARLY.type, id=EARLY.id)
    why = (
        f"ERROR: validation on {EARLY.id}: {project} of probe checks cannot be built: the component brings that project"
    )
    assert (status, why in said) == ("Failed", True), said
    scene.hears(unchecked.run, (STARTED, ""), (ENDED, "PASS"), (ENDED, "ERROR"))
    scene.free(EARLY)


@pytest.mark.usefixtures("unchecked")
def test_a_build_that_fails_fails_the_tenant_with_a_link(scene: Scene) -> None:
    scene.bring_project(EARLY, "exit 3")
    run = scene.resumed()
    scene.over(run)
    status, said = scene.said(EARLY, before=2)
    project = CHECKS.format(type=EARLY.type, id=EARLY.id)
    for words in (
        f"FAIL: validation on {EARLY.id}: checks before: build {project}:",
        f" is FAILED: https://console.aws.amazon.com/codesuite/codebuild/projects/{project}/build/{project}%3A",
        "and SUCCEEDED is asked for",
    ):
        assert (status, words in said) == ("Failed", True), said
    assert scene.builds(EARLY) == ["FAILED"], "its rollbacks build nothing"
    scene.hears(run, (ENDED, "FAIL"))


@pytest.mark.usefixtures("unchecked")
def test_an_abandoned_execution_stops_its_build(scene: Scene) -> None:
    scene.bring_project(EARLY, "sleep 300")
    run = scene.resumed()
    scene.is_building(EARLY)
    scene.stop(EARLY, abandon=True)
    scene.over(run)
    scene.hears(run, (ENDED, "ABORTED"))
    assert scene.builds(EARLY)[0] == "STOPPED"
    scene.free(EARLY)


@pytest.fixture(scope="module")
def survived(scene: Scene, unchecked: Released) -> Released:
    """The release, resumed when the next ring's builds succeed."""
    assert unchecked
    scene.bring_project(EARLY, 'test -n "$GRANARY_ATTEMPT"')
    return scene.over(scene.resumed(), RunState.SUCCEEDED)


@pytest.mark.usefixtures("unchecked")
def test_a_canary_whose_task_is_stopped_goes_on(scene: Scene) -> None:
    held = "its steady state held, by 2 probes (healthy, home)"
    assert scene.said(CANARY) == ("Succeeded", f"PASS: {EXPERIMENT} on {CANARY.id}: {held}")
    experiment = scene.experiments()[0]
    assert (experiment["state"]["status"], experiment["tags"]["granary:deployment"]) == ("completed", CANARY.id)
    assert scene.templates() == []


def test_its_verdict_has_what_was_seen_at_each_step(scene: Scene, survived: Released) -> None:
    verdict = scene.last_verdict(survived)
    assert (verdict["outcome"], verdict["gate"], verdict["scope"]) == ("PASS", "chaos-canary", CANARY.id)
    steps, probes = ("before", "during", "after", "undone"), ("home", "healthy")
    assert sorted((one["step"], one["probe"], one["outcome"]) for one in verdict["evidence"]) == sorted(
        (step, probe, "PASS") for step in steps for probe in probes
    )


def test_the_bus_tells_of_it(scene: Scene, survived: Released) -> None:
    scene.hears(survived.run, (ENDED, "PASS"))


def test_a_ring_may_be_validated_without_an_experiment(scene: Scene, survived: Released) -> None:
    """It demands what the canary has survived, is asked whether it is well, and one build says so, too."""
    said = f"PASS: validation on {EARLY.id}: its steady state held, by 2 probes (checks, home)"
    assert scene.said(EARLY) == ("Succeeded", said)
    assert scene.verdicts(survived.version, EARLY.ring) == []
    assert len(scene.builds(EARLY)) == len(["the one that failed", "the one that was stopped", "this one"])


def test_a_ring_without_an_entry_passes_at_once(scene: Scene, survived: Released) -> None:
    assert scene.said(LAST) == ("Succeeded", f"ring general has no experiment: nothing is injected into {LAST.id}")
    assert scene.verdicts(survived.version, "general") == []


def test_the_command_line_lists_shows_and_remembers(scene: Scene, survived: Released) -> None:
    listed = scene.granary.cli("chaos", "list").stdout
    assert all(kind in listed for kind in KINDS)
    shown = json.loads(scene.granary.cli("chaos", "show", EXPERIMENT).stdout)
    assert shown["actions"]["stop"]["actionId"] == "aws:ecs:stop-task"
    past = json.loads(scene.granary.cli("chaos", "history", CANARY.id, "--json").stdout)
    assert past[0]["outcome"] == "PASS"
    kept = [one["outcome"] for one in scene.verdicts(survived.version)]
    assert sorted(one["outcome"] for one in past) == sorted(kept), "an attempt, a verdict"
    assert {(one["ring"], one["experiment"]) for one in past} == {("canary", EXPERIMENT)}
    told = scene.granary.cli("chaos", "history", "--limit", "1").stdout
    assert len(told.splitlines()) == 1
