"""`retire`, `suspend` and `activate`: one attribute of the row, and nothing else."""

from __future__ import annotations

import pytest

from cli.saas.wanted import ask
from lambdas.common.clock import moment
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, Wanted
from lambdas.saas.model.status import Phase, Status
from tests.unit.cli.saas.factory import NOW, Factory, stack

_WISH = DeploymentRecord(id="acme", type="silo", account="222222222222", region="eu-west-1")
_BEFORE, _AFTER = "2026-11-25T09:00:00.000+00:00", "2026-11-25T11:00:00.000+00:00"


@pytest.mark.parametrize(
    ("words", "state"), [(["suspend"], "suspended"), (["retire", "--yes"], "retired"), (["activate"], "active")]
)
def test_only_the_state_is_written(factory: Factory, words: list[str], state: str) -> None:
    before = "suspended" if state == "active" else "active"
    row = factory.row(state=before, note="kept")
    factory.status()
    answer = factory.granary(*words, "acme", "--json")
    assert answer.document == {"id": "acme", "state": state, "changed": True}
    assert factory.read_row() == {**row, "state": state}
    again = factory.granary(*words, "acme", "--json")
    assert (again.code, again.document["changed"]) == (0, False)


def test_nobody_is_retired_by_accident(factory: Factory) -> None:
    """Given a shell in which nobody can answer, a retirement without --yes is refused."""
    row = factory.row()
    factory.status(component_stacks=[stack("component")])
    answer = factory.granary("retire", "acme")
    assert answer.code == 2
    assert "--yes" in answer.stderr
    assert factory.read_row() == row


def test_without_a_row(factory: Factory) -> None:
    factory.status()
    answer = factory.granary("suspend", "acme")
    assert answer.code == 5
    assert factory.read_row() is None


def test_what_stands_where_rows_may_not_go_any_more_is_retired(factory: Factory) -> None:
    """Given a tenant whose account has left the configuration, then what was recorded of it is enough to end it."""
    factory.row(account="999999999999")
    factory.status(build_id="b:1")
    assert factory.granary("retire", "--yes", "acme").code == 0
    assert (factory.read_row() or {})["state"] == "retired"
    assert factory.granary("activate", "acme").code == 5


def test_a_row_that_is_not_valid_is_corrected_first(factory: Factory) -> None:
    factory.row(region="mars-1")
    assert factory.granary("suspend", "acme").code == 5


def test_a_wrong_state_can_be_put_right(factory: Factory) -> None:
    factory.row(state="paused")
    assert factory.granary("suspend", "acme").code == 0
    assert (factory.read_row() or {})["state"] == "suspended"


@pytest.mark.parametrize("phase", [Phase.RETIRED, Phase.RETIRED_WITH_WARNINGS])
def test_the_retired_do_not_come_back_by_an_undo(phase: Phase) -> None:
    asked = ask("acme", _WISH, Status(id="acme", phase=phase), state=Wanted.ACTIVE, now=moment(NOW))
    assert "put its row again" in asked.refused


@pytest.mark.parametrize(("after", "refused"), [(_BEFORE, True), (_AFTER, False)])
def test_a_retirement_is_undone_within_its_grace_period(after: str, refused: bool) -> None:
    status = Status(id="acme", phase=Phase.RETIRING, retire_after=after)
    wish = DeploymentRecord(**{**vars(_WISH), "state": "retired"})
    assert bool(ask("acme", wish, status, state=Wanted.ACTIVE, now=moment(NOW)).refused) is refused


def test_retiring_is_always_possible_for_a_valid_row() -> None:
    for phase in Phase:
        asked = ask("acme", _WISH, Status(id="acme", phase=phase), state=Wanted.RETIRED, now=moment(NOW))
        assert asked.refused == ""
    spoilt = InvalidRow(id="acme", reasons=("region is missing",))
    assert ask("acme", spoilt, None, state=Wanted.RETIRED, now=moment(NOW)).refused
