"""Why a stack failed, from its events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdas.common.stack_events import StackFailures, failure_reason
from tests.unit.lambdas.saas.fakes import Paged, PagingClient

BEGAN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STACK_ID = "arn:aws:cloudformation:eu-west-1:222222222222:stack/silo-silo1-resources/1"
CANCELLED = "Resource creation cancelled"
QUOTA = "The maximum number of addresses has been reached."


def event(second: int, logical_id: str, status: str, reason: str = "", **other: Any) -> dict[str, Any]:
    return {
        "StackId": STACK_ID,
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": other.get("physical_id", f"{logical_id}-physical"),
        "ResourceType": other.get("kind", "AWS::EC2::EIP"),
        "ResourceStatus": status,
        "Timestamp": BEGAN + timedelta(seconds=second),
        **({"ResourceStatusReason": reason} if reason else {}),
    }


def of_stack(second: int, status: str, reason: str = "") -> dict[str, Any]:
    kind = "AWS::CloudFormation::Stack"
    return event(second, "silo-silo1-resources", status, reason, kind=kind, physical_id=STACK_ID)


FAILED_CREATION = [
    of_stack(0, "CREATE_IN_PROGRESS", "User Initiated"),
    event(1, "Vpc", "CREATE_COMPLETE"),
    event(2, "Address", "CREATE_FAILED", QUOTA),
    event(3, "Queue", "CREATE_FAILED", CANCELLED, kind="AWS::SQS::Queue"),
    of_stack(4, "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Address, Queue]."),
    event(5, "Vpc", "DELETE_FAILED", "has dependencies"),
    of_stack(6, "ROLLBACK_FAILED"),
]
LATER_UPDATE = [
    of_stack(10, "UPDATE_IN_PROGRESS"),
    event(11, "Table", "UPDATE_COMPLETE"),
    of_stack(12, "UPDATE_COMPLETE"),
]


def newest_first(*operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for operation in operations for event in operation][::-1]


def test_the_first_failure_is_the_cause() -> None:
    assert failure_reason(newest_first(FAILED_CREATION)) == f"Address (AWS::EC2::EIP): {QUOTA}"


def test_only_the_newest_operation_counts() -> None:
    assert failure_reason(newest_first(FAILED_CREATION, LATER_UPDATE)) is None


def test_older_events_are_not_even_read() -> None:
    events = iter(newest_first(FAILED_CREATION, LATER_UPDATE))
    failure_reason(events)
    assert len(list(events)) == len(FAILED_CREATION)


@pytest.mark.parametrize("word", ["creation", "update", "deletion"])
def test_what_was_cancelled_is_no_cause(word: str) -> None:
    events = [
        of_stack(0, "UPDATE_IN_PROGRESS"),
        event(1, "Queue", "UPDATE_FAILED", f"Resource {word} cancelled"),
        event(2, "Address", "CREATE_FAILED", QUOTA),
    ]
    assert failure_reason(newest_first(events)) == f"Address (AWS::EC2::EIP): {QUOTA}"


def test_a_stack_that_fails_before_its_resources_tells_itself() -> None:
    events = [of_stack(0, "CREATE_IN_PROGRESS"), of_stack(1, "ROLLBACK_IN_PROGRESS", "Hook refused")]
    told = failure_reason(newest_first(events))
    assert told == "silo-silo1-resources (AWS::CloudFormation::Stack): Hook refused"


def test_a_nested_stacks_failure_is_a_resources() -> None:
    nested = event(1, "Network", "CREATE_FAILED", "Embedded stack failed", kind="AWS::CloudFormation::Stack")
    events = [of_stack(0, "CREATE_IN_PROGRESS"), nested, of_stack(2, "ROLLBACK_IN_PROGRESS", "failed")]
    told = failure_reason(newest_first(events))
    assert told == "Network (AWS::CloudFormation::Stack): Embedded stack failed"


def test_a_failure_without_a_reason_says_so() -> None:
    events = [of_stack(0, "DELETE_IN_PROGRESS"), event(1, "Bucket", "DELETE_FAILED")]
    told = failure_reason(newest_first(events))
    assert told == "Bucket (AWS::EC2::EIP): DELETE_FAILED, CloudFormation gives no reason"


def test_events_before_the_given_time_are_not_looked_at() -> None:
    events = newest_first(FAILED_CREATION)
    assert failure_reason(events, since=BEGAN + timedelta(seconds=7)) is None
    assert failure_reason(events, since=BEGAN) == f"Address (AWS::EC2::EIP): {QUOTA}"


def test_no_events_no_reason() -> None:
    assert failure_reason([]) is None


def test_events_are_read_page_by_page() -> None:
    events = newest_first(FAILED_CREATION, LATER_UPDATE, FAILED_CREATION)
    paged = Paged(pages=[{"StackEvents": events[:3]}, {"StackEvents": events[3:9]}, {"StackEvents": events[9:]}])
    failures = StackFailures(client=PagingClient(paged))
    assert failures.first("silo-silo1-resources") == f"Address (AWS::EC2::EIP): {QUOTA}"
    assert (paged.read, paged.asked) == (2, {"StackName": "silo-silo1-resources"})
