"""What is retired although its row is gone or cannot be acted on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.common.clock import stamp
from lambdas.saas.model.record import DeploymentRecord, InvalidRow
from lambdas.saas.model.retirable import led_somewhere, retires
from lambdas.saas.model.status import Phase, Status, sort_out
from lambdas.saas.store.tables import Statuses
from tests.unit.lambdas.saas.fakes import START

BAD = InvalidRow(id="silo1", reasons=("account 9 is not among the accounts",), state="retired")
STANDS = Status(id="silo1", phase=Phase.ACTIVE, build_id="b")


def test_what_leads_nowhere_is_what_the_table_deletes(statuses: Statuses, silo1: DeploymentRecord) -> None:
    """Given rows that were looked at, refused or taken up, then exactly those that led nowhere leave no status."""
    claimed, refused = replace(silo1, id="claimed"), replace(silo1, id="refused")
    statuses.pending(silo1, reason="", now=START)
    statuses.invalid("bad", reason="type is missing", now=START)
    for record in (claimed, refused):
        statuses.claim(record, build_id="b", revision="r", now=START)
    statuses.failed("refused", build_id="b", reason="no", retry=False, now=START)
    statuses.invalid("refused", reason="type is missing", now=START)
    before = {name: led_somewhere(status) for name, status in sort_out(statuses.all())[0].items()}
    assert before == {"silo1": False, "bad": False, "claimed": True, "refused": True}
    for name in before:
        assert statuses.removed(name, now=START)
    assert {status.id for status in statuses.all()} == {name for name, somewhere in before.items() if somewhere}


def test_nothing_known_is_nowhere() -> None:
    assert not led_somewhere(None)
    assert led_somewhere(Status(id="silo1", phase=Phase.PENDING, observed_at=stamp(START)))


@pytest.mark.parametrize("phase", Phase)
def test_whatever_stands_is_retired_by_a_row_that_asks_for_it(phase: Phase) -> None:
    status = replace(STANDS, phase=phase)
    assert retires(BAD, status)
    for state in ("", "active", "suspended"):
        assert not retires(replace(BAD, state=state), status)


def test_where_nothing_stands_the_row_is_only_wrong() -> None:
    assert not retires(BAD, None)
    assert not retires(BAD, Status(id="silo1", phase=Phase.INVALID))
