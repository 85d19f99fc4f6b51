"""The commit protocol as a model: whatever is killed, fails or runs at the same time, each row is in one place."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.common.errors import GranaryError
from lambdas.lake.model.commits import CODE, REST
from lambdas.lake.model.datasets import QUARANTINE_COLUMNS
from lambdas.lake.spark.committing import carry_out, grown, prepare, settle
from lambdas.lake.spark.lake import Catalog, Partition, Place
from tests.unit.lambdas.lake.spark.memory_lake import Attempt, MemoryLake, Step

ROWS = frozenset(range(4))
VALUES = ("2026", "01", "31", "0" * 32)
TABLE = Place(root="s3://conformed", database="conformed", table="trips")
QUARANTINE = Place(root="s3://conformed", database="conformed", table="trips_quarantine")
COLUMNS = (("id", "int"),)


def work(lake: Catalog, *, name: str, good: frozenset[int]) -> Partition:
    """An attempt whose code takes some of the rows for good ones; each row is written by a call of its own."""

    def write(folder: str, rest: str) -> dict[str, str]:
        for row in sorted(ROWS):
            lake.write(folder if row in good else rest, row)  # type: ignore[attr-defined]
        return {CODE: ",".join(map(str, sorted(good)))}

    return carry_out(lake, TABLE, values=VALUES, columns=COLUMNS, attempt=name, write=write, quarantine=QUARANTINE)


def start(lake: MemoryLake, number: int, good: frozenset[int]) -> Attempt:
    return Attempt(lake, lambda seen: work(seen, name=f"run-{number}", good=good))


def check(lake: MemoryLake, *, same_code: bool) -> None:
    """What everybody may count on at any moment."""
    for place, kind in ((TABLE, True), (QUARANTINE, False)):
        partition = lake.partition(place, VALUES)
        if partition:
            good = frozenset(map(int, filter(None, partition.parameters[CODE].split(","))))
            assert lake.rows(place, VALUES) == (good if kind else ROWS - good), "all rows of an attempt, never some"
    committed = lake.partition(TABLE, VALUES)
    if committed:
        rest = lake.files.get(committed.parameters[REST], set())
        assert sorted([*lake.rows(TABLE, VALUES), *rest]) == sorted(ROWS)
        if same_code:
            assert lake.rows(QUARANTINE, VALUES) == rest


def check_end(lake: MemoryLake) -> None:
    """After a run that nobody disturbs, each row is in one of table and quarantine."""
    last = start(lake, 99, frozenset())
    last.finish()
    assert last.fault is None
    both = [*lake.rows(TABLE, VALUES), *lake.rows(QUARANTINE, VALUES)]
    assert sorted(both) == sorted(ROWS), "each once"


SPLITS = st.frozensets(st.sampled_from(sorted(ROWS)))
# Most calls succeed, so that most attempts come to their end.
STEPS = st.sampled_from([*Step, *[Step.DONE] * 40])
MOVES = st.lists(st.tuples(st.integers(0, 2), STEPS), max_size=80)


@settings(max_examples=400, deadline=None)
@given(splits=st.lists(SPLITS, min_size=2, max_size=3), same=st.booleans(), moves=MOVES)
def test_no_interleaving_of_attempts_loses_a_row_or_has_it_twice(
    splits: list[frozenset[int]], same: bool, moves: list[tuple[int, Step]]
) -> None:
    """Calls fail, are done twice or unanswered, attempts are killed, and their codes may judge rows differently."""
    lake = MemoryLake()
    attempts = [start(lake, number, splits[0] if same else good) for number, good in enumerate(splits)]
    committed = None
    for index, step in moves:
        attempts[index % len(attempts)].step(step)
        # Once one has come to its end, whoever comes late changes nothing that can be seen.
        check(lake, same_code=same or any(attempt.succeeded for attempt in attempts))
        there = lake.partition(TABLE, VALUES)
        assert committed in (None, there), "what is committed never changes"
        committed = there
    for attempt in attempts:
        attempt.kill()
    assert [attempt.fault for attempt in attempts if attempt.fault] == []
    check(lake, same_code=same)
    check_end(lake)


def calls_of_a_run() -> int:
    lake, count = MemoryLake(), 0
    attempt = start(lake, 0, ROWS)
    while not attempt.ended:
        attempt.step()
        count += 1
    return count


@pytest.mark.parametrize("codes", [(frozenset({1}), frozenset({1})), (frozenset({1}), frozenset({1, 2}))])
def test_two_attempts_may_be_killed_at_any_two_calls(codes: Sequence[frozenset[int]]) -> None:
    """One after the other, all pairs of calls."""
    calls = calls_of_a_run()
    assert calls > 10
    for killed in product(range(calls), repeat=2):
        lake = MemoryLake()
        for number, (good, calls_done) in enumerate(zip(codes, killed, strict=True)):
            attempt = start(lake, number, good)
            for _ in range(calls_done):
                attempt.step()
                check(lake, same_code=codes[0] == codes[1])
            attempt.kill()
        check_end(lake)


def test_one_that_comes_late_changes_nothing_that_can_be_seen() -> None:
    """It may sleep at any call while another, of other code, does all of the work."""
    for asleep in range(calls_of_a_run()):
        lake = MemoryLake()
        late = start(lake, 0, frozenset({1}))
        for _ in range(asleep):
            late.step()
        work(lake, name="run-1", good=frozenset({1, 2}))
        while not late.ended:
            check(lake, same_code=True)
            late.step()
        assert (late.succeeded, late.fault) == (True, None)
        check(lake, same_code=True)


def test_one_that_is_done_is_not_done_again() -> None:
    lake = MemoryLake()
    work(lake, name="run-0", good=ROWS)
    before = dict(lake.files)
    answer = work(lake, name="run-1", good=frozenset())
    assert answer.location.endswith("/run-0")
    assert lake.files == before


def test_nobody_leaves_what_an_attempt_that_was_killed_has_written() -> None:
    lake = MemoryLake()
    killed = start(lake, 0, frozenset({0, 1}))
    for _ in range(4):
        killed.step()
    killed.kill()
    assert lake.files
    lake.write(f"{TABLE.object_folder((*VALUES[:3], '1' * 32))}/run-0", 0)  # another object's
    work(lake, name="run-1", good=frozenset({0}))
    left = {folder.split("=")[-1] for folder in lake.files}
    assert left == {f"{'0' * 32}/run-1", f"{'1' * 32}/run-0"}


def test_the_loser_leaves_no_files() -> None:
    lake = MemoryLake()
    slow = start(lake, 0, frozenset({0, 1}))
    for _ in range(3):
        slow.step()
    work(lake, name="run-1", good=frozenset({0}))
    slow.finish()
    assert {folder.rpartition("/")[2] for folder in lake.files} == {"run-1"}
    assert (lake.rows(TABLE, VALUES), lake.rows(QUARANTINE, VALUES)) == ({0}, {1, 2, 3})


def test_what_failed_before_the_commit_leaves_no_files() -> None:
    lake = MemoryLake()
    prepare(lake, TABLE, (("id", "string"),))
    with pytest.raises(GranaryError, match=r"id is string, not int\. What is written stays"):
        work(lake, name="run-0", good=ROWS)
    assert (lake.files, lake.partitions) == ({}, {})


def test_a_partition_that_somebody_else_has_made_stops_the_job() -> None:
    lake = MemoryLake()
    lake.add_partition(TABLE, Partition(values=VALUES, location="s3://crawled", columns=COLUMNS, parameters={}))
    with pytest.raises(GranaryError, match="was made by somebody else, a crawler perhaps: remove it"):
        work(lake, name="run-0", good=ROWS)


def test_a_table_grows_and_keeps_what_it_has() -> None:
    lake = MemoryLake()
    prepare(lake, TABLE, (("id", "int"), ("old", "date")))
    prepare(lake, TABLE, (("new", "string"), ("id", "int")))
    assert lake.tables[TABLE] == (("id", "int"), ("old", "date"), ("new", "string"))


def test_a_table_of_other_types_is_refused_with_every_column() -> None:
    with pytest.raises(GranaryError, match="a is int, not string, b is date, not timestamp"):
        grown((("a", "int"), ("b", "date")), (("a", "string"), ("b", "timestamp")), table="trips")


def test_a_table_that_others_change_all_the_time_is_given_up() -> None:
    class Busy(MemoryLake):
        def put_columns(self, *_given: object, **_named: object) -> bool:
            return False

    with pytest.raises(GranaryError, match="is being changed by others: run the job again"):
        prepare(Busy(), TABLE, COLUMNS)


def test_without_a_partition_nothing_is_settled() -> None:
    lake = MemoryLake()
    assert settle(lake, TABLE, VALUES, quarantine=QUARANTINE) is None
    assert lake.partitions == {}
    assert QUARANTINE_COLUMNS[0] == ("row", "string")
