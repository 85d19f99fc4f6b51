"""A lake in memory whose attempts go on one call at a time, in the order that a test gives: a model of the commit."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from threading import Semaphore, Thread
from typing import Any

from lambdas.lake.spark.lake import Columns, Partition, Place, Values


class Killed(BaseException):
    """The process of an attempt is gone: it calls nothing any more."""


class Refused(Exception):
    """A call has failed, or its answer was lost."""


class Step(Enum):
    """What becomes of an attempt's next call."""

    DONE = "done"
    DONE_TWICE = "done twice, as when an answer is lost and the call is repeated"
    FAILED = "failed"
    UNANSWERED = "done, and answered with an error"
    KILLED = "killed before it"


class MemoryLake:
    """See `Catalog`: each call is atomic, creating a partition is conditional."""

    def __init__(self) -> None:
        self.files: dict[str, set[int]] = {}
        self.tables: dict[Place, Columns] = {}
        self.partitions: dict[tuple[Place, Values], Partition] = {}

    def write(self, folder: str, row: int) -> None:
        self.files.setdefault(folder, set()).add(row)

    def rows(self, place: Place, values: Values) -> set[int]:
        """What a query finds."""
        partition = self.partitions.get((place, values))
        return self.files.get(partition.location, set()) if partition else set()

    def delete(self, folder: str, *, but: str = "") -> None:
        for one in [name for name in self.files if f"{name}/".startswith(f"{folder}/") and name != but]:
            del self.files[one]

    def ensure_database(self, database: str) -> None:
        del database

    def columns(self, place: Place) -> Columns | None:
        return self.tables.get(place)

    def put_columns(self, place: Place, columns: Columns, *, before: Columns | None) -> bool:
        same = self.tables.get(place) == before
        self.tables[place] = columns if same else self.tables[place]
        return same

    def partition(self, place: Place, values: Values) -> Partition | None:
        return self.partitions.get((place, values))

    def add_partition(self, place: Place, partition: Partition) -> None:
        self.partitions.setdefault((place, partition.values), partition)

    def replace_partition(self, place: Place, partition: Partition) -> None:
        self.partitions[place, partition.values] = partition


class Attempt:
    """A run of `work` in a thread of its own; `step` lets it do its next call and comes back before the one after."""

    def __init__(self, lake: MemoryLake, work: Callable[[Any], object]) -> None:
        self._lake, self._work = lake, work
        self._go, self._reached = Semaphore(0), Semaphore(0)
        self._next = Step.DONE
        self.ended = self.succeeded = False
        self.fault: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)  # a test that fails leaves it where it is
        self._thread.start()
        self._reached.acquire()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The lake, as the attempt sees it."""
        call = getattr(self._lake, name)

        def stepped(*given: Any, **named: Any) -> Any:
            if self._next is not Step.KILLED:
                self._reached.release()
                self._go.acquire()
            if self._next is Step.KILLED:
                raise Killed
            if self._next is Step.FAILED:
                raise Refused
            if self._next is Step.DONE_TWICE:
                call(*given, **named)
            answer = call(*given, **named)
            if self._next is Step.UNANSWERED:
                raise Refused
            return answer

        return stepped

    def step(self, step: Step = Step.DONE) -> None:
        """Let the next call happen."""
        if not self.ended:
            self._next = step
            self._go.release()
            self._reached.acquire()

    def kill(self) -> None:
        """End it where it is."""
        self.step(Step.KILLED)
        self._thread.join()

    def finish(self) -> None:
        """Let it go on to its end."""
        while not self.ended:
            self.step()

    def _run(self) -> None:
        try:
            self._work(self)
            self.succeeded = True
        except (Killed, Refused):
            pass
        except BaseException as error:
            self.fault = error
        self.ended = True
        self._reached.release()
