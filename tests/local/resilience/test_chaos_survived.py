"""The same release, resumed when its canary has two tasks: it survives, and the rings after it get the release."""

from __future__ import annotations

import json

import pytest

from lambdas.saas.model.runs import RunState
from local_cloud.factory.chaos import CANARY, ENDED, EXPERIMENT, LAST, STARTED
from tests.local.resilience.catalogue import EARLY, KINDS
from tests.local.resilience.scene import Released, Scene

# All of the factory's set-up, when it runs alone.
pytestmark = pytest.mark.timeout(1500)


def test_a_later_ring_gets_nothing_that_no_canary_has_survived(scene: Scene, failed: Released) -> None:
    """Given nobody in the canary's ring, the release stops before the ring that demands its survival."""
    scene.factory.remove(CANARY)
    scene.factory.stream_is_drained()
    stopped = scene.over(scene.resumed())
    scene.factory.put(CANARY)
    scene.factory.stream_is_drained()
    scene.factory.active(CANARY)
    assert f"no tenant of ring canary has survived release {failed.version}: " in stopped.run.reason
    status = scene.granary.status(EARLY.id)
    assert status is not None
    assert status.revision_deployed != failed.version


@pytest.fixture(scope="module")
def survived(scene: Scene, failed: Released) -> Released:
    """The release, resumed when the canary has two tasks."""
    assert failed
    scene.give_tasks(CANARY, 2)
    return scene.over(scene.resumed(), RunState.SUCCEEDED)


@pytest.mark.usefixtures("survived")
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
    scene.hears(survived.run, (STARTED, ""), (ENDED, "PASS"))


def test_a_ring_may_be_validated_without_an_experiment(scene: Scene, survived: Released) -> None:
    """It demands what the canary has survived, and is asked whether it is well."""
    said = f"PASS: validation on {EARLY.id}: its steady state held, by 1 probes (home)"
    assert scene.said(EARLY) == ("Succeeded", said)
    assert scene.verdicts(survived.version, EARLY.ring) == []


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
