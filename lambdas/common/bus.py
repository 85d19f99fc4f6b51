"""Saying one thing on an event bus."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def put_event(events: Any, *, bus: str, source: str, kind: str, detail: Mapping[str, object]) -> str:
    """Put an event of a kind (its detail type); answers why the bus has not taken it, or nothing."""
    entry = {"EventBusName": bus, "Source": source, "DetailType": kind, "Detail": json.dumps(detail)}
    answer = events.put_events(Entries=[entry])
    return str(answer["Entries"][0].get("ErrorMessage")) if answer["FailedEntryCount"] else ""
