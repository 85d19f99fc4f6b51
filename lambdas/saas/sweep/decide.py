"""What the sweep has to do about one deployment, from its row and its status; pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lambdas.common.clock import since, stamp
from lambdas.saas.model.lifecycle import ENDED, Course, course, ends, moved, pipeline_failed
from lambdas.saas.model.next_steps import may_never_have_stood
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, Wanted
from lambdas.saas.model.release_turns import UNDER_WAY
from lambdas.saas.model.retirable import led_somewhere, retires
from lambdas.saas.model.status import LIFECYCLE_CLAIM, Phase, Status

# A row that the stream has just brought is left to the build that was started for it.
PENDING_GRACE = timedelta(minutes=10)

# A retry costs a build, and what is missing (an account that is not bootstrapped, say) may be missing for days: the
# first retry comes with the next round, each further one after twice the time.
RETRY_DELAY = timedelta(minutes=5)
RETRY_DELAY_LIMIT = timedelta(hours=6)


class Action(StrEnum):
    """What to do about a deployment."""

    NOTHING = "nothing"
    START = "start"
    LOOK = "look at the pipeline"
    LIFECYCLE = "start the lifecycle machine"
    SAY_INVALID = "say invalid"
    SAY_REMOVED = "say removed"
    RETIRE_REMOVED = "say removed, and start the lifecycle machine"


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one round of the sweep knows: the time, which builds are over, and which release is current (if any).

    `same` are revisions that give tenants what it gives them. With `retire_removed`, a row that is removed retires its
    deployment. `lost` are those whose pipeline was deleted.
    """

    now: datetime
    ended_builds: AbstractSet[str]
    revision: str = ""
    same: AbstractSet[str] = frozenset()
    retire_removed: bool = False
    lost: AbstractSet[str] = frozenset()


def decide(wish: DeploymentRecord | InvalidRow | None, status: Status | None, seen: Round) -> Action:
    """Compare desired with observed."""
    action = _decide(wish, status, seen)
    if action is Action.NOTHING and status and status.phase not in ENDED and _release_waits(status, seen):
        return Action.LOOK
    return action


def _decide(wish: DeploymentRecord | InvalidRow | None, status: Status | None, seen: Round) -> Action:
    if wish is None:
        return _about_no_row(status, seen)
    if isinstance(wish, InvalidRow):
        return _about_an_invalid_row(wish, status, seen)
    match course(wish, status):
        case Course.LIFECYCLE:
            coming_back = wish.state == Wanted.ACTIVE
            return Action.LIFECYCLE if _lifecycle_is_due(status, seen, coming_back=coming_back) else Action.NOTHING
        case Course.PROVISION:
            return _about_an_active_row(wish, status, seen)
    # What is done keeps no claim: one that is left is of a machine that died on its way.
    died = status is not None and status.claimed_by.startswith(LIFECYCLE_CLAIM) and not _held(status, seen)
    return Action.LIFECYCLE if died else Action.NOTHING


def _about_an_invalid_row(wish: InvalidRow, status: Status | None, seen: Round) -> Action:
    if retires(wish, status):
        ended = status is not None and status.phase in ENDED
        return Action.LIFECYCLE if not ended and _lifecycle_is_due(status, seen) else Action.NOTHING
    said = status is not None and status.phase is Phase.INVALID and status.reason == wish.reason
    return Action.NOTHING if said else Action.SAY_INVALID


def _about_an_active_row(wish: DeploymentRecord, status: Status | None, seen: Round) -> Action:
    if status is None or status.row_removed or status.phase in ENDED or _needs_build(wish, status, seen):
        return Action.START
    # One that is active has been told what is left behind: that may stay so for long.
    if moved(status) and not _held(status, seen) and (status.phase is Phase.MOVING or _retry_is_due(status, seen)):
        return Action.LIFECYCLE
    if (
        pipeline_failed(status)
        and not _held(status, seen)
        and may_never_have_stood(status)
        and not status.first_failure
    ):
        return Action.LIFECYCLE
    return Action.LOOK if _needs_look(status, seen) else Action.NOTHING


def _about_no_row(status: Status | None, seen: Round) -> Action:
    if status is None or status.phase in ENDED:
        return Action.NOTHING
    if status.phase is Phase.RETIRING or status.retire_after:
        return Action.LIFECYCLE if _lifecycle_is_due(status, seen) else Action.NOTHING
    retire = seen.retire_removed and led_somewhere(status)
    if not status.row_removed:
        return Action.RETIRE_REMOVED if retire else Action.SAY_REMOVED
    # It was said, and the machine's start was lost.
    return Action.LIFECYCLE if retire and _lifecycle_is_due(status, seen) else Action.NOTHING


def retires_for_its_row(status: Status, seen: Round) -> bool:
    """Whether the deployment would begin to be retired now, because its row is gone."""
    action = _about_no_row(status, seen)
    return action is Action.RETIRE_REMOVED or (action is Action.LIFECYCLE and not ends(status))


def _lifecycle_is_due(status: Status | None, seen: Round, *, coming_back: bool = False) -> bool:
    if status is None:
        return True  # nothing is deployed, and its row asks for none: that is to be said
    if _held(status, seen):
        return False
    if status.phase is Phase.RETIRING and status.retire_after > stamp(seen.now):
        return coming_back  # else the machine that announced the end sleeps until then
    failed = status.phase is Phase.FAILED and bool(status.retire_after)
    return _retry_is_due(status, seen) if failed else True


def _held(status: Status, seen: Round) -> bool:
    """Whether somebody works on the deployment; of a build, that it is not over."""
    return status.claimed_at(stamp(seen.now)) and status.claiming_build not in seen.ended_builds


def _needs_build(wish: DeploymentRecord, status: Status, seen: Round) -> bool:
    if _held(status, seen):
        return False
    lost = status.id in seen.lost and (status.phase is not Phase.FAILED or _retry_is_due(status, seen))
    if status.claiming_build or lost:
        return True  # that build ended, or its lease did, without giving the claim back: it has died
    match status.phase:
        case Phase.PENDING:
            # It waits for a release or for capacity, and no build was started for it; or that has died.
            waiting = (bool(status.reason) and not status.pending_build) or waits_in_vain(status, seen)
            return waiting or _silence(status, seen) > PENDING_GRACE
        case Phase.FAILED:
            return _failure_is_worth_a_build(wish, status, seen)
        case Phase.INVALID:
            # The row was corrected, perhaps back to what is applied already: only a build can tell. One that has told
            # says the same as long as it is of the same release.
            told = status.refused_by == (wish.revision or seen.revision) and status.wanted_digest == wish.digest()
            return not (told and status.refused_by) or _retry_is_due(status, seen)
    return status.applied_digest != wish.digest()


def waits_in_vain(status: Status, seen: Round) -> bool:
    """Whether the build that was to take a row up is over, and has not."""
    return status.phase is Phase.PENDING and status.pending_build in seen.ended_builds


def _failure_is_worth_a_build(wish: DeploymentRecord, status: Status, seen: Round) -> bool:
    if (status.retry and _retry_is_due(status, seen)) or status.wanted_digest != wish.digest():
        return True
    # What never stood, no release takes up: the next one that is current, or pinned, may be what mends it, unless that
    # gives it the same.
    gets = wish.revision or seen.revision
    tried = {gets} if wish.revision else {gets, *seen.same}
    return not status.revision_deployed and bool(gets) and status.revision_wanted not in tried


def retry_delay(attempts: int) -> timedelta:
    """Time to let pass after the last of so many attempts."""
    if attempts <= 1:
        return timedelta()
    doublings = min(attempts - 2, 10)  # enough to reach the limit, and no overflow
    return min(RETRY_DELAY * (1 << doublings), RETRY_DELAY_LIMIT)


def _retry_is_due(status: Status, seen: Round) -> bool:
    return _silence(status, seen) >= retry_delay(status.attempts)


def _silence(status: Status, seen: Round) -> timedelta:
    """Time since something was written of a deployment; whoever wrote it by hand may have forgotten when."""
    return since(status.updated_at, seen.now)


def _needs_look(status: Status, seen: Round) -> bool:
    """Whether the pipeline knows what the status does not: its last event may be lost, or an earlier status was."""
    running = status.phase in (Phase.PROVISIONING, Phase.UPDATING, Phase.MOVING) and not status.claiming_build
    silent = running and _silence(status, seen) > PENDING_GRACE
    return silent or (status.phase is Phase.ACTIVE and not status.component_stacks)


def _release_waits(status: Status, seen: Round) -> bool:
    """Whether a release waits for an answer that may be lost: it has been given, or nothing was heard for some time.

    A look at a pipeline that goes on writes that it was made, so that the next one comes after the grace.
    """
    if not status.task_token or not status.release_outcome:
        return False
    if status.release_outcome not in UNDER_WAY:
        return True
    return bool(status.release_execution_id) and _silence(status, seen) > PENDING_GRACE
