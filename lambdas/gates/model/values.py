"""Single values of a report, beside its records: as words, as numbers and as names; pure."""

from __future__ import annotations

from typing import Any

from lambdas.common.written import cut, one_line
from lambdas.gates.model.events import ReportError
from lambdas.gates.model.record import RecordError, whole
from lambdas.gates.model.walk import Hit

_ERROR_WORDS = ("filename", "path", "directory", "type", "reason", "errMsg")
_ID_WORDS = ("id", "Id", "rule_id", "check_id", "RuleID", "ruleId", "VulnerabilityID", "name")


def word_of(value: Any) -> str:
    """A value as patterns write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def told_of(value: Any) -> str:
    """What a tool says of its own error, without the code around it: that may hold a secret."""
    if isinstance(value, dict):
        value = ": ".join(one for name in _ERROR_WORDS if isinstance(one := value.get(name), str))
    return cut(one_line(str(value)), 200) if value and isinstance(value, (str, int)) else "no reason is told"


def number_of(one: Hit) -> int:
    """A count that the tool tells.

    Raises:
        ReportError: it is none: what the report says of itself cannot be understood.
    """
    try:
        return whole(one.where, one.value)
    except RecordError as error:
        raise ReportError(str(error)) from error


def name_of(value: Any) -> str:
    """What a record calls itself, if it does."""
    if not isinstance(value, dict):
        return ""
    ids = (value.get(name) for name in _ID_WORDS)
    return next((f" ({one_line(cut(one))})" for one in ids if isinstance(one, str) and one), "")
