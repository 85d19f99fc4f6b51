"""The audit table: one row for each object version, claimed before anything is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lambdas.common import dynamo
from lambdas.common.aws_errors import ignoring
from lambdas.common.clock import stamp
from lambdas.common.errors import UnreadableError
from lambdas.common.versioned_json import plain, read
from lambdas.lake.model.objects import Arrival, AuditRow, Phase

_REASON = 1_000


@dataclass(frozen=True, kw_only=True)
class AuditTable:
    """Reads and writes audit rows; every write is safe to repeat."""

    client: Any
    table: str
    clock: Callable[[], datetime]

    def row(self, object_id: str) -> AuditRow | None:
        """What is known of an object version.

        Raises:
            UnreadableError: its row cannot be read.
        """
        item = dynamo.get(self.client, table=self.table, key=object_id)
        return _row(item) if item else None

    def rows(self) -> Iterator[AuditRow | UnreadableError]:
        """All rows, page by page; one that cannot be read is an error that names it."""
        for item in dynamo.scan_pages(self.client, table=self.table):
            try:
                yield _row(item)
            except UnreadableError as error:
                yield error

    def claim(self, arrival: Arrival, *, dataset: str) -> AuditRow:
        """Claim an object version, or read who has; whoever claims one writes its day and dataset for good."""
        now = stamp(self.clock())
        row = AuditRow(
            id=arrival.object.id,
            bucket=arrival.object.bucket,
            key=arrival.object.key,
            version=arrival.object.version,
            day=arrival.day,
            size=arrival.size,
            dataset=dataset,
            phase=Phase.CLAIMED if dataset else Phase.REFUSED,
            reason=""
            if dataset
            else "it is in no dataset's folder: add a dataset, and `granary lake runs ENVIRONMENT --again`",
            claimed_at=now,
            updated_at=now,
        )
        item = {name: dynamo.write_value(value) for name, value in _item(row).items()}
        with ignoring("ConditionalCheckFailedException"):
            self.client.put_item(TableName=self.table, Item=item, ConditionExpression="attribute_not_exists(id)")
            return row
        claimed = self.row(row.id)
        if claimed is None:
            raise UnreadableError(f"the audit row of {row.key} is gone again: send its message once more")
        return claimed

    def started(self, row: AuditRow) -> None:
        """Note that a run has been started; one that has ended since then stays so."""
        self._move(row, Phase.STARTED, came_from=(Phase.CLAIMED,))

    def ended(self, row: AuditRow, phase: Phase) -> bool:
        """Write how a run ended, with its counts and reason; False when another run has the object by now."""
        return self._move(row, phase, came_from=(Phase.CLAIMED, Phase.STARTED, phase))

    def again(self, row: AuditRow, *, dataset: str) -> AuditRow:
        """Claim for another attempt what has failed or was refused.

        Raises:
            UnreadableError: it is in another state by now.
        """
        following = replace(row, attempt=row.attempt + 1, phase=Phase.CLAIMED, dataset=dataset, reason="")
        held = dynamo.update(
            self.client,
            table=self.table,
            key=row.id,
            sets={
                "attempt": following.attempt,
                "phase": following.phase.value,
                "dataset": dataset,
                "updated_at": stamp(self.clock()),
            },
            removes=("reason",),
            condition="#phase IN ( :failed , :refused ) AND #attempt = :now",
            values={"failed": Phase.FAILED.value, "refused": Phase.REFUSED.value, "now": row.attempt},
        )
        if not held:
            raise UnreadableError(f"{row.key} is in another state by now: look again with `granary lake runs`")
        return following

    def _move(self, row: AuditRow, phase: Phase, *, came_from: tuple[Phase, ...]) -> bool:
        named = {f"from{number}": one.value for number, one in enumerate(came_from)}
        counts = {name: getattr(row, name) for name in ("read", "good", "quarantined") if getattr(row, name)}
        return dynamo.update(
            self.client,
            table=self.table,
            key=row.id,
            sets={"phase": phase.value, "updated_at": stamp(self.clock()), "reason": row.reason[:_REASON], **counts},
            condition=f"#attempt = :mine AND #phase IN ( {' , '.join(f':{name}' for name in named)} )",
            values={"mine": row.attempt, **named},
        )


def _item(row: AuditRow) -> dict[str, Any]:
    # Conditions look at these, so they are there whatever they are.
    return {**plain(row), "phase": row.phase.value, "attempt": row.attempt}


def _row(item: dict[str, Any]) -> AuditRow:
    try:
        return read(AuditRow, item)
    except ValueError as error:
        raise UnreadableError(f"the audit row {item.get('id')!r} cannot be read: {error}") from error
