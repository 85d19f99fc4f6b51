"""Which lifecycle events a change of a deployment's status asks for; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.common.status import Phase
from lambdas.saas.lifecycle_publish.events import REASON_LIMIT, LifecycleEvent, listing, text
from lambdas.saas.lifecycle_publish.notices import Notice

PHASE_CHANGED = "Deployment Phase Changed"
ROW_REMOVED = "Deployment Row Removed"

# Of these phases people are told; every other one is news for whoever listens to the bus.
TOLD_PHASES = frozenset({Phase.FAILED, Phase.INVALID, Phase.RETIRED_WITH_WARNINGS})

_TELLING = ("phase", "reason", "row_removed", "revision_deployed")
# Never the whole status: it holds the token by which a release is answered.
_COPIED = (
    "id", "type", "account", "region", "reason", "revision_wanted", "revision_deployed", "build_id", "execution_id",
    "execution_url",
)  # fmt: skip

_NEXT_STEPS = {
    Phase.PENDING: "Nothing to do: the next provisioning build takes the deployment up.",
    Phase.PROVISIONING: "Nothing to do: the component is being deployed for the first time.",
    Phase.UPDATING: "Nothing to do: another revision is being deployed.",
    Phase.ACTIVE: "Nothing to do: the component is deployed.",
    Phase.FAILED: "Remove the cause that the reason names, then run: granary retry {id}",
    Phase.INVALID: "Correct the row of the deployments table as the reason says; it is then taken up by itself.",
    Phase.SUSPENDED: "Nothing to do: releases leave it out. To bring it back, run: granary activate {id}",
    Phase.MOVING: "Nothing to do: the old place is deleted when the new one stands.",
    Phase.RETIRING: "To keep the deployment, run before the grace period is over: granary activate {id}",
    Phase.RETIRED: "Nothing to do: remove the row, or put a new one to use the id again.",
    Phase.RETIRED_WITH_WARNINGS: "Delete by hand what the warnings name; nothing else knows of it any more.",
}
_ROW_REMOVED_STEP = "Put the row back to keep the deployment, or put it with its state retired to offboard it."


def deployment_events(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> list[LifecycleEvent]:
    """Compare a status (deserialized) before and after a change; None is a status that does not exist.

    A status that ends tells nothing: its row never led to a stack, or the deployment's end was told before.
    """
    before = old or {}
    if new is None or not _differ(before, new, *_TELLING):
        return []
    detail = _detail(before, new)
    if new.get("row_removed") and not before.get("row_removed"):
        told = _removal(detail).told()
        return [
            LifecycleEvent(detail_type=PHASE_CHANGED, detail=detail),
            LifecycleEvent(detail_type=ROW_REMOVED, detail=detail | told),
        ]
    if detail["to"] in TOLD_PHASES and _differ(before, new, "phase", "reason"):
        detail |= _trouble(detail).told()
    return [LifecycleEvent(detail_type=PHASE_CHANGED, detail=detail)]


def _differ(old: Mapping[str, Any], new: Mapping[str, Any], *names: str) -> bool:
    return any((old.get(name) or "") != (new.get(name) or "") for name in names)


def _detail(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    detail = {name: text(new.get(name)) for name in _COPIED}
    detail["reason"] = text(new.get("reason"), limit=REASON_LIMIT)
    phase = text(new.get("phase"))
    return detail | {
        "from": text(old.get("phase")),
        "to": phase,
        "at": text(new.get("updated_at")),
        "next_step": _ROW_REMOVED_STEP if new.get("row_removed") else _next_step(phase, detail["id"]),
        "warnings": listing(new.get("warnings")),
        "archives": listing(new.get("archives")),
        "retire_after": text(new.get("retire_after")),
    }


def _next_step(phase: str, deployment_id: str) -> str:
    if phase not in _NEXT_STEPS:
        return "Look at the deployment's status."
    return _NEXT_STEPS[Phase(phase)].replace("{id}", deployment_id)


def _trouble(detail: Mapping[str, str]) -> Notice:
    return Notice(
        title=f"Deployment {detail['id']} is {detail['to']}",
        facts=_place(detail),
        quote="\n".join(part for part in (detail["reason"], detail["warnings"]) if part),
        link=detail["execution_url"],
        next_step=detail["next_step"],
        thread=f"deployment/{detail['id']}",
        keywords=(detail["to"], detail["id"]),
    )


def _removal(detail: Mapping[str, str]) -> Notice:
    return Notice(
        title=f"The row of deployment {detail['id']} was removed without retiring it; nothing was destroyed",
        facts=_place(detail) | {"Phase": detail["to"]},
        quote="",
        link=detail["execution_url"],
        next_step=detail["next_step"],
        thread=f"deployment/{detail['id']}",
        keywords=("row removed", detail["id"]),
    )


def _place(detail: Mapping[str, str]) -> dict[str, str]:
    return {
        "Type": detail["type"],
        "Account": detail["account"],
        "Region": detail["region"],
        "Wanted": detail["revision_wanted"],
        "Deployed": detail["revision_deployed"],
    }
