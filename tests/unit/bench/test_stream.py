"""The simulated event source mapping: batches, checkpoints and repeated deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tests.bench.burst.simulation import Process, Simulation
from tests.bench.burst.stream import Delivery, Record, Stream

TWO = Delivery(batch_size=2, window_seconds=1.0)


class Function:
    """Remembers what was delivered and when; fails from an id on as often as `failures` says."""

    def __init__(self, simulation: Simulation, failures: dict[str, int] | None = None) -> None:
        self._simulation = simulation
        self._failures = failures or {}
        self.delivered: list[tuple[float, list[str]]] = []

    def __call__(self, batch: Sequence[Record], process: Process) -> Sequence[str]:
        ids = [record["dynamodb"]["Keys"]["id"]["S"] for record in batch]
        self.delivered.append((self._simulation.now, ids))
        process.sleep(10)
        for record, key in zip(batch, ids, strict=True):
            if self._failures.get(key):
                self._failures[key] -= 1
                return [record["dynamodb"]["SequenceNumber"]]
        return []


def deliver(
    delivery: Delivery, *, failures: dict[str, int] | None = None, rows: int = 3
) -> list[tuple[float, list[str]]]:
    simulation = Simulation()
    function = Function(simulation, failures)
    stream = Stream(simulation, delivery=delivery, function=function)
    for number in range(rows):
        simulation.after(0, lambda number=number: stream.put({"id": f"t{number}"}))  # type: ignore[misc]
    simulation.run()
    assert stream.batches == len(function.delivered)
    return function.delivered


def test_batches_come_in_order_and_one_at_a_time() -> None:
    assert deliver(TWO) == [(1, ["t0", "t1"]), (12, ["t2"])]


def test_a_batch_comes_again_from_the_record_that_failed_and_takes_newer_ones_along() -> None:
    assert deliver(TWO, failures={"t1": 1}) == [(1, ["t0", "t1"]), (12, ["t1", "t2"])]


def test_retries_that_get_nowhere_become_rarer() -> None:
    times = [time for time, _ in deliver(TWO, failures={"t0": 8}, rows=1)]
    waits = [later - earlier - 10 for earlier, later in pairwise(times)]
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]


def test_a_batch_can_be_delivered_twice() -> None:
    twice = Delivery(batch_size=2, window_seconds=1.0, times=2)
    assert [ids for _, ids in deliver(twice)] == [["t0", "t1"], ["t0", "t1"], ["t2"], ["t2"]]
