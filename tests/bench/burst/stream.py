"""A simulated stream of one shard, and the event source mapping that delivers it to a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.burst.simulation import Process, Simulation

Record = dict[str, Any]
_FIRST_RETRY_SECONDS = 1.0
_LAST_RETRY_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How batches are formed; `times` is how often each batch that was handled is delivered (at least once)."""

    batch_size: int
    window_seconds: float
    times: int = 1


class Stream:
    """Delivers records in their order, one batch at a time, and again from the record that the function names.

    As Lambda does for one shard (https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html):
    the function is not called with newer records before the older ones are handled, and a batch that is delivered again
    takes along what has come meanwhile. How long Lambda waits before that is not documented: here 1 s, doubling up to
    60 s while nothing gets on.
    """

    def __init__(
        self,
        simulation: Simulation,
        *,
        delivery: Delivery,
        function: Callable[[Sequence[Record], Process], Sequence[str]],
    ) -> None:
        self._simulation = simulation
        self._delivery = delivery
        self._function = function
        self._records: list[Record] = []
        self._position = 0
        self._busy = False
        self._retry_seconds = _FIRST_RETRY_SECONDS
        self._left = delivery.times
        self.batches = 0

    def put(self, row: Mapping[str, str]) -> None:
        """Add the record of a row that was inserted."""
        self._records.append(
            {
                "eventName": "INSERT",
                "dynamodb": {
                    "Keys": {"id": {"S": row["id"]}},
                    "NewImage": {name: {"S": value} for name, value in row.items()},
                    "SequenceNumber": f"{len(self._records):021}",
                },
            }
        )
        self._wake()

    def _wake(self) -> None:
        if not self._busy and self._position < len(self._records):
            self._busy = True
            self._simulation.after(self._delivery.window_seconds, self._deliver)

    def _deliver(self) -> None:
        self._invoke(self._records[self._position : self._position + self._delivery.batch_size])

    def _invoke(self, batch: Sequence[Record]) -> None:
        self.batches += 1
        self._simulation.start(lambda process: self._settle(batch, self._function(batch, process)))

    def _settle(self, batch: Sequence[Record], again: Sequence[str]) -> None:
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        handled = min(map(numbers.index, again), default=len(batch))
        if again:
            self._retry_seconds = _FIRST_RETRY_SECONDS if handled else min(2 * self._retry_seconds, _LAST_RETRY_SECONDS)
            self._move(handled)
            self._simulation.after(self._retry_seconds, self._deliver)
            return
        self._left -= 1
        if self._left:
            self._invoke(batch)
            return
        self._move(handled)
        self._busy = False
        self._wake()

    def _move(self, handled: int) -> None:
        self._position += handled
        self._left = self._delivery.times
        if handled:
            self._retry_seconds = _FIRST_RETRY_SECONDS
