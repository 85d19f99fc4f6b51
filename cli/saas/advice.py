"""What a person should do next about a deployment; pure."""

from __future__ import annotations

from collections.abc import Collection

from lambdas.saas.model.next_steps import step_of
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, Wanted
from lambdas.saas.model.retirable import retires
from lambdas.saas.model.runs import Run, RunState, first_name
from lambdas.saas.model.status import BAD_OUTCOMES, Outcome, Phase, Status
from lambdas.saas.store.release_parameter import REPAIR

Wish = DeploymentRecord | InvalidRow | None

# On its way to what its row asks for, or there.
_WAITING = frozenset({Phase.PENDING, Phase.PROVISIONING, Phase.UPDATING, Phase.ACTIVE, Phase.MOVING})

# At work on it, or about to take it back when its ring is through.
_IN_A_RUN = frozenset({Outcome.RUNNING, Outcome.FAILED, Outcome.ROLLING_BACK})


def next_step(
    deployment_id: str,
    wish: Wish,
    status: Status | None,
    run: Run | None = None,
    before: Collection[str] = (),
    *,
    is_current: bool = False,
) -> str:
    """Tell what to do, beginning with `nothing` when it is nothing.

    `run` is the release's run that is in force, `before` are the runs that it goes on with. What `is_current` has the
    same of another release.
    """
    if status is None:
        return "nothing: the row is taken up within minutes" if wish else "put a row for it"
    if wish is None:
        return _without_row(status)
    if isinstance(wish, InvalidRow):
        return _of_invalid_row(deployment_id, wish, status)
    if wish.revision and status.phase is Phase.ACTIVE:
        return f"nothing: it stays at {wish.revision}, or gets there; `granary unpin {deployment_id}` ends that"
    if release_failed(status):
        return after_release(status, run, before, is_current=is_current)
    return _of_phase(deployment_id, wish, status, run)


def release_failed(status: Status) -> bool:
    """Whether a release has failed at a deployment that is well otherwise."""
    return status.phase is Phase.ACTIVE and status.release_outcome in BAD_OUTCOMES


def after_release(status: Status, run: Run | None, before: Collection[str] = (), *, is_current: bool = False) -> str:
    """Tell what to do about a deployment of which `release_failed` holds: see `next_step`."""
    if run and (is_current or status.revision_deployed == run.revision):
        return f"nothing: it has got release {run.revision} since"
    if run and run.state == RunState.RUNNING:
        return f"nothing before run {run.run} is over, which `granary release` follows"
    earlier = run is not None and first_name(status.release_run) != first_name(run.run)
    if run and run.state == RunState.SUCCEEDED and earlier and status.release_run not in before:
        return f"nothing: it failed in an earlier release, and gets release {run.revision} within minutes"
    return "remove the cause that the release failed for here, then run `granary resume`"


def _without_row(status: Status) -> str:
    if status.phase is Phase.RETIRED:
        return "nothing: it is retired"
    if status.phase is Phase.RETIRED_WITH_WARNINGS:
        return "delete by hand what the warnings name"
    if status.phase is Phase.RETIRING:
        return "nothing: it is being deleted"
    return "put the row back to keep it, or put it back with its state retired to have it deleted"


def _of_invalid_row(deployment_id: str, wish: InvalidRow, status: Status) -> str:
    if not retires(wish, status):
        return f"correct the row: {wish.reason}"
    if status.phase is Phase.RETIRING:
        return f"nothing: its retirement goes on; {wish.reason}"
    return step_of(status.phase, deployment_id=deployment_id, reason=status.reason)


def _of_phase(deployment_id: str, wish: DeploymentRecord, status: Status, run: Run | None) -> str:
    if status.phase is Phase.PENDING and REPAIR in status.reason:
        return f"run {REPAIR}: the next provisioning build then takes it up"
    if status.phase is Phase.INVALID and not status.refused_by:
        return "nothing: the row has been corrected since, and is taken up automatically"
    if status.phase is Phase.PENDING and status.pending_build and status.reason:
        return "remove the cause that the reason names, if it is still there: builds are started again by themselves"
    if status.phase in _WAITING and wish.state != Wanted.ACTIVE:
        return f"nothing: it is about to be {wish.state}"
    facts = {"retire_after": status.retire_after, "reason": status.reason, "refused_by": status.refused_by}
    if run and run.state == RunState.RUNNING and status.release_run == run.run and status.release_outcome in _IN_A_RUN:
        facts["not_before"] = f"run {run.run} is over, which may take it back, and which `granary release` follows"
    return step_of(status.phase, deployment_id=deployment_id, **facts)
