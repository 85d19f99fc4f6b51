"""What was said to a ring that waited for an approval; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.saas.release.decide import APPROVED

_TIMEOUT = "States.Timeout"


def read_answer(answer: Mapping[str, Any]) -> str:
    """Turn what the waiting task came to into `approved`, or the reason why not; empty when it was not asked.

    A task that succeeds says `{"approved": true}`, with `by`; one that fails says why in its cause. Anything else is no
    approval.
    """
    if not answer:
        return ""
    if answer.get("approved") is True:
        return APPROVED
    if answer.get("Error") == _TIMEOUT:
        return "nobody answered in time"
    said = [str(answer[name]) for name in ("by", "reason", "Cause", "Error") if answer.get(name)]
    return ": ".join(said) or "the answer was neither an approval nor a reason"
