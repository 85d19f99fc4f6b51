"""What people are told of an object that has been taken in, or has not; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.written import cut, one_line, visible
from lambdas.lake.model.objects import AuditRow, Phase

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
_SUBJECT = 96
_CAUSE = 1_000


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A mail: its subject, of ASCII in one line and at most 100 letters, and its text."""

    subject: str
    message: str


def ended(row: AuditRow) -> Notice:
    """How a run has ended."""
    if row.phase is Phase.SUCCEEDED:
        counts = f"{row.read} rows read: {row.good} good, {row.quarantined} quarantined"
        following = f"look at them in the table of {row.dataset} with _quarantine at its end" * bool(row.quarantined)
        return _notice(row, "loaded", counts, following)
    return _notice(row, "FAILED", row.reason, f"mend it, then `granary lake runs ENVIRONMENT --again {row.id}`")


def refused(row: AuditRow) -> Notice:
    """What is in no dataset's folder."""
    return _notice(row, "refused", row.reason, "")


def reason_of(error: Mapping[str, Any]) -> str:
    """Why a state of the machine failed: Glue's own message where its job run is the cause."""
    cause = str(error.get("Cause") or "")
    try:
        told = json.loads(cause)
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, dict):
        cause = str(told.get("ErrorMessage") or told.get("errorMessage") or cause)
    return visible(cut(cause or str(error.get("Error") or "no reason was given"), _CAUSE))


def _notice(row: AuditRow, outcome: str, what: str, following: str) -> Notice:
    subject = one_line(f"{row.dataset or 'lake'}: {outcome}: {row.key.rpartition('/')[2]}")
    # Keys and headers are written by whoever puts files: no line of theirs looks like one of ours.
    place, quoted = one_line(f"s3://{row.bucket}/{row.key} ({row.version}), {row.day}"), what.replace("\n", "\n    ")
    lines = [place, f"run {row.run}", quoted, following]
    return Notice(
        subject=cut(subject.encode("ascii", "replace").decode(), _SUBJECT),
        message=visible("\n".join(filter(None, lines))),
    )
