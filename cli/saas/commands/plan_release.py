"""`plan release`: which deployments a release would take up, in which ring."""

from __future__ import annotations

from typing import Any

from cli.common.output import Output
from cli.saas.commands.release import changes_nobody, chosen_release, desk_of, plan_of
from cli.saas.runs import how_to
from cli.saas.session import SaasSession
from lambdas.saas.model.rings import Plan, PlannedRing
from lambdas.saas.model.runs import RunState


def plan_release(session: SaasSession, output: Output, *, revision: str) -> None:
    """Show the rings of a release, the newest unless one is named; nothing is changed."""
    desk = desk_of(session)
    chosen = chosen_release(session, revision)
    run = desk.current()
    over = run is not None and run.revision == chosen.revision and run.state in (RunState.STOPPED, RunState.SUCCEEDED)
    resumes = run.run if run and over else ""
    found = plan_of(session, chosen, resumes=resumes)
    step = how_to(chosen, run, left=found.total)
    if not resumes and changes_nobody(session, chosen):
        step = f"it changes no tenant, and starts nothing; with --everyone it goes to all. {step}"
    about = (chosen.revision, resumes, found, step)
    output.result(_document(*about), _lines(*about))


def _document(revision: str, resumes: str, found: Plan, step: str) -> dict[str, Any]:
    return {
        "revision": revision,
        "resumes": resumes,
        "deployments": found.total,
        "there": found.there,
        "rings": [_ring_document(ring) for ring in found.rings],
        "skipped": [{"id": one.id, "reason": one.reason} for one in found.skipped],
        "next_step": step,
    }


def _ring_document(ring: PlannedRing) -> dict[str, Any]:
    return {
        "name": ring.name,
        "deployments": [item.id for item in ring.items],
        "concurrency": ring.policy.concurrency,
        "allowed_failures": ring.allowed_failures,
        "bake_minutes": ring.policy.bake_minutes,
        "approval": ring.policy.approval,
        "alarms": list(ring.policy.alarms),
        "match": ring.policy.match,
    }


def _lines(revision: str, resumes: str, found: Plan, step: str) -> list[str]:
    how = f", going on with run {resumes}" if resumes else ""
    lines = [f"release {revision}{how}: {found.total} deployments, {found.there} there already"]
    for ring in found.rings:
        lines += [_ring_line(ring), *(f"  {change}" for change in ring.changes)]
    return [*lines, *(f"skipped {one}" for one in found.skipped), f"next step: {step}"]


def _ring_line(ring: PlannedRing) -> str:
    policy = ring.policy
    approval = ", after an approval" if policy.approval else ""
    alarms = f", alarms {', '.join(policy.alarms)}" if policy.alarms else ""
    match = f", first for {', '.join(f'{key} {one}' for key, one in policy.match.items())}" if policy.match else ""
    return (
        f"ring {ring.name}: {len(ring.items)} deployments, {policy.concurrency} at a time, "
        f"{ring.allowed_failures} may fail, {policy.bake_minutes} min to bake{approval}{alarms}{match}"
    )
