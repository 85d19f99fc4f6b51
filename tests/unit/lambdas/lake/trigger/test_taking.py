"""Taking in: none lost, none twice, whatever is killed, delivered again or reordered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from lambdas.common.errors import UnreadableError
from lambdas.lake.model.objects import AuditRow, Phase
from lambdas.lake.store.audit_table import AuditTable
from lambdas.lake.trigger.taking import Taking
from tests.unit.lambdas.lake.arriving import FOLDERS, Machine, Topic, body, deliver, message, record


@pytest.fixture
def taking(make_table: Callable[[str], Any]) -> Taking:
    return Taking(
        audit=AuditTable(client=make_table("audit"), table="audit", clock=lambda: datetime(2026, 11, 28, tzinfo=UTC)),
        states=Machine(),
        machine="arn",
        sns=Topic(),
        topic="topic",
        folders=FOLDERS,
    )


def rows(taking: Taking) -> list[AuditRow]:
    found = list(taking.audit.rows())
    assert not [one for one in found if isinstance(one, UnreadableError)]
    return [one for one in found if isinstance(one, AuditRow)]


def test_an_object_is_claimed_and_its_run_started(taking: Taking) -> None:
    assert taking.handle([message(body(record("tlc/green/a.csv"), record("tlc/green/2009/b.csv")))]) == []
    told = {row.key: (row.dataset, row.phase, row.day) for row in rows(taking)}
    assert told == {
        "tlc/green/a.csv": ("trips", Phase.STARTED, "2026-11-28"),
        "tlc/green/2009/b.csv": ("old", Phase.STARTED, "2026-11-28"),
    }
    assert sorted(taking.states.inputs) == sorted(row.run for row in rows(taking))


def test_markers_of_folders_are_nothing(taking: Taking) -> None:
    assert taking.handle([message(body(record("tlc/green/"), record("tlc/green_$folder$")))]) == []
    assert rows(taking) == []


def test_what_is_in_no_folder_is_kept_and_told(taking: Taking) -> None:
    assert taking.handle([message(body(record("stray.csv"), record("elsewhere/a.csv")))]) == []
    assert {row.phase for row in rows(taking)} == {Phase.REFUSED}
    assert taking.sns.subjects == ["lake: refused: stray.csv", "lake: refused: a.csv"]
    assert taking.states.inputs == {}


def test_one_bad_message_harms_only_itself(taking: Taking) -> None:
    bad, good = message("{", 1), message(body(record("tlc/green/a.csv")), 2)
    assert taking.handle([bad, good]) == ["m1"]
    assert len(taking.states.inputs) == 1


def test_a_row_that_cannot_be_read_is_delivered_again(taking: Taking) -> None:
    one = message(body(record("tlc/green/a.csv")))
    taking.handle([one])
    (row,) = rows(taking)
    key = {"id": {"S": row.id}}
    taking.audit.client.update_item(
        TableName="audit", Key=key, UpdateExpression="SET phase = :x", ExpressionAttributeValues={":x": {"N": "7"}}
    )
    assert taking.handle([one]) == ["m0"]


def test_a_duplicate_after_the_end_starts_nothing(taking: Taking) -> None:
    one = message(body(record("tlc/green/a.csv")))
    taking.handle([one])
    (row,) = rows(taking)
    taking.states.ended.add(row.run)
    assert taking.audit.ended(row, Phase.SUCCEEDED)
    assert taking.handle([one, one]) == []
    (after,) = rows(taking)
    assert (after.phase, after.attempt, len(taking.states.inputs)) == (Phase.SUCCEEDED, 1, 1)


def test_a_failed_one_is_tried_again_once(taking: Taking) -> None:
    taking.handle([message(body(record("tlc/green/a.csv")))])
    (row,) = rows(taking)
    taking.audit.ended(row, Phase.FAILED)
    following = taking.audit.again(row, dataset=row.dataset)
    with pytest.raises(UnreadableError, match="another state by now"):
        taking.audit.again(row, dataset=row.dataset)
    taking.start(following)
    assert sorted(taking.states.inputs) == [f"{row.id}-1", f"{row.id}-2"]
    assert not taking.audit.ended(row, Phase.SUCCEEDED), "the first attempt has nothing to say any more"


@pytest.mark.parametrize("seed", range(6))
def test_none_is_lost_and_none_started_twice(taking: Taking, seed: int) -> None:
    """Given messages that come twice and out of order, to functions that are killed at any call."""
    chance = Random(seed)  # noqa: S311 - it shuffles
    keys = [f"tlc/green/{number}.csv" for number in range(12)]
    messages = [message(body(*(record(key) for key in chance.sample(keys, 2))), number) for number in range(12)]
    messages += [message(body(record(key)), 100 + number) for number, key in enumerate(keys)]

    deliver(taking, [*messages, *messages], chance)
    assert sorted(row.key for row in rows(taking)) == sorted(keys)
    assert {row.phase for row in rows(taking)} == {Phase.STARTED}
    assert sorted(taking.states.inputs) == sorted(row.run for row in rows(taking))


def test_a_row_of_the_next_version_is_read(taking: Taking) -> None:
    """It has a field that this version does not know, and leaves alone."""
    taking.handle([message(body(record("tlc/green/a.csv")))])
    (row,) = rows(taking)
    assert row.size == 10
    key = {"id": {"S": row.id}}
    taking.audit.client.update_item(
        TableName="audit", Key=key, UpdateExpression="SET later = :x", ExpressionAttributeValues={":x": {"N": "7"}}
    )
    assert taking.audit.row(row.id) == row
    assert taking.audit.ended(row, Phase.FAILED)
    assert "later" in taking.audit.client.get_item(TableName="audit", Key=key)["Item"]
