"""Onboarding, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from lambdas.saas.model.contract import CONTRACT, PARAMETERS, STANDBYS
from lambdas.saas.model.declared import Parameter
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.releases import Release
from lambdas.saas.model.status import Phase, Placement, Status
from lambdas.saas.store.release_parameter import BadReleaseError
from tests.unit.lambdas.saas.fakes import RELEASE, FakeBuilds
from tests.unit.lambdas.saas.onboard.world import World, claimed_status, put_sample, record, row
from tests.unit.lambdas.saas.strategies import POLICY


class DeniedBuilds(FakeBuilds):
    """Builds that nobody may start."""

    def start(self, ids: Sequence[str], *, release: Release, token: str) -> str:
        raise RuntimeError("not allowed to StartBuild")


@pytest.fixture
def world() -> World:
    return World()


def standing(deployment_id: str) -> Status:
    """The status of a tenant that stands as its first row wished."""
    wish = DeploymentRecord(**row(deployment_id))
    return Status(
        id=deployment_id,
        phase=Phase.ACTIVE,
        wanted_digest=wish.digest(),
        applied_digest=wish.digest(),
        build_id="b",
        revision_deployed="r",
        placed=(Placement(type=wish.type, account=wish.account, region=wish.region),),
    )


def test_a_batch_becomes_one_build(world: World, sample: Callable[[str], Any]) -> None:
    world.statuses.items["gone"] = claimed_status("gone")
    put_sample(world.deployments.items, sample)
    assert world.onboarding.handle(sample("deployments_stream")["Records"]) == []
    assert world.builds.started == [("silo1", "pool1")]
    assert world.phase("silo1") is Phase.PENDING
    assert world.statuses.items["silo1"].region == "us-east-1"
    assert world.phase("bad") is Phase.INVALID
    assert "region is missing" in world.statuses.items["bad"].reason
    assert world.statuses.items["gone"].row_removed
    assert world.dead == []


def test_many_rows_become_several_builds(world: World) -> None:
    world.size = 2
    assert world.onboarding.handle(world.insert("a", "b", "c")) == []
    assert world.builds.started == [("a", "b"), ("c",)]


def test_at_the_limit_the_rest_is_delivered_again(world: World) -> None:
    world.size = 1
    world.builds.refusals = [False, True]
    assert world.onboarding.handle(world.insert("a", "b", "c")) == ["000001"]
    assert world.builds.started == [("a",)]
    for waiting in ("b", "c"):
        assert world.statuses.items[waiting].reason.startswith("waiting: CodeBuild is at its limit")
    assert world.statuses.items["a"].reason == ""


def test_what_waits_is_written_once_however_often_it_is_delivered(world: World) -> None:
    """Given 100 rows that wait, when they are delivered again and nothing has changed, then nothing is written."""
    world.builds.refusals = [True] * 4
    records = world.insert(*(f"t{number}" for number in range(100)))
    assert world.onboarding.handle(records) == ["000000"]
    before, world.statuses.written = dict(world.statuses.items), []
    for _ in range(3):
        world.clock.pass_time(minutes=5)
        assert world.onboarding.handle(records) == ["000000"]
    assert (world.statuses.written, world.statuses.items) == ([], before)
    world.clock.pass_time(minutes=5)
    assert world.onboarding.handle(records) == []
    assert sorted(world.statuses.written) == sorted(world.statuses.items), "that builds were started is told once"
    assert {status.reason for status in world.statuses.items.values()} == {""}


def test_a_new_reason_for_waiting_is_told(world: World) -> None:
    world.builds.refusals = [True]
    records = world.insert("a")
    world.onboarding.handle(records)
    world.releases.release = None
    world.onboarding.handle(records)
    assert world.statuses.items["a"].reason == "waiting: no release has been published yet: push the source"


def test_a_row_that_changes_while_it_waits_is_written_anew(world: World) -> None:
    world.builds.refusals = [True, True]
    world.onboarding.handle(world.insert("a"))
    before = world.statuses.items["a"].wanted_digest
    world.onboarding.handle([world.put(1, row("a", size="large"))])
    assert world.statuses.items["a"].wanted_digest != before


def test_the_same_batch_again_is_the_same_build(world: World) -> None:
    records = world.insert("a", "b")
    world.onboarding.handle(records)
    world.onboarding.handle(records)
    assert len(world.builds.tokens) == 1


def test_before_the_first_release_rows_wait_for_it(world: World) -> None:
    world.releases.release = None
    assert world.onboarding.handle(world.insert("a")) == []
    assert world.builds.started == []
    assert world.phase("a") is Phase.PENDING
    assert world.statuses.items["a"].reason == "waiting: no release has been published yet: push the source"


def test_rows_wait_for_functions_that_can_handle_the_release(world: World) -> None:
    world.releases.release = replace(RELEASE, contract=CONTRACT + 1)
    assert world.onboarding.handle(world.insert("a")) == []
    assert world.builds.started == []
    assert world.phase("a") is Phase.PENDING
    assert "it waits for a newer toolchain" in world.statuses.items["a"].reason


def test_a_build_that_cannot_be_started_fails_the_batch_and_is_told(world: World) -> None:
    """The function fails, so that the stream delivers the batch again; the row says meanwhile what is wrong."""
    world.builds = DeniedBuilds()
    with pytest.raises(RuntimeError, match="StartBuild"):
        world.onboarding.handle(world.insert("silo1"))
    status = world.statuses.items["silo1"]
    assert status.phase is Phase.PENDING
    assert status.reason == "waiting: no build could be started: RuntimeError: not allowed to StartBuild"


def test_a_batch_without_wishes_asks_for_no_release(world: World) -> None:
    world.releases.release = None
    assert world.onboarding.handle([record(1, "a", None), world.put(2, row("b", type="x"))]) == []
    assert "a" not in world.statuses.items
    assert world.phase("b") is Phase.INVALID


def test_a_row_that_cannot_be_handled_goes_to_the_dead_letters(world: World) -> None:
    world.statuses.broken = frozenset({"b"})
    assert world.onboarding.handle(world.insert("a", "b", "c")) == []
    assert world.builds.started == [("a", "c")]
    ((look, reason),) = world.dead
    assert (look.id, reason) == ("b", "ConnectionError: the status of b cannot be written")


def test_a_claimed_row_is_left_to_its_build(world: World) -> None:
    world.statuses.items["a"] = claimed_status("a")
    assert world.onboarding.handle(world.insert("a", "b")) == []
    assert world.builds.started == [("b",)]


def test_a_stale_image_is_not_judged(world: World) -> None:
    """Given a row corrected since, when a record of its old image comes late, then the row as it is now counts."""
    stale = record(1, "a", row("a", type="x"))
    world.put(2, row("a"))
    assert world.onboarding.handle([stale]) == []
    assert world.phase("a") is Phase.PENDING
    assert world.builds.started == [("a",)]


def test_a_late_removal_of_a_row_that_is_back_is_none(world: World) -> None:
    world.statuses.items["a"] = claimed_status("a")
    world.insert("a")
    assert world.onboarding.handle([record(1, "a", None)]) == []
    assert not world.statuses.items["a"].row_removed


def test_a_late_insertion_of_a_removed_row_says_that_it_is_gone(world: World) -> None:
    world.statuses.items["a"] = claimed_status("a")
    assert world.onboarding.handle([record(1, "a", row("a"))]) == []
    assert world.statuses.items["a"].row_removed
    assert world.builds.started == []


def test_nothing_is_left_of_a_row_that_led_to_nothing(world: World) -> None:
    world.onboarding.handle([world.put(1, row("a", type="x"))])
    world.deployments.items.clear()
    for _ in range(2):
        assert world.onboarding.handle([record(2, "a", None)]) == []
        assert world.statuses.items == {}


def test_a_record_that_names_no_deployment_delays_nobody(world: World) -> None:
    odd = {"eventName": "INSERT", "dynamodb": {"Keys": {"id": {"N": "1"}}, "SequenceNumber": "000009"}}
    assert world.onboarding.handle([odd, *world.insert("a")]) == []
    assert world.builds.started == [("a",)]
    ((look, reason),) = world.dead
    assert look.sequence == "000009"
    assert reason == "GranaryError: a stream record names no deployment: its Keys hold no string `id`"


@pytest.mark.parametrize("state", ["suspended", "retired"])
def test_what_is_to_be_suspended_or_retired_is_handed_on(world: World, state: str) -> None:
    world.statuses.items["a"] = standing("a")
    event = [world.put(1, row("a", state=state))]
    world.onboarding.handle(event)
    world.onboarding.handle(event)
    assert world.lifecycles.started == ["a"], "the same delivery is the same execution"
    assert world.builds.started == []
    assert world.statuses.items["a"] == standing("a")


@pytest.mark.parametrize("phase", [Phase.SUSPENDED, Phase.RETIRING])
def test_a_wrong_row_of_what_is_out_of_use_is_told(world: World, phase: Phase) -> None:
    """Given a pipeline that is out of use, when the row is wrong, that is told, and a right row is handed on."""
    state = "suspended" if phase is Phase.SUSPENDED else "retired"
    world.statuses.items["a"] = replace(standing("a"), phase=phase, reason="its row asks for it")
    world.onboarding.handle([world.put(1, row("a", state="retierd"))])
    status = world.statuses.items["a"]
    assert status.phase is phase
    assert status.reason.startswith('its row cannot be acted on: state "retierd" is unknown')
    assert world.lifecycles.started == []
    world.onboarding.handle([world.put(2, row("a", state=state))])
    assert (world.lifecycles.started, world.builds.started) == (["a"], [])


def test_what_is_suspended_is_brought_back_by_the_lifecycle_machine(world: World) -> None:
    world.statuses.items["a"] = replace(standing("a"), phase=Phase.SUSPENDED)
    world.onboarding.handle([world.put(1, row("a", size="large"))])
    assert (world.lifecycles.started, world.builds.started) == (["a"], [])


def test_a_retired_id_may_be_put_anew(world: World) -> None:
    """Given a tombstone, when a row of that id is put, then it begins anew, and nothing of the old one is left."""
    world.statuses.items["a"] = replace(standing("a"), phase=Phase.RETIRED, warnings=("left behind",))
    world.onboarding.handle([world.put(1, row("a"))])
    status = world.statuses.items["a"]
    assert (status.phase, status.placed, status.applied_digest, status.warnings) == (Phase.PENDING, (), "", ())
    assert world.builds.started == [("a",)]


def test_a_retired_id_may_be_put_anew_and_be_wrong(world: World) -> None:
    world.statuses.items["a"] = replace(standing("a"), phase=Phase.RETIRED)
    world.onboarding.handle([world.put(1, row("a", type="x"))])
    assert (world.phase("a"), world.statuses.items["a"].placed) == (Phase.INVALID, ())


def test_a_move_without_consent_is_refused_and_what_stands_stays(world: World) -> None:
    world.statuses.items["a"] = standing("a")
    world.onboarding.handle([world.put(1, row("a", region="us-east-1"))])
    assert world.phase("a") is Phase.INVALID
    assert "that is a move" in world.statuses.items["a"].reason
    assert world.builds.started == []
    world.onboarding.handle([world.put(2, {**row("a", region="us-east-1"), "allow_move": True})])
    assert world.builds.started == [("a",)]


def test_rows_that_go_one_after_the_other_are_left_to_the_sweep(world: World) -> None:
    """Given a table that somebody empties row by row, then nobody is retired before the sweep has seen how many."""
    names = [f"t{number}" for number in range(6)]
    world.statuses.items |= {name: standing(name) for name in names}
    for number, name in enumerate(names):
        world.onboarding.handle([record(number, name, None)])
    assert all(world.statuses.items[name].row_removed for name in names)
    assert world.lifecycles.started == []


def test_the_row_of_a_retired_deployment_may_go(world: World) -> None:
    world.statuses.items["a"] = replace(standing("a"), phase=Phase.RETIRED)
    world.onboarding.handle([record(1, "a", None)])
    assert not world.statuses.items["a"].row_removed
    assert world.lifecycles.started == []


def test_a_row_that_is_no_longer_valid_can_still_be_retired(world: World) -> None:
    """Given an account that has gone from the configuration, then its tenants can be retired all the same."""
    world.statuses.items["a"] = standing("a")
    world.onboarding.handle([world.put(1, row("a", account="999999999999", state="retired"))])
    assert (world.lifecycles.started, world.phase("a")) == (["a"], Phase.ACTIVE)


def test_the_tombstone_of_a_row_that_is_no_longer_valid_stays(world: World) -> None:
    """Given a retired tenant whose account has gone from the configuration, when its row is touched, nothing begins."""
    world.statuses.items["a"] = tombstone = replace(standing("a"), phase=Phase.RETIRED, archives=("backup a",))
    world.onboarding.handle([world.put(1, row("a", account="999999999999", state="retired"))])
    assert (world.lifecycles.started, world.statuses.items["a"]) == ([], tombstone)


def test_a_row_that_was_never_valid_and_asks_for_the_end_is_only_wrong(world: World) -> None:
    event = [world.put(1, row("a", account="999999999999", state="retired"))]
    for _ in range(2):
        world.onboarding.handle(event)
        assert (world.lifecycles.started, world.phase("a")) == ([], Phase.INVALID)


def test_a_release_parameter_that_cannot_be_read_delivers_nothing_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a parameter without a release, then rows wait for one, and the stream goes on."""

    def current() -> Any:
        raise BadReleaseError("the release parameter holds none")

    monkeypatch.setattr(world.releases, "current", current)
    assert world.onboarding.handle(world.insert("a")) == []
    assert world.statuses.items["a"].reason == "waiting: the release parameter holds none"


def test_a_status_that_cannot_be_read_goes_to_the_dead_letters_alone(world: World) -> None:
    world.statuses.unreadable = {"a": "phase is missing"}
    assert world.onboarding.handle(world.insert("a", "b")) == []
    ((look, reason),) = world.dead
    assert look.id == "a"
    assert "its status cannot be read: phase is missing" in reason
    assert world.builds.started == [("b",)]


def test_a_row_that_is_touched_is_looked_through_whatever_is_applied(world: World) -> None:
    """Given a tenant that stands, when its row is touched, then a build looks, as for no other such change."""
    world.statuses.items["a"] = standing("a")
    assert world.onboarding.handle([world.put(1, row("a", note="x"))]) == []
    assert world.builds.started == []
    world.onboarding.handle([world.put(2, row("a", touched_at="2026-11-28T12:00:00"))])
    assert world.builds.started == [("a",)]
    assert world.phase("a") is Phase.PENDING


def test_a_row_with_a_standby_waits_for_a_release_that_knows_standbys(world: World) -> None:
    """Given a release of before, then others are built, and nothing is delivered again for who waits."""
    world.releases.release = replace(RELEASE, contract=STANDBYS - 1)
    records = [*world.insert("a"), world.put(1, row("b", standby_region="us-east-1"))]
    assert world.onboarding.handle(records) == []
    assert world.builds.started == [("a",)]
    status = world.statuses.items["b"]
    assert (status.phase, status.standby_region) == (Phase.PENDING, "us-east-1")
    assert status.reason.startswith("waiting: release abc123 knows no standby_region")
    world.releases.release = RELEASE
    assert world.onboarding.handle(records[1:]) == []
    assert world.builds.started == [("a",), ("b",)]
    assert world.statuses.items["b"].reason == ""


def test_a_row_with_parameters_waits_for_a_release_that_hands_them_on(world: World) -> None:
    """Given a release of before, then one that drops its parameters waits, too: that release cannot be told so."""
    world.policy = replace(POLICY, parameters={"domain": Parameter()})
    world.releases.release = replace(RELEASE, contract=PARAMETERS - 1)
    world.statuses.items["b"] = replace(standing("b"), applied_parameters={"domain": "x"}, applied_digest="other")
    records = [world.put(1, row("a", parameters={"domain": "a.example.com"})), world.put(2, row("b"))]
    assert world.onboarding.handle(records) == []
    assert world.builds.started == []
    for name in "ab":
        assert "knows no tier or parameters" in world.statuses.items[name].reason
    world.releases.release = RELEASE
    world.onboarding.handle(records)
    assert world.builds.started == [("a", "b")]


def test_an_id_that_begins_with_a_digit_waits_for_a_release_that_takes_it(world: World) -> None:
    """Given a release of before, whose builds would call the row invalid, round by round."""
    world.releases.release = replace(RELEASE, contract=PARAMETERS - 1)
    records = world.insert("4711-shop")
    assert world.onboarding.handle(records) == []
    assert world.builds.started == []
    status = world.statuses.items["4711-shop"]
    assert (status.phase, status.reason[:8]) == (Phase.PENDING, "waiting:")
    assert "nor ids that begin with a digit" in status.reason
    world.releases.release = RELEASE
    world.onboarding.handle(records)
    assert world.builds.started == [("4711-shop",)]


def test_another_external_id_is_told_and_starts_nothing(world: World) -> None:
    world.statuses.items["a"] = standing("a")
    for name in ("4711", "4712", None):
        world.onboarding.handle([world.put(1, row("a", **({"external_id": name} if name else {})))])
        assert world.statuses.items["a"].external_id == (name or "")
    assert world.phase("a") is Phase.ACTIVE
    assert world.builds.started == []


def test_dropping_a_standby_waits_for_such_a_release_too(world: World) -> None:
    """A build of before cannot read the status of a tenant that stands in two places."""
    both = replace(DeploymentRecord(**row("a")), standby_region="us-east-1")
    known = standing("a")
    placed = tuple(replace(known.placed[0], region=region) for _, region in both.places)
    world.statuses.items["a"] = replace(known, placed=placed, applied_digest=both.digest())
    world.releases.release = replace(RELEASE, contract=STANDBYS - 1)
    world.onboarding.handle([world.put(1, row("a", allow_move=True))])
    assert world.builds.started == []
    assert "knows no standby_region" in world.statuses.items["a"].reason


def test_a_batch_looks_at_a_release_that_a_fleet_pins_once(world: World) -> None:
    world.pins.published = {RELEASE.revision: RELEASE}
    rows = [row(name, revision=RELEASE.revision) for name in ("a", "b", "c")]
    world.onboarding.handle([world.put(number, one) for number, one in enumerate(rows)])
    assert (world.pins.pieces, world.builds.started) == (1, [("a", "b", "c")])
