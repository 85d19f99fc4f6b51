"""Closing a run: its row gets how it ended, with the counts of its commit."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lambdas.common.aws_errors import ignoring
from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.lake.model.commits import GOOD, QUARANTINED, READ
from lambdas.lake.model.notices import Notice, ended, reason_of
from lambdas.lake.model.objects import AuditRow, Folder, Phase
from lambdas.lake.store.audit_table import AuditTable

logger = logging.getLogger(__name__)
_COUNTS = {"read": READ, "good": GOOD, "quarantined": QUARANTINED}


@dataclass(frozen=True, kw_only=True)
class Closing:
    """Writes how runs ended; the catalog says what was committed, so that a crash in between loses nothing."""

    audit: AuditTable
    glue: Any
    database: str
    folders: Sequence[Folder]
    sns: Any
    topic: str

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
        if error := given.get("error"):
            row = replace(row, phase=Phase.FAILED, reason=reason_of(error), **(counts or {}))
        elif counts is None:
            raise GranaryError(f"the jobs of {row.run} ended well, but nothing of the object is in the catalog")
        else:
            row = replace(row, phase=Phase.SUCCEEDED, reason="", **counts)
        self.audit.ended(row, row.phase)
        return ended(row)

    def close_stopped(self, execution: Mapping[str, Any]) -> None:
        """Close the run of an execution that was stopped, or failed on its way here; one that is closed is left alone.

        People are told first: who does this twice, for it was killed in between, tells them twice rather than never.
        """
        # People may give others names of their own.
        row = self.audit.row(execution["name"].rpartition("-")[0] or "none")
        if row is None or row.run != execution["name"] or row.phase not in (Phase.CLAIMED, Phase.STARTED):
            logger.info("%s has no run that is open", execution["name"])
            return
        why = reason_of({"Cause": execution.get("cause"), "Error": execution.get("error") or "stopped from outside"})
        reason = f"its execution ended as {execution['status']}: {why}"
        row = replace(row, phase=Phase.FAILED, reason=reason, **(self._committed(row) or {}))
        notice = ended(row)
        self.sns.publish(TopicArn=self.topic, Subject=notice.subject, Message=notice.message)
        self.audit.ended(row, Phase.FAILED)

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
