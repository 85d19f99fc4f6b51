"""Closing a run: its row gets how it ended, with the counts of its commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lambdas.common.aws_errors import ignoring
from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.lake.model.commits import GOOD, QUARANTINED, READ
from lambdas.lake.model.notices import Notice, ended, reason_of
from lambdas.lake.model.objects import AuditRow, Folder, Phase
from lambdas.lake.store.audit_table import AuditTable

_COUNTS = {"read": READ, "good": GOOD, "quarantined": QUARANTINED}


@dataclass(frozen=True, kw_only=True)
class Closing:
    """Writes how runs ended; the catalog says what was committed, so that a crash in between loses nothing."""

    audit: AuditTable
    glue: Any
    database: str
    folders: Sequence[Folder]

    def close(self, given: Mapping[str, Any]) -> Notice:
        """Close a run, and say what people are told.

        Raises:
            UnreadableError: there is no such claim.
            GranaryError: its jobs ended well, and have committed nothing.
        """
        row = self.audit.row(given["object_id"])
        if row is None:
            raise UnreadableError(f"there is no audit row {given['object_id']}")
        if row.run != given["run"]:
            return ended(replace(row, phase=Phase.FAILED, reason=f"{given['run']} ended after {row.run} had begun"))
        counts = self._committed(row)
        error = given.get("error")
        if not error and counts is None:
            raise GranaryError(f"the jobs of {row.run} ended well, but nothing of the object is in the catalog")
        phase = Phase.FAILED if error else Phase.SUCCEEDED
        row = replace(row, phase=phase, reason=reason_of(error) if error else "", **(counts or {}))
        self.audit.ended(row, phase)
        return ended(row)

    def _committed(self, row: AuditRow) -> dict[str, Any] | None:
        """The counts of the object's commit; None when there is none."""
        tables = [one.table for one in self.folders if one.dataset == row.dataset]
        if not tables:  # the dataset has gone from the configuration
            return None
        with ignoring("EntityNotFoundException"):
            answer = self.glue.get_partition(
                DatabaseName=self.database, TableName=tables[0], PartitionValues=[*row.day.split("-"), row.id]
            )
            told = answer["Partition"].get("Parameters", {})
            return {name: int(told.get(parameter, 0)) for name, parameter in _COUNTS.items()}
        return None
