"""Dry runs by hand of each kind of experiment: what they would hit, or why nobody knows; they always end."""

from __future__ import annotations

import json

import pytest

from local_cloud.factory.chaos import EXPERIMENT, LAST
from local_cloud.factory.granary import WORKLOAD
from tests.local.resilience.scene import Scene

_TASK = f"arn:aws:ecs:{LAST.region}:{WORKLOAD}:task/default/"
_EMPTY = "ERROR: {name} on {id}: the experiment failed: Target resolution returned empty set."
_GIVEN = {"deployment": LAST.id, "experiment": EXPERIMENT}


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("by-tag", 0, f"it would hit stop: {_TASK}"),
        ("by-more", 0, f"it would hit stop: {_TASK}"),
        ("in-order", 0, f"; second: {_TASK}"),
        ("nothing", 1, _EMPTY),
        ("by-arn", 1, _EMPTY),
        ("logged", 1, f"the experiment failed: The log group /granary/{LAST.id} does not exist."),
        ("a-database", 1, "FIS refuses the experiment: "),
    ],
)
def test_each_kind_says_what_it_would_hit_or_why_not(scene: Scene, name: str, code: int, words: str) -> None:
    before = scene.stopped_by_fis()
    found, said = scene.dry_run(name)
    assert (found, words.format(name=name, id=LAST.id) in said) == (code, True), said
    assert scene.templates() == []
    assert scene.attempt(LAST) is None
    assert scene.stopped_by_fis() == before


def test_a_stop_alarm_that_rings_is_named(scene: Scene) -> None:
    with scene.ringing(LAST) as ringing:
        code, said = scene.dry_run("watched")
    stopped = "the experiment was stopped, by an alarm or by a person: Experiment halted by stop condition."
    assert (code, said) == (1, f"FAIL: watched on {LAST.id}: {stopped} In ALARM: {ringing}")


def test_while_the_safety_lever_is_engaged_nothing_is_injected(scene: Scene) -> None:
    fis = scene.client("fis")
    fis.update_safety_lever_state(id="default", state={"status": "engaged", "reason": "a test"})
    try:
        code, said = scene.dry_run()
    finally:
        fis.update_safety_lever_state(id="default", state={"status": "disengaged", "reason": "a test"})
    why = "was cancelled, as the safety lever does: Experiment cancelled because the safety lever is engaged."
    assert (code, said) == (1, f"ABORTED: {EXPERIMENT} on {LAST.id}: the experiment {why}")


def test_where_fis_has_no_room_it_waits(scene: Scene) -> None:
    full = {"every": 1, "error": "ServiceQuotaExceededException", "count": 2}
    scene.granary.cloud.faults.set({"fis:StartExperiment": full})
    code, said = scene.dry_run()
    assert (code, "it would hit stop" in said) == (0, True), said
    assert scene.granary.cloud.faults.get()["fis:StartExperiment"]["raised"] == full["count"]


def test_what_a_function_that_died_has_made_the_sweep_takes_away(scene: Scene) -> None:
    """Given a dry run that has made its template and could not start it, and of which nobody asks any more."""
    scene.granary.cloud.faults.set({"fis:StartExperiment": {"error": "InternalServerError", "count": None}})
    token = scene.invoke({"dry_run": {**_GIVEN, "attempt": "by-hand-dead"}}).get("token")
    scene.granary.cloud.faults.set({"fis:StartExperiment": {"error": "InternalServerError", "count": 0}})
    assert token
    assert len(scene.templates()) == 1
    code, said = scene.dry_run()
    assert (code, "attempt by-hand-dead holds globex until " in said) == (1, True)
    for _ in range(2):  # it is ended, and held until nobody can inject any more
        scene.time_passes(LAST, minutes=15)
        scene.sweep()
    assert scene.templates() == []
    assert scene.attempt(LAST) is None
    past = json.loads(scene.granary.cli("chaos", "history", LAST.id, "--json").stdout)
    (dead,) = [one for one in past if one["id"] == "by-hand-dead"]
    assert (dead["outcome"], dead["reason"].partition(" by ")[0]) == ("ABORTED", "nobody has gone on with it")
