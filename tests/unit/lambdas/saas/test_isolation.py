"""What the program itself fails at, at one deployment or in one kind of work, harms nothing else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from lambdas.common.errors import GranaryError
from lambdas.saas.model.eligible import why_not
from lambdas.saas.model.record import parse_row
from lambdas.saas.model.rings import plan_rows
from lambdas.saas.model.status import Phase
from lambdas.saas.onboard.plan import Look
from lambdas.saas.sweep.decide import decide
from tests.unit.lambdas.saas.onboard.world import World as Onboard
from tests.unit.lambdas.saas.release.world import row
from tests.unit.lambdas.saas.strategies import POLICY
from tests.unit.lambdas.saas.sweep.world import World
from tests.unit.lambdas.saas.test_unreadable import KINDS, NOW, RINGS, fleet, of_the_others

FAILING = "the program fails"


def fails_for(victim: str, of: Callable[..., Any], name_in: Callable[..., str]) -> Callable[..., Any]:
    """The same function, which fails for one deployment."""

    def failing(*given: Any, **more: Any) -> Any:
        if name_in(*given) == victim:
            raise RuntimeError(FAILING)
        return of(*given, **more)

    return failing


def fails(*_given: Any, **_more: Any) -> Any:
    """What fails whatever it is given."""
    raise RuntimeError(FAILING)


def spoil_rows(patch: pytest.MonkeyPatch, victim: str) -> None:
    failing = fails_for(victim, parse_row, lambda row, _policy: row["id"])
    patch.setattr("lambdas.saas.model.wishes.parse_row", failing)


@pytest.mark.parametrize("victim", sorted(KINDS))
def test_a_row_that_the_program_fails_at_harms_nobody_else(
    victim: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sound, spoilt = fleet(), fleet()
    sound.run()
    known = spoilt.statuses.items.get(victim)
    has_row = victim in spoilt.deployments.items
    spoil_rows(monkeypatch, victim)
    counts = spoilt.run()
    assert of_the_others(spoilt, victim) == of_the_others(sound, victim)
    assert counts["unreadable"] == spoilt.problems == int(has_row)
    if has_row:
        assert f"the row of {victim} could not be read" in caplog.text
        assert FAILING in (caplog.records[0].exc_text or caplog.text)
        status = spoilt.statuses.items[victim]
        assert status == known or (status.phase, FAILING in status.reason) == (Phase.INVALID, True)


@pytest.mark.parametrize("victim", sorted(KINDS))
@pytest.mark.parametrize("part", ["decide", "removed", "pending", "invalid"])
def test_a_deployment_that_the_program_fails_at_harms_nobody_else(
    victim: str, part: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Given a fault at one deployment, then all others are swept, and the round fails when that was done."""
    sound, spoilt = fleet(), fleet()
    sound.run()
    monkeypatch.setattr(spoilt, "dead_runs", [True])
    if part == "decide":
        names = {id(status): name for name, status in spoilt.statuses.items.items()}
        failing = fails_for(victim, decide, lambda wish, status, _seen: wish.id if wish else names[id(status)])
        monkeypatch.setattr("lambdas.saas.sweep.sweep.decide", failing)
    else:
        called = getattr(spoilt.statuses, part)
        name_of = (lambda wish: wish.id) if part == "pending" else (lambda name: name)
        monkeypatch.setattr(spoilt.statuses, part, fails_for(victim, called, name_of))
    with suppress(GranaryError):  # not every part has to do with every deployment
        spoilt.run()
        assert FAILING not in caplog.text
    assert of_the_others(spoilt, victim) == of_the_others(sound, victim)
    assert spoilt.dead_runs == []


@pytest.mark.parametrize(
    ("part", "name"),
    [("builds", "ended"), ("builds", "start"), ("releases", "current"), ("statuses", "all"), ("deployments", "rows")],
)
def test_a_kind_of_work_that_fails_lets_the_others_go_on(part: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = fleet()
    world.dead_runs = [True]
    monkeypatch.setattr(getattr(world, part), name, fails)
    assert FAILING in world.fails()
    assert world.dead_runs == [], "the release that is under way was looked at"
    if part not in ("statuses", "deployments"):
        assert world.statuses.items["c"].row_removed
        assert world.statuses.items["g"].phase is Phase.INVALID
        assert world.measured == [len(world.statuses.items) - 2]


def test_a_brake_that_fails_retires_nobody_and_lets_all_else_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a fault in the brake, then nobody is retired for a row that is gone, and everybody else is swept."""
    sound, spoilt = fleet(), fleet()
    spoilt.retire_removed, spoilt.dead_runs = True, [True]
    sound.run()
    monkeypatch.setattr("lambdas.saas.sweep.brake.Brake.holds", fails)
    assert f"nobody is retired for that (RuntimeError: {FAILING})" in spoilt.fails()
    assert of_the_others(spoilt, "") == of_the_others(sound, "")
    assert (spoilt.lifecycles.started, spoilt.dead_runs) == ([], [])
    assert spoilt.statuses.items["c"].row_removed


def test_a_build_that_cannot_be_looked_at_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a build that died on its way, when nobody can tell why, then the rows that wait for it are built anew."""
    world = World()
    for name in "ab":
        world.put(name)
    world.run()
    world.builds.over = {world.statuses.items["a"].pending_build}
    world.clock.pass_time(minutes=5)
    monkeypatch.setattr(world.builds, "why_failed", fails)
    assert f"could not be looked at (RuntimeError: {FAILING})" in world.fails()
    assert world.builds.started == [("a", "b")] * 2
    assert "ended before it took the row up: it could not be looked at" in world.statuses.items["b"].reason


@pytest.mark.parametrize("part", ["row", "status", "takes"])
def test_who_the_program_fails_at_is_left_out_of_a_plan_and_named(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world, names = World(), [f"t{number}" for number in range(9)]
    for name in names:
        world.put(name)
        world.provision(name)
    rows, statuses = [row(name) for name in names], [*world.statuses.all()]
    if part == "row":
        spoil_rows(monkeypatch, "t4")
    if part == "status":
        failing = fails_for("t4", why_not, lambda record, _status: record.id)
        monkeypatch.setattr("lambdas.saas.model.rings.why_not", failing)
    takes = fails_for("t4", lambda *_given: True, lambda record, _status: record.id) if part == "takes" else everybody
    found = plan_rows(RINGS, revision="next", rows=rows, targets=POLICY, now=NOW, statuses=statuses, takes=takes)
    taken = sorted(item.id for ring in found.rings for item in ring.items)
    assert taken == [name for name in names if name != "t4"]
    (skipped,) = found.skipped
    assert skipped.id == "t4"
    assert skipped.reason == f"the factory itself fails at it: RuntimeError: {FAILING}"


def everybody(*_given: object) -> bool:
    return True


@pytest.mark.parametrize("letters", [True, False])
def test_a_row_that_the_program_fails_at_delays_no_other_record(letters: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a row that cannot be taken in, then the others are, even when the dead letters cannot be written."""
    world = Onboard()

    def fails(_look: Look, _reason: str) -> None:
        raise RuntimeError("SQS does not answer")

    monkeypatch.setattr(
        "lambdas.saas.model.wishes.parse_row", fails_for("b", parse_row, lambda row, _policy: row["id"])
    )
    records = world.insert("a", "b", "c")
    onboarding = world.onboarding if letters else replace(world.onboarding, dead_letter=fails)
    assert onboarding.handle(records) == []
    assert world.builds.started == [("a", "c")]
    assert [(look.id, reason) for look, reason in world.dead] == [("b", f"RuntimeError: {FAILING}")] * letters


def test_a_reason_that_cannot_be_written_holds_up_no_other_start(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    for name in "abc":
        world.put(name)
    world.releases.release, release = None, world.releases.release
    world.run()
    world.releases.release = release
    pending = world.statuses.pending
    monkeypatch.setattr(world.statuses, "pending", fails_for("b", pending, lambda wish: wish.id))
    assert world.run()["started"] == 3
    assert world.statuses.items["c"].reason == ""
