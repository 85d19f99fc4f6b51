"""Which execution tells how a deployment stands, and which one how a release went."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lambdas.saas.pipeline_watch.executions import Execution
from lambdas.saas.pipeline_watch.telling import Recent, answering, telling
from tests.unit.lambdas.saas.pipeline_watch.pipelines import at


def one(name: str, status: str, *, ended: int = 0) -> Execution:
    """Make an execution."""
    return Execution(id=name, status=status, started=at(0), updated=at(ended))


def undo(name: str, status: str, *, of: str, ended: int = 0) -> Execution:
    """Make a rollback; one by hand when it is of nothing."""
    return Execution(id=name, status=status, started=at(0), updated=at(ended), rollback=True, failed_id=of)


A = one("a", "Failed", ended=10)


def told(*newest_first: Execution) -> str:
    found = telling(Recent(newest_first))
    return found.id if found else ""


def answer(own: str, *newest_first: Execution) -> str:
    found = answering(Recent(newest_first), own)
    return found.id if found else ""


def test_the_newest_tells() -> None:
    assert told(one("b", "InProgress"), A) == "b"
    assert told() == ""


@pytest.mark.parametrize(
    ("rollback", "other", "teller"),
    [
        ("InProgress", one("b", "InProgress"), "b"),
        ("Stopping", one("b", "Stopping"), "b"),
        ("Succeeded", one("b", "InProgress"), "b"),
        ("Failed", one("b", "InProgress"), "b"),
        ("InProgress", one("b", "Succeeded", ended=15), "r"),
        ("Succeeded", one("b", "Succeeded", ended=15), "r"),
        ("Succeeded", one("b", "Succeeded", ended=20), "r"),
        ("Succeeded", one("b", "Succeeded", ended=25), "b"),
        ("Failed", one("b", "Failed", ended=25), "b"),
        ("Stopped", one("b", "Stopped", ended=25), "b"),
        ("Succeeded", one("b", "Cancelled", ended=25), "b"),
        ("Succeeded", one("b", "Cancelled", ended=15), "r"),
    ],
)
def test_a_rollback_is_passed_over_for_what_waited_behind_the_failure(
    rollback: str, other: Execution, teller: str
) -> None:
    assert told(undo("r", rollback, of="a", ended=20), other, A) == teller


def test_what_is_older_than_the_failure_does_not_matter() -> None:
    assert told(undo("r", "Succeeded", of="a", ended=20), A, one("old", "InProgress", ended=30)) == "r"


def test_only_an_execution_has_the_last_word_not_another_rollback() -> None:
    later = undo("s", "InProgress", of="b")
    assert told(undo("r", "Succeeded", of="a", ended=20), later, A) == "r"
    assert told(later, undo("r", "Succeeded", of="a", ended=20), one("b", "Failed", ended=30), A) == "s"


def test_every_rollback_before_what_goes_on_is_passed_over() -> None:
    c, b = one("c", "InProgress"), one("b", "Failed", ended=20)
    assert told(undo("s", "Succeeded", of="b", ended=30), undo("r", "Failed", of="a", ended=15), c, b, A) == "c"


def test_a_rollback_by_hand_or_of_something_forgotten_tells() -> None:
    assert told(undo("r", "InProgress", of=""), one("b", "InProgress"), A) == "r"
    assert told(undo("r", "Succeeded", of="gone", ended=20), A) == "r"


def test_no_more_is_read_than_is_needed() -> None:
    read: list[str] = []

    def noted(*executions: Execution) -> Iterator[Execution]:
        for execution in executions:
            read.append(execution.id)
            yield execution

    telling(Recent(noted(one("b", "InProgress"), A)))
    assert read == ["b"]
    read.clear()
    recent = Recent(noted(undo("r", "Succeeded", of="a", ended=20), A, one("old", "Succeeded")))
    telling(recent)
    answering(recent, "a")
    assert [older.id for older in recent.newer_than("a")] == ["r"]
    assert read == ["r", "a"]
    assert [older.id for older in recent.older_than("a")] == ["old"]
    assert read == ["r", "a", "old"]


@pytest.mark.parametrize("status", ["Succeeded", "Failed", "Stopped"])
@pytest.mark.parametrize("rollback", ["InProgress", "Succeeded", "Failed", "Cancelled"])
@pytest.mark.parametrize("ended", [15, 25])
def test_the_rollback_of_an_execution_from_before_never_answers(status: str, rollback: str, ended: int) -> None:
    r = undo("r", rollback, of="a", ended=20)
    assert answer("b", r, one("b", status, ended=ended), A) == "b"
    assert answer("b", r, one("b", "InProgress"), A) == ""


@pytest.mark.parametrize("rollback", [undo("r", "Succeeded", of="b"), undo("r", "Succeeded", of="")])
def test_a_rollback_of_the_releases_own_or_by_hand_answers(rollback: Execution) -> None:
    assert answer("b", rollback, one("b", "Failed"), A) == "r"


def test_while_the_releases_own_goes_on_nothing_answers() -> None:
    assert answer("b", undo("r", "Succeeded", of=""), one("b", "Stopping"), A) == ""


def test_while_the_releases_rollback_goes_on_nothing_answers() -> None:
    assert answer("b", undo("r", "InProgress", of="b"), one("b", "Failed"), A) == ""


def test_what_follows_the_releases_own_answers() -> None:
    """Given self-mutation, then nothing is told before the next execution has ended, and its rollback counts."""
    cancelled, r = one("b", "Cancelled", ended=12), undo("r", "Succeeded", of="a", ended=20)
    assert answer("b", r, cancelled, A) == ""
    assert answer("b", one("c", "InProgress"), r, cancelled, A) == ""
    c = one("c", "Failed", ended=30)
    assert answer("b", c, r, cancelled, A) == "c"
    assert answer("b", undo("s", "Succeeded", of="c", ended=40), c, r, cancelled, A) == "s"


def test_a_list_without_the_releases_own_answers_nothing() -> None:
    assert answer("b", undo("r", "Succeeded", of="a", ended=20), A) == ""
    assert answer("b") == ""
