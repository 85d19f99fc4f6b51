"""What was said to a ring that waited for an approval; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lambdas.common.errors import GranaryError
from lambdas.saas.model.release_turns import TIMEOUT
from lambdas.saas.release.decide import APPROVED, Answer

# Of what a person answers, that with which they prove who they are.
PROOF = "proof"


def words_of(run: str, ring: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a person signs: an answer, and what it is an answer to."""
    return {"run": run, "ring": ring, "approved": answer.get("approved"), "reason": answer.get("reason")}


def read_answer(answer: Mapping[str, Any], whose: Callable[[], str]) -> Answer:
    """Turn what the waiting task came to into what was said, and by whom: `whose` asks AWS, and raises without proof.

    A task that succeeds says `{"approved": true}`; one that fails says why in its cause. Anything else is no approval,
    and neither is that of somebody unknown.
    """
    if not answer:
        return Answer()
    if answer.get("Error") == TIMEOUT:
        return Answer(said="nobody answered in time")
    by = unproven = ""
    if "approved" in answer:
        try:
            by = whose()
        except GranaryError as error:
            unproven = f"whose answer it was is not proven, answer with `granary approve` ({error})"
    if answer.get("approved") is True:
        return Answer(said=unproven or APPROVED, by=by, comment=str(answer.get("reason") or ""))
    said = [by, *(str(answer[name]) for name in ("reason", "Cause", "Error") if answer.get(name))]
    return Answer(said=": ".join(filter(None, said)) or "the answer was neither an approval nor a reason", by=by)
