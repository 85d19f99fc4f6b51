"""Which lifecycle events a change of a deployment's status asks for; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.common.console import build_url
from lambdas.saas.lifecycle_publish.events import REASON_LIMIT, LifecycleEvent, listing, text
from lambdas.saas.lifecycle_publish.notices import Notice
from lambdas.saas.model.next_steps import step_of
from lambdas.saas.model.public_outputs import fit
from lambdas.saas.model.status import Phase

PHASE_CHANGED = "Deployment Phase Changed"
ROW_REMOVED = "Deployment Row Removed"

# Of these phases people are told; every other one is news for whoever listens to the bus.
TOLD_PHASES = frozenset({Phase.FAILED, Phase.INVALID, Phase.RETIRED_WITH_WARNINGS})

_TELLING = ("phase", "reason", "row_removed", "revision_deployed", "outputs", "external_id", "pinned", "adopted")
# Never the whole status: it holds the token by which a release is answered.
_COPIED = (
    "id", "type", "account", "region", "standby_region", "reason", "revision_wanted", "revision_deployed", "build_id",
    "execution_id", "execution_url", "external_id", "pinned",
)  # fmt: skip

_PLACES = 2  # a tenant has one or two

# Whether it is retired the sweep tells, which sees how many rows are gone; the retirement has a message of its own.
_TO_KEEP = (
    "To keep the deployment, put its row back; otherwise there is nothing to do, unless the alarm RemovalsHeld tells "
    "that nobody is retired because too many rows are gone."
)
_ROW_REMOVED_STEP = "Put the row back to keep the deployment, or put it with its state retired to offboard it."


@dataclass(frozen=True, kw_only=True)
class Factory:
    """What a notice depends on besides the status: the home Region, and whether removed rows retire."""

    region: str
    retire_removed: bool


def deployment_events(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, *, factory: Factory
) -> list[LifecycleEvent]:
    """Compare a status (deserialized) before and after a change; None is a status that does not exist.

    A status that ends tells nothing: its row never led to a stack, or the deployment's end was told before.
    """
    before = old or {}
    if new is None or not _differ(before, new, *_TELLING):
        return []
    detail = _detail(before, new, factory)
    if new.get("row_removed") and not before.get("row_removed"):
        told = _removal(detail, factory).told()
        return [
            LifecycleEvent(detail_type=PHASE_CHANGED, detail=detail),
            LifecycleEvent(detail_type=ROW_REMOVED, detail=detail | told),
        ]
    cared_for = detail["to"] in TOLD_PHASES or _asks_for_care(new)
    if cared_for and _differ(before, new, "phase", "reason"):
        link = _failed_build(before, new, factory) or detail["execution_url"]
        detail |= _trouble(detail, link).told()
    elif _more_stacks(before, new):
        detail |= _taking_over(detail).told()
    elif factory.retire_removed and _ends_without_a_row(before, new):
        detail |= _end(detail).told()
    return [LifecycleEvent(detail_type=PHASE_CHANGED, detail=detail)]


def _differ(old: Mapping[str, Any], new: Mapping[str, Any], *names: str) -> bool:
    return any((old.get(name) or "") != (new.get(name) or "") for name in names)


def _more_stacks(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a stack was taken over; of a place that stands no more, one is forgotten."""
    return bool({*_stacks(new.get("adopted")).splitlines()} - {*_stacks(old.get("adopted")).splitlines()})


def _is_left_behind(new: Mapping[str, Any]) -> bool:
    """Whether a move is over for the tenant, and its old place could not be deleted."""
    return bool(new.get("phase") == Phase.ACTIVE and new.get("former_stacks") and new.get("reason"))


def _asks_for_care(new: Mapping[str, Any]) -> bool:
    """Whether somebody has to do something, although the phase does not say so."""
    return bool(new.get("row_problem")) or _is_left_behind(new)


def _ends_without_a_row(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the lifecycle machine has just taken up a deployment whose row was removed."""
    return bool(old.get("row_removed")) and new.get("phase") == Phase.RETIRING and _differ(old, new, "phase")


def _failed_build(old: Mapping[str, Any], new: Mapping[str, Any], factory: Factory) -> str:
    """Link to the build that failed with this change; empty when it was something else that failed.

    A build that fails gives its claim back in the same write: an execution of the pipeline leaves the claim alone.
    """
    build_id = text(new.get("build_id"))
    failed = new.get("phase") == Phase.FAILED and not new.get("claimed_by")
    gave_back = bool(build_id) and text(old.get("claimed_by")) == build_id
    return build_url(build_id, region=factory.region) if failed and gave_back else ""


def _detail(old: Mapping[str, Any], new: Mapping[str, Any], factory: Factory) -> dict[str, Any]:
    detail = {name: text(new.get(name)) for name in _COPIED}
    detail["reason"] = text(new.get("reason"), limit=REASON_LIMIT)
    return detail | {
        "from": text(old.get("phase")),
        "to": text(new.get("phase")),
        "at": text(new.get("updated_at")),
        "next_step": _next_step(old, new, detail["id"], factory),
        "warnings": listing(new.get("warnings")),
        "archives": listing(new.get("archives")),
        "adopted": _stacks(new.get("adopted")),
        "retire_after": text(new.get("retire_after")),
        "outputs": _outputs(new.get("outputs")),
    }


def _stacks(refs: object) -> str:
    """The ids of stacks, one a line; empty when there are none."""
    return listing([ref.get("stack_id") for ref in refs if isinstance(ref, Mapping)] if isinstance(refs, list) else ())


def _outputs(known: object) -> str:
    """The public outputs of each Region as the text of a JSON object; empty when there are none."""
    places = known.items() if isinstance(known, Mapping) else ()
    told = {text(region): fit(values) for region, values in places if isinstance(values, Mapping)}
    told = {region: values for region, values in sorted(told.items())[:_PLACES] if values}
    return json.dumps(told) if told else ""


def _next_step(old: Mapping[str, Any], new: Mapping[str, Any], deployment_id: str, factory: Factory) -> str:
    phase, retire_after = text(new.get("phase")), text(new.get("retire_after"))
    if new.get("row_removed"):
        return _TO_KEEP if factory.retire_removed else _ROW_REMOVED_STEP
    if factory.retire_removed and _ends_without_a_row(old, new):
        return _put_back(retire_after)
    if new.get("row_problem"):
        phase = Phase.INVALID
    elif _is_left_behind(new):
        phase = Phase.FAILED
    if phase not in set(Phase):
        return "Look at the deployment's status."
    facts = {name: text(new.get(name)) for name in ("retire_after", "reason", "refused_by")}
    step = step_of(Phase(phase), deployment_id=deployment_id, **facts)
    return f"{step[0].upper()}{step[1:]}."


def _put_back(retire_after: str) -> str:
    until = f"before {retire_after}" if retire_after else "before its grace period is over"
    return f"To keep the deployment, put its row back {until}; otherwise there is nothing to do."


def _trouble(detail: Mapping[str, str], link: str) -> Notice:
    return Notice(
        title=f"Deployment {detail['id']} is {detail['to']}",
        facts=_place(detail),
        quote="\n".join(part for part in (detail["reason"], detail["warnings"]) if part),
        link=link,
        next_step=detail["next_step"],
        thread=f"deployment/{detail['id']}",
        keywords=(detail["to"], detail["id"]),
    )


def _taking_over(detail: Mapping[str, str]) -> Notice:
    return Notice(
        title=f"Deployment {detail['id']} has adopted a stack that stood, as its row consents: its pipeline deploys it",
        facts=_place(detail),
        quote=detail["adopted"],
        link="",
        next_step="Nothing: the phase tells how the deployment goes.",
        thread=f"deployment/{detail['id']}",
        keywords=("adopted", detail["id"]),
    )


def _removal(detail: Mapping[str, str], factory: Factory) -> Notice:
    what = f"The row of deployment {detail['id']} was removed"
    retires = f"{what}; unless too many rows are gone, it is retired within minutes, and {_deletion(detail)}"
    return Notice(
        title=retires if factory.retire_removed else f"{what} without retiring it; nothing was destroyed",
        facts=_place(detail) | {"Phase": detail["to"]},
        quote="",
        link=detail["execution_url"],
        next_step=detail["next_step"],
        thread=f"deployment/{detail['id']}",
        keywords=("row removed", detail["id"]),
    )


def _end(detail: Mapping[str, str]) -> Notice:
    return Notice(
        title=f"Deployment {detail['id']}, whose row was removed, is RETIRING; {_deletion(detail)}",
        facts=_place(detail),
        quote="",
        link="",
        next_step=detail["next_step"],
        thread=f"deployment/{detail['id']}",
        keywords=(detail["to"], detail["id"]),
    )


def _deletion(detail: Mapping[str, str]) -> str:
    after = detail["retire_after"]
    return f"its stacks are deleted after {after}" if after else "its stacks are deleted after a grace period"


def _place(detail: Mapping[str, str]) -> dict[str, str]:
    return {
        "Type": detail["type"],
        "Account": detail["account"],
        "Region": " and ".join(filter(None, (detail["region"], detail["standby_region"]))),
        "Wanted": detail["revision_wanted"],
        "Deployed": detail["revision_deployed"],
    }
