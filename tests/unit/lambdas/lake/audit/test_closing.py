"""Closing runs: the row, and what people are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from lambdas.common.errors import GranaryError
from lambdas.lake.audit.closing import Closing
from lambdas.lake.model.arrivals import arrivals
from lambdas.lake.model.objects import AuditRow, Phase
from lambdas.lake.store.audit_table import AuditTable
from lambdas.lake.trigger.taking import run_input
from tests.unit.lambdas.lake.arriving import FOLDERS, Topic, body, record

COUNTS = {"granary_read": "5", "granary_good": "3", "granary_quarantined": "2"}


@pytest.fixture
def closing(make_table: Callable[[str], Any]) -> Closing:
    audit = AuditTable(client=make_table("audit"), table="audit", clock=lambda: datetime(2026, 11, 28, tzinfo=UTC))
    glue = boto3.client("glue", region_name="eu-west-1")
    glue.create_database(DatabaseInput={"Name": "conformed"})
    glue.create_table(DatabaseName="conformed", TableInput={"Name": "green_trips"})
    return Closing(audit=audit, glue=glue, database="conformed", folders=FOLDERS, sns=Topic(), topic="topic")


@pytest.fixture
def row(closing: Closing) -> AuditRow:
    (arrival,) = arrivals(body(record("tlc/green/ä.csv")))
    return closing.audit.claim(arrival, dataset="trips")


def commit(closing: Closing, row: AuditRow) -> None:
    given = {"Values": [*row.day.split("-"), row.id], "Parameters": COUNTS}
    closing.glue.create_partition(DatabaseName="conformed", TableName="green_trips", PartitionInput=given)


def test_a_run_that_succeeded(closing: Closing, row: AuditRow) -> None:
    commit(closing, row)
    notice = closing.close(run_input(row))
    assert notice.subject == "trips: loaded: ?.csv"
    assert "5 rows read: 3 good, 2 quarantined" in notice.message
    after = closing.audit.row(row.id)
    assert after
    assert (after.phase, after.read, after.good, after.quarantined) == (Phase.SUCCEEDED, 5, 3, 2)


def test_glues_own_words_reach_people(closing: Closing, row: AuditRow) -> None:
    cause = json.dumps({"JobName": "x", "ErrorMessage": "header differs: column fare is missing"})
    notice = closing.close({**run_input(row), "error": {"Error": "States.TaskFailed", "Cause": cause}})
    assert notice.subject == "trips: FAILED: ?.csv"
    assert "header differs: column fare is missing" in notice.message
    assert f"granary lake runs ENVIRONMENT --again {row.id}" in notice.message
    after = closing.audit.row(row.id)
    assert after
    assert (after.phase, after.reason) == (Phase.FAILED, "header differs: column fare is missing")


@pytest.mark.parametrize(
    "error", [{"Error": "States.Timeout"}, {"Error": "x", "Cause": "{"}, {"Error": "x", "Cause": None}]
)
def test_a_failure_without_a_cause_is_told_too(closing: Closing, row: AuditRow, error: dict[str, Any]) -> None:
    assert "FAILED" in closing.close({**run_input(row), "error": error}).subject


def test_a_success_that_committed_nothing_goes_the_way_of_failures(closing: Closing, row: AuditRow) -> None:
    with pytest.raises(GranaryError, match="nothing of the object is in the catalog"):
        closing.close(run_input(row))


def test_an_attempt_that_has_been_overtaken_changes_nothing(closing: Closing, row: AuditRow) -> None:
    closing.audit.ended(row, Phase.FAILED)
    following = closing.audit.again(row, dataset="trips")
    commit(closing, row)
    assert "FAILED" in closing.close(run_input(row)).subject
    after = closing.audit.row(row.id)
    assert after
    assert (after.phase, after.run) == (Phase.CLAIMED, following.run)


def test_a_run_whose_dataset_has_gone_fails_with_its_reason(closing: Closing, row: AuditRow) -> None:
    bare = Closing(**{**vars(closing), "folders": ()})
    assert "a fault" in bare.close({**run_input(row), "error": {"Cause": "a fault"}}).message


def _execution(row: AuditRow, **told: str) -> dict[str, str]:
    return {"name": row.run, "status": "ABORTED", **told}


def test_a_run_that_was_stopped_is_closed_and_told_once(closing: Closing, row: AuditRow) -> None:
    closing.audit.started(row)
    for _ in range(2):
        closing.close_stopped(_execution(row, cause="it took too long"))
    after = closing.audit.row(row.id)
    assert after
    assert (after.phase, after.reason) == (Phase.FAILED, "its execution ended as ABORTED: it took too long")
    assert closing.sns.subjects == ["trips: FAILED: ?.csv"]


def test_what_its_execution_has_closed_is_left_alone(closing: Closing, row: AuditRow) -> None:
    closing.close({**run_input(row), "error": {"Cause": "a fault"}})
    before = closing.audit.row(row.id)
    closing.close_stopped(_execution(row, status="FAILED"))
    assert (closing.audit.row(row.id), closing.sns.subjects) == (before, [])


@pytest.mark.parametrize("name", ["by-hand", "mine", "{id}-2"])
def test_an_execution_that_has_no_run_closes_none(closing: Closing, row: AuditRow, name: str) -> None:
    closing.close_stopped({"name": name.format(id=row.id), "status": "TIMED_OUT"})
    assert closing.audit.row(row.id) == row
    assert closing.sns.subjects == []


def test_a_stopped_run_is_not_closed_before_people_are_told(closing: Closing, row: AuditRow) -> None:
    deaf = Closing(**{**vars(closing), "sns": None})
    with pytest.raises(AttributeError):
        deaf.close_stopped(_execution(row))
    assert closing.audit.row(row.id) == row
