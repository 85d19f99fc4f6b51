"""Which lifecycle events a change of a deployment's status asks for; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PHASE_CHANGED = "Deployment Phase Changed"
ROW_REMOVED = "Deployment Row Removed"

_TELLING = ("phase", "reason", "row_removed", "revision_deployed")
_COPIED = (
    "id", "type", "account", "region", "reason", "revision_wanted", "revision_deployed", "build_id", "execution_id",
    "execution_url",
)  # fmt: skip
# Characters that are told of a text. Escaped, a character has 12 bytes at most: an event stays far below 256 KB.
_REASON_LIMIT = 4_000
_TEXT_LIMIT = 500

_NEXT_STEPS = {
    "PENDING": "Nothing to do: the next provisioning build takes the deployment up.",
    "PROVISIONING": "Nothing to do: the component is being deployed for the first time.",
    "UPDATING": "Nothing to do: another revision is being deployed.",
    "ACTIVE": "Nothing to do: the component is deployed.",
    "FAILED": (
        "Remove the cause that the reason names, then retry the pipeline's failed stage, or put the row with any other "
        "attribute changed: an unchanged row makes no event."
    ),
    "INVALID": "Correct the row of the deployments table as the reason says; it is then taken up by itself.",
}
_ROW_REMOVED_STEP = "Put the row back to keep the deployment, or put it with its state retired to offboard it."


@dataclass(frozen=True, kw_only=True)
class LifecycleEvent:
    """An event to publish: what it is called, and what it says."""

    detail_type: str
    detail: Mapping[str, str]


def lifecycle_events(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> list[LifecycleEvent]:
    """Compare a status (deserialized) before and after a change; None is a status that does not exist.

    A status that ends tells nothing: its row never led to a stack, or the deployment's end was told before.
    """
    if new is None or not _differs(old or {}, new):
        return []
    detail = _detail(old or {}, new)
    events = [LifecycleEvent(detail_type=PHASE_CHANGED, detail=detail)]
    if new.get("row_removed") and not (old or {}).get("row_removed"):
        events.append(LifecycleEvent(detail_type=ROW_REMOVED, detail=detail))
    return events


def _differs(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return any((old.get(name) or "") != (new.get(name) or "") for name in _TELLING)


def _detail(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    detail = {name: _text(new.get(name)) for name in _COPIED}
    detail["reason"] = _text(new.get("reason"), limit=_REASON_LIMIT)
    phase = _text(new.get("phase"))
    step = _ROW_REMOVED_STEP if new.get("row_removed") else _NEXT_STEPS.get(phase, "Look at the deployment's status.")
    return detail | {
        "from": _text(old.get("phase")),
        "to": phase,
        "at": _text(new.get("updated_at")),
        "next_step": step,
    }


def _text(value: object, *, limit: int = _TEXT_LIMIT) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
