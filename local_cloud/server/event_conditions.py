"""Condition keys of PutEvents: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html"""

from __future__ import annotations

from typing import Any

from local_cloud.server import iam_gaps
from local_cloud.server.iam_gaps import Request

_KEYS = {"events:detail-type": "DetailType", "events:source": "Source"}


def register() -> None:
    """Tell them of each request."""
    iam_gaps.context_of("events", _context)


def _context(request: Request) -> dict[str, Any]:
    """What all entries have in common: AWS decides of each by itself, and one that differs is refused here with all."""
    if request.operation != "PutEvents":
        return {}
    entries = [entry for entry in request.body.get("Entries") or () if isinstance(entry, dict)]
    said = {key: {str(entry.get(member, "")) for entry in entries} for key, member in _KEYS.items()}
    return {key: next(iter(values)) for key, values in said.items() if len(values) == 1}
