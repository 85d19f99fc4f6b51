"""Runs of tasks around deployments, in the releases table: every write under the condition of what was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common import dynamo
from lambdas.common.errors import UnreadableError
from lambdas.common.versioned_json import plain
from lambdas.saas.model.task_runs import TaskRun

# What tells one write from the next; a later version may write more into `run`.
_KNOWN_BY = ("execution", "attempt", "job", "state")


class TaskRuns(Protocol):
    """Port to what is kept of tasks' runs; `write` answers whether nobody has written since `was` was read."""

    def get(self, key: str) -> TaskRun | None: ...
    def write(self, run: TaskRun, was: TaskRun | None) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class TaskRunsTable:
    """The releases table in DynamoDB."""

    client: Any
    name: str

    def get(self, key: str) -> TaskRun | None:
        """Read the newest run of a task.

        Raises:
            UnreadableError: it is of a later version, or spoilt.
        """
        item = dynamo.get(self.client, table=self.name, key=key)
        if item is None:
            return None
        spoilt = f"item {key} of the releases table cannot be read"
        try:
            run = TaskRun.from_json(str(item.get("run", "")))
        except ValueError as error:
            raise UnreadableError(f"{spoilt}: {error}; delete it") from error
        # Otherwise no write would be in its place, and jobs go on for as long as CodePipeline waits.
        if others := [name for name in _KNOWN_BY if item.get(name) != plain(getattr(run, name))]:
            raise UnreadableError(f"{spoilt}: {', '.join(others)} are not those of its run; delete it")
        return run

    def write(self, run: TaskRun, was: TaskRun | None) -> bool:
        """Write a run in the place of the one that was read."""
        condition, values = "attribute_not_exists( #id )", {}
        if was:
            condition = " AND ".join(f"#{name} = :was_{name}" for name in _KNOWN_BY)
            values = {f"was_{name}": plain(getattr(was, name)) for name in _KNOWN_BY}
        sets = {"run": run.to_json(), **{name: plain(getattr(run, name)) for name in _KNOWN_BY}}
        return dynamo.update(self.client, table=self.name, key=run.id, sets=sets, condition=condition, values=values)
