"""Which lifecycle events a change of a release's run, or of one of its rings, asks for; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lambdas.common.console import machine_execution_url
from lambdas.saas.lifecycle_publish.events import REASON_LIMIT, LifecycleEvent, listing, text
from lambdas.saas.lifecycle_publish.notices import Notice
from lambdas.saas.model.runs import Ring, RingState, Run, RunState, readable_rings, revision_of

STARTED = "Release Started"
RING_CHANGED = "Release Ring Changed"
APPROVAL_NEEDED = "Release Approval Needed"
STOPPED = "Release Stopped"
COMPLETED = "Release Completed"
SUPERSEDED = "Release Superseded"

_RUN_EVENTS = {
    RunState.RUNNING: STARTED,
    RunState.STOPPED: STOPPED,
    RunState.SUCCEEDED: COMPLETED,
    RunState.SUPERSEDED: SUPERSEDED,
}
_RUN_STEPS = {
    RunState.RUNNING: "Nothing to do: the rings follow each other by themselves.",
    RunState.STOPPED: (
        "See what failed with: granary list --failed. Correct it and release the correction, or go on with: "
        "granary resume"
    ),
    RunState.SUCCEEDED: "Nothing to do: new tenants get this release from here on.",
    RunState.SUPERSEDED: "Nothing to do: a newer release has taken over.",
}
_SAME_STEP = (
    "Nothing to do: tenants have what it would give them, so nothing was started. New tenants get this release from "
    "here on."
)
_RING_STEPS = {
    RingState.APPROVAL: "Read what changes, then answer with granary approve or granary reject",
    RingState.FAILED: "The line stops here: the event Release Stopped says what to do.",
}
# Never the whole item: it holds the token that answers an approval.
_RUN_TEXTS = ("run", "revision", "strategy", "resumes", "same_as", "execution", "started_at", "ended_at")
_LINKS = 3
_RUN_COUNTS = ("rings", "deployments", "skipped")
_RING_COUNTS = ("succeeded", "failed", "held", "skipped", "rolled_back", "rollback_failed")


class ReadsRuns(Protocol):
    """Port to the releases table, item by item, as the role allows."""

    def run(self, run: str) -> Run | None: ...
    def ring(self, run: str, index: int) -> Ring | None: ...


def run_events(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, *, runs: ReadsRuns
) -> list[LifecycleEvent]:
    """Compare a run's item before and after a change; only another state is told.

    Raises:
        KeyError, ValueError: the item is not a run's.
    """
    if new is None or (old or {}).get("state") == new["state"]:
        return []
    run = Run.from_item(new)
    state = RunState(run.state)
    rings = [*readable_rings(runs, run)]
    detail = _run_detail(run, old, rings)
    if state in (RunState.STOPPED, RunState.SUCCEEDED):
        detail |= _end(run, state, detail).told()
    return [LifecycleEvent(detail_type=_RUN_EVENTS[state], detail=detail)]


def ring_events(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, *, runs: ReadsRuns
) -> list[LifecycleEvent]:
    """Compare a ring's item before and after a change; counts are not told, and neither is that it was planned.

    Raises:
        KeyError, ValueError: the item is not a ring's.
    """
    before = (old or {}).get("state", RingState.WAITING)
    if new is None or before == new["state"]:
        return []
    ring = Ring.from_item(new)
    state = RingState(ring.state)
    detail = _ring_detail(ring, str(before))
    events = [LifecycleEvent(detail_type=RING_CHANGED, detail=detail)]
    if state is RingState.APPROVAL:
        asked = detail | _approval(ring, detail, runs.run(ring.run)).told()
        events.append(LifecycleEvent(detail_type=APPROVAL_NEEDED, detail=asked))
    return events


def _run_detail(run: Run, old: Mapping[str, Any] | None, rings: Sequence[Ring]) -> dict[str, Any]:
    counts = {name: sum(getattr(ring, name) for ring in rings) for name in _RING_COUNTS if name != "skipped"}
    not_begun = sum(max(ring.total - ring.done, 0) for ring in rings) + counts["held"]
    return {
        **{name: text(getattr(run, name)) for name in (*_RUN_TEXTS, *_RUN_COUNTS)},
        **{name: str(count) for name, count in counts.items()},
        "not_begun": str(not_begun),
        "failed_rings": ", ".join(text(ring.name) for ring in rings if ring.state == RingState.FAILED),
        "skipped_names": listing(run.skipped_names),
        "reason": text(run.reason, limit=REASON_LIMIT),
        "from": text((old or {}).get("state")),
        "to": run.state,
        "at": text(run.updated_at),
        "next_step": _SAME_STEP if _is_the_same(run) else _RUN_STEPS[RunState(run.state)],
    }


def _ring_detail(ring: Ring, before: str) -> dict[str, Any]:
    return {
        "run": text(ring.run),
        "ring": text(ring.name),
        **{name: str(getattr(ring, name)) for name in ("index", "total", "allowed_failures", *_RING_COUNTS)},
        "changes": listing(ring.changes),
        "bake_until": text(ring.bake_until),
        "reason": text(ring.reason, limit=REASON_LIMIT),
        "from": before,
        "to": ring.state,
        "at": text(ring.updated_at),
        "next_step": _RING_STEPS.get(RingState(ring.state), "Nothing to do."),
    }


def _end(run: Run, state: RunState, detail: Mapping[str, str]) -> Notice:
    stopped = state is RunState.STOPPED
    facts = {
        "Failed ring": detail["failed_rings"],
        "Deployments": detail["deployments"],
        "Succeeded": detail["succeeded"],
        "Failed": detail["failed"],
        "Rolled back": detail["rolled_back"],
        "Not begun": detail["not_begun"],
        "Skipped": detail["skipped"],
    }
    if _is_the_same(run):
        facts = {"Same for tenants as": revision_of(run.same_as)}
    if stopped:
        facts["Old revision"] = "stays where a deployment was rolled back, not begun or skipped"
    ended = "changes no tenant" if _is_the_same(run) else "was stopped" if stopped else "is completed"
    return Notice(
        title=f"Release {run.revision} {ended}",
        facts=facts,
        quote=detail["reason"] if stopped else detail["skipped_names"],
        link=_link(run),
        next_step=detail["next_step"],
        thread=f"release/{run.run}",
        keywords=(run.state, run.revision),
    )


def _is_the_same(run: Run) -> bool:
    """Whether a run is through that took nobody up, for tenants have the same."""
    return run.state == RunState.SUCCEEDED and bool(run.same_as)


def _approval(ring: Ring, detail: Mapping[str, str], run: Run | None) -> Notice:
    return Notice(
        title=f"Ring {ring.name} of release {ring.run} waits for an approval",
        facts={"Ring": detail["ring"], "Deployments": detail["total"], "Gates": text(run.gates) if run else ""},
        quote=detail["changes"],
        link=" ".join([_link(run), *map(text, run.gate_links[:_LINKS] if run else ())]),
        next_step=detail["next_step"],
        thread=f"release/{ring.run}",
        keywords=("approval", ring.name),
    )


def _link(run: Run | None) -> str:
    return machine_execution_url(text(run.execution)) if run else ""
