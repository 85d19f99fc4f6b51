"""A build or a function of N with the rows and statuses of N+1, in which a tenant stands in two places.

N is what was deployed before there were standbys (fc91d95). It knows one place: what stands anywhere else it takes for
left behind, and deletes it after a move. So it must not read such a status at all; of what it cannot read, it does
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lambdas.common import dynamo
from lambdas.common.versioned_json import read
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Placement, Status
from lambdas.saas.store.tables import CLAIM_LEASE, StatusTable
from tests.unit.lambdas.saas.fakes import START
from tests.unit.lambdas.saas.store.test_statuses_contract import LATER, PIPELINE_STACK, provision

pytestmark = pytest.mark.slow

RECORD = DeploymentRecord(id="silo1", type="silo", account="222222222222", region="eu-west-1")
BOTH = replace(RECORD, standby_region="us-east-1")


@dataclass(frozen=True, kw_only=True)
class StatusOfN:
    """The part of N's status by which it tells what stands where; its other fields are read as they are now."""

    placed: Placement | None = None


@pytest.fixture
def status_table(make_table: Callable[[str], Any]) -> StatusTable:
    return StatusTable(client=make_table("statuses"), name="statuses")


def item(table: StatusTable) -> dict[str, Any]:
    found = dynamo.get(table.client, table=table.name, key="silo1")
    assert found is not None
    return found


def provisioned_again(table: StatusTable, record: DeploymentRecord) -> None:
    before = table.get("silo1")
    later = LATER + CLAIM_LEASE  # whoever held it has died
    assert table.claim(record, build_id="b2", revision="r", now=later, moving=before)
    assert table.provisioned(record, build_id="b2", stack=PIPELINE_STACK, now=LATER)


def test_n_reads_what_stands_in_one_place_as_ever(status_table: StatusTable) -> None:
    provision(status_table, RECORD)
    assert read(StatusOfN, item(status_table)).placed == Placement(
        type="silo", account="222222222222", region="eu-west-1"
    )


def test_n_refuses_what_stands_in_two_places(status_table: StatusTable) -> None:
    provision(status_table, BOTH)
    with pytest.raises(ValueError, match=r"^placed: .* is no object"):
        read(StatusOfN, item(status_table))


def test_n_refuses_it_from_the_claim_on(status_table: StatusTable) -> None:
    """Given a build that dies when it may have deployed the pipeline, then N does not take it for one place either."""
    assert status_table.claim(BOTH, build_id="b1", revision="r", now=START)
    assert item(status_table)["placed"] == []
    provisioned_again(status_table, RECORD)
    before = status_table.get("silo1")
    assert status_table.claim(BOTH, build_id="b3", revision="r", now=LATER, moving=before)
    assert isinstance(item(status_table)["placed"], list)
    after = status_table.get("silo1")
    assert isinstance(after, Status)
    assert after.places == RECORD.places


def test_n_reads_it_again_when_the_standby_was_dropped(status_table: StatusTable) -> None:
    """Given a standby that was dropped, then N clears up after it as after a move: nothing is forgotten."""
    provision(status_table, BOTH)
    provisioned_again(status_table, RECORD)
    written = item(status_table)
    assert read(StatusOfN, written).placed == Placement(type="silo", account="222222222222", region="eu-west-1")
    assert "standby_region" not in written


def test_what_n_wrote_is_read_and_gets_its_standby(status_table: StatusTable) -> None:
    """Given a status of N, whose place is one object, when its row gets a standby, then N refuses what is written."""
    provision(status_table, RECORD)
    assert isinstance(item(status_table)["placed"], dict)
    before = status_table.get("silo1")
    assert isinstance(before, Status)
    assert before.places == RECORD.places
    provisioned_again(status_table, BOTH)
    after = status_table.get("silo1")
    assert isinstance(after, Status)
    assert after.places == BOTH.places
    with pytest.raises(ValueError, match=r"^placed: "):
        read(StatusOfN, item(status_table))
