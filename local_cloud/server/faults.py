"""Faults that tests order, and counts of the calls that the server answered.

Operations carry their IAM action names (s3:GetObject, lambda:InvokeFunction), because that is how ministack
recognises them.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SETTINGS = {
    "codebuild": {"account_limit"},
    "cloudwatch": {"seconds_a_minute"},
    "dynamodb": {"replication_seconds"},
    "ecs": {"start_seconds"},
    "events": {"seconds_a_minute"},
    "fis": {"seconds_a_minute"},
    "glue": {"seconds_a_minute"},
    "regions": {"down"},
    "route53": {"busy_seconds", "insync_seconds", "requests_a_second"},
}
_FIRST_ERROR_STATUS = 400


class InvalidFault(ValueError):
    """A fault that cannot be ordered; the message says what is wrong with it."""


@dataclass(kw_only=True)
class Fault:
    """An error that every n-th call of one operation gets, `count` times at most (None: without end)."""

    every: int
    error: str
    count: int | None
    seen: int = 0
    raised: int = 0

    def strikes(self) -> bool:
        """Count one call; whether it gets the error."""
        self.seen += 1
        exhausted = self.count is not None and self.raised >= self.count
        if exhausted or self.seen % self.every:
            return False
        self.raised += 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """The fault and its counters."""
        return {"every": self.every, "error": self.error, "count": self.count, "seen": self.seen, "raised": self.raised}


class FaultBoard:
    """The faults and settings in force; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self._settings: dict[str, dict[str, Any]] = {}

    def order(self, document: Mapping[str, Any]) -> None:
        """Add or replace faults ("service:Operation") and settings ("service"); raises InvalidFault."""
        faults = {key: _fault(key, value) for key, value in document.items() if ":" in key}
        settings = {key: _setting(key, value) for key, value in document.items() if ":" not in key}
        with self._lock:
            self._faults.update(faults)
            self._settings.update(settings)

    def clear(self) -> None:
        """Back to no faults and default settings."""
        with self._lock:
            self._faults.clear()
            self._settings.clear()

    def as_dict(self) -> dict[str, Any]:
        """Everything in force, with counters."""
        with self._lock:
            return {**{key: fault.as_dict() for key, fault in self._faults.items()}, **self._settings}

    def setting(self, service: str, name: str) -> Any:
        """A setting's value, or None when a test has not set it."""
        with self._lock:
            return self._settings.get(service, {}).get(name)

    def error_for(self, operation: str) -> str | None:
        """Count one call of "service:Operation"; the error code that it shall get, if any."""
        with self._lock:
            fault = self._faults.get(operation)
            return fault.error if fault is not None and fault.strikes() else None


class CallCounter:
    """How often each operation was called, by account, served and refused (HTTP status 400 and above)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[tuple[str, str, bool]] = Counter()

    def record(self, *, operation: str, account: str, status: int) -> None:
        """Count one answered call."""
        with self._lock:
            self._calls[(operation, account, status < _FIRST_ERROR_STATUS)] += 1

    def matching(self, *, service: str | None, operation: str | None) -> dict[str, Any]:
        """Totals and a row for each operation and account; None matches everything."""
        with self._lock:
            snapshot = dict(self._calls)
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for (name, account, served), count in snapshot.items():
            its_service, its_operation = name.split(":", 1)
            if service not in (None, its_service) or operation not in (None, its_operation):
                continue
            row = rows.setdefault(
                (name, account),
                {"service": its_service, "operation": its_operation, "account": account, "served": 0, "refused": 0},
            )
            row["served" if served else "refused"] += count
        served_total = sum(row["served"] for row in rows.values())
        refused_total = sum(row["refused"] for row in rows.values())
        return {
            "calls": list(rows.values()),
            "served": served_total,
            "refused": refused_total,
            "total": served_total + refused_total,
        }


def _fault(key: str, value: Any) -> Fault:
    if not isinstance(value, dict) or not set(value) <= {"every", "error", "count"} or "error" not in value:
        raise InvalidFault(f"{key}: a fault is {{'every': n, 'error': code, 'count': n or null}}, not {value!r}.")
    every, count = value.get("every", 1), value.get("count")
    if not isinstance(every, int) or every < 1:
        raise InvalidFault(f"{key}: 'every' must be a whole number from 1, not {every!r}.")
    if count is not None and (not isinstance(count, int) or count < 0):
        raise InvalidFault(f"{key}: 'count' must be a whole number from 0 or null, not {count!r}.")
    return Fault(every=every, error=str(value["error"]), count=count)


def _setting(key: str, value: Any) -> dict[str, Any]:
    known = _SETTINGS.get(key)
    if known is None or not isinstance(value, dict) or not set(value) <= known:
        raise InvalidFault(
            f"{key}: known settings are { ({name: sorted(v) for name, v in _SETTINGS.items()}) }, not {value!r}."
        )
    return dict(value)


board = FaultBoard()
calls = CallCounter()
