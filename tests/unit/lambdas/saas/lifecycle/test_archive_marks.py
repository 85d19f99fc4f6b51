"""Names and entries of archives: each end of a deployment has its own, and every service takes them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.saas.lifecycle.archive_marks import Archive
from lambdas.saas.model.names import DEPLOYMENT_ID_LIMIT
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import Phase, Placement
from tests.unit.lambdas.saas.lifecycle_fakes import COMPONENT, WORKLOAD, active, ref
from tests.unit.lambdas.saas.strategies import ids, types

DUE = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
RETIRING = active(phase=Phase.RETIRING, retire_after=stamp(DUE))
TABLE = Stateful(kind="dynamodb-table", name="silo-acme-orders")
ARCHIVE = Archive(ref=COMPONENT, stateful=TABLE, status=RETIRING, started=stamp(DUE), now=DUE)

# What RDS takes as the identifier of a cluster snapshot.
SNAPSHOT = re.compile(r"(?=.{1,63}$)[a-z][a-z0-9]*(-[a-z0-9]+)*")
prefixes = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True).filter(lambda prefix: len(prefix) <= 16)


@given(prefixes, types, ids)
def test_every_service_takes_the_name(prefix: str, kind: str, deployment_id: str) -> None:
    placed = Placement(type=kind, account=WORKLOAD, region="eu-west-1")
    archive = replace(ARCHIVE, status=replace(RETIRING, id=deployment_id, type=kind, placed=(placed,)))
    name = archive.name(prefix)
    assert SNAPSHOT.fullmatch(name)
    assert name.startswith(f"{prefix}-{kind}-"), "the archive role reaches no others"
    assert name.endswith(f"-{archive.mark}")


def test_the_longest_names_are_cut_and_stay_apart() -> None:
    one, other = (
        replace(ARCHIVE, status=replace(RETIRING, id="x" * (DEPLOYMENT_ID_LIMIT - 1) + end)).name("a" * 16)
        for end in "ab"
    )
    assert len(one) == len(other) == 63
    assert one != other


@pytest.mark.parametrize(
    "change",
    [
        {"status": replace(RETIRING, retire_after=stamp(DUE - timedelta(milliseconds=1)))},
        {"status": active("other", phase=Phase.RETIRING, retire_after=stamp(DUE))},
        {"status": active(phase=Phase.MOVING)},
        {"ref": ref("component", "silo-acme-resources", region="us-east-1")},
        {"ref": ref("component", "silo-acme-resources", account="333333333333")},
        {"stateful": replace(TABLE, name="silo-acme-carts")},
        {"stateful": replace(TABLE, kind="rds-instance")},
        {"now": DUE + timedelta(days=1)},
    ],
    ids=["retirement", "deployment", "clear-up", "Region", "account", "name", "kind", "day"],
)
def test_another_end_place_thing_or_day_has_another_archive(change: dict[str, Any]) -> None:
    other = replace(ARCHIVE, **change)
    assert other.name("granary") != ARCHIVE.name("granary")
    kept = replace(other.status, archives=(ARCHIVE.entry("backup x"),))
    assert not replace(other, status=kept).taken


@pytest.mark.parametrize(
    "change",
    [
        {"now": DUE + timedelta(hours=23, minutes=59)},
        {"now": DUE - timedelta(seconds=1)},
        {"started": stamp(DUE + timedelta(hours=3))},
        {"ref": replace(COMPONENT, stack_id="silo-acme-resources")},
        {"status": replace(RETIRING, reason="x", archives=("an archive of another time",))},
    ],
    ids=["late", "clock", "machine", "stack by name", "other archives"],
)
def test_every_machine_and_try_of_a_retirements_day_finds_the_same(change: dict[str, Any]) -> None:
    other = replace(ARCHIVE, **change)
    assert other.name("granary") == ARCHIVE.name("granary")
    kept = replace(other.status, archives=(*other.status.archives, ARCHIVE.entry("backup x")))
    assert replace(other, status=kept).taken


CLEAR_UP = replace(ARCHIVE, status=active(phase=Phase.MOVING, build_id="b1"))


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"started": stamp(DUE + timedelta(hours=3))}, True),
        ({"status": active(phase=Phase.ACTIVE, build_id="b1", retire_after=stamp(DUE))}, True),
        # One machine's own archive may take until the next day.
        ({"now": DUE + timedelta(days=1)}, True),
        ({"started": stamp(DUE + timedelta(days=1))}, False),
        ({"status": active(phase=Phase.MOVING, build_id="b2")}, False),
    ],
    ids=["machine", "phase", "slow", "day", "another move"],
)
def test_machines_of_one_day_and_move_find_the_same(change: dict[str, Any], same: bool) -> None:
    assert (replace(CLEAR_UP, **change).name("granary") == CLEAR_UP.name("granary")) is same
