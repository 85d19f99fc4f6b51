"""Runs and releases as they are kept in AWS: reading them, starting machines, answering approvals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from cli.saas.progress import Failure, Sight
from lambdas.common import dynamo
from lambdas.common.errors import UnreadableError
from lambdas.common.written import as_written
from lambdas.saas.model.lineage import in_force
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import CURRENT, Ring, Run, nameable, readable_rings, release_id, run_id
from lambdas.saas.model.status import BAD_OUTCOMES
from lambdas.saas.store.release_starts import ReleaseMachine, Started, start_run
from lambdas.saas.store.runs_table import RunsTable, kept_release


@dataclass(frozen=True, kw_only=True)
class ReleaseDesk:
    """Everything that the commands about releases call."""

    dynamodb: Any
    stepfunctions: Any
    runs: RunsTable
    status_table: str
    machine_arn: str

    @property
    def machine(self) -> ReleaseMachine:
        return ReleaseMachine(client=self.stepfunctions, machine_arn=self.machine_arn)

    def published(self) -> Iterator[Release]:
        """Yield every release that is kept and can be read, in no order."""
        for item in self._items(release_id("")):
            with suppress(ValueError):  # whoever asks for that one by its revision is told
                yield kept_release(item)

    def all_runs(self) -> Iterator[Run]:
        """Yield every run that can be read, in no order."""
        for item in self._items(run_id("")):
            with suppress(ValueError):  # as above
                yield Run.from_item(item)

    def _items(self, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.runs.name,
            ConsistentRead=True,
            FilterExpression="begins_with(id, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": prefix}},
        )
        return (dynamo.read_item(item) for page in pages for item in page["Items"])

    def current(self) -> Run | None:
        """The run that is in force."""
        return in_force(self.runs)

    def rings(self, run: Run) -> list[Ring]:
        """The rings of a run; for one that is spoilt the run stops as soon as it goes on, so the others can be told."""
        try:
            return self.runs.rings(run)
        except UnreadableError:
            return [*readable_rings(self.runs, run)]

    def forget_current(self) -> bool:
        """Remove the item that says which run is in force, if it names none."""
        run = (dynamo.get(self.dynamodb, table=self.runs.name, key=CURRENT) or {}).get("run")
        condition, values = "NOT attribute_type( #run , :text )", {"text": "S"}
        if isinstance(run, str):
            with suppress(ValueError):
                nameable(run)
                return False  # somebody has mended it meanwhile
            condition, values = "#run = :seen", {"seen": run}
        return dynamo.delete(self.dynamodb, table=self.runs.name, key=CURRENT, condition=condition, values=values)

    def start(self, name: str, *, release: Release, resumes: str = "", everyone: bool = False) -> Started:
        """Start a run; one that was started with this name already is the same run, unless it came to nothing."""
        return start_run(self.machine, name, release=release, resumes=resumes, everyone=everyone, runs=self.runs)

    def look(self, name: str, before: Sight | None = None) -> Sight:
        """Look at a run; the failed ones are read again only when there are more of them than `before`."""
        run, execution = self.runs.run(name), ""
        if run is None:
            execution = self.machine.status(name)
            run = self.runs.run(name)  # what an execution that is over has written is there now
        sight = Sight(name=name, run=run, execution=execution)
        if sight.over:
            sight = replace(sight, in_force=self.runs.current() == name)
        if not run:
            return sight
        sight = replace(sight, rings=self.rings(run), failures=before.failures if before else ())
        if before and before.failed_count() == sight.failed_count() and before.over == sight.over:
            return sight
        return replace(sight, failures=tuple(self._failures(name)) if sight.failed_count() else ())

    def _failures(self, name: str) -> list[Failure]:
        outcomes = {f":o{index}": {"S": str(outcome)} for index, outcome in enumerate(sorted(BAD_OUTCOMES))}
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.status_table,
            ConsistentRead=True,
            FilterExpression=f"release_run = :run AND release_outcome IN ({', '.join(outcomes)})",
            ProjectionExpression="id, release_ring, release_outcome, release_reason",
            ExpressionAttributeValues={":run": {"S": name}, **outcomes},
        )
        found = [dynamo.read_item(item) for page in pages for item in page["Items"]]
        failures = [
            Failure(
                id=item["id"],
                ring=_told(item.get("release_ring")),
                outcome=item["release_outcome"],
                reason=_told(item.get("release_reason")),
            )
            for item in found
        ]
        return sorted(failures, key=lambda failure: failure.id)


def _told(value: object) -> str:
    """Of a status that cannot be read, an attribute may be anything."""
    return value if isinstance(value, str) else "" if value is None else as_written(value)
