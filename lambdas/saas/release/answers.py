"""What was said to a ring that waited for an approval; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.saas.model.release_turns import TIMEOUT
from lambdas.saas.release.decide import APPROVED, Answer


def read_answer(answer: Mapping[str, Any]) -> Answer:
    """Turn what the waiting task came to into what was said, and by whom.

    A task that succeeds says `{"approved": true}`, with `by`; one that fails says why in its cause. Anything else is no
    approval.
    """
    if not answer:
        return Answer()
    by = str(answer.get("by") or "")
    if answer.get("approved") is True:
        return Answer(said=APPROVED, by=by, comment=str(answer.get("reason") or ""))
    if answer.get("Error") == TIMEOUT:
        return Answer(said="nobody answered in time")
    said = [str(answer[name]) for name in ("by", "reason", "Cause", "Error") if answer.get(name)]
    return Answer(said=": ".join(said) or "the answer was neither an approval nor a reason", by=by)
