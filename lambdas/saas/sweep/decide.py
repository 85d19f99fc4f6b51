"""What the sweep has to do about one deployment, from its row and its status; pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lambdas.common.clock import moment, stamp
from lambdas.common.record import DeploymentRecord, InvalidRow
from lambdas.common.status import Phase, Status

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
    SAY_INVALID = "say invalid"
    SAY_REMOVED = "say removed"


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one round of the sweep knows: the time, and which builds are over."""

    now: datetime
    ended_builds: AbstractSet[str]
    grace: timedelta = PENDING_GRACE


def decide(wish: DeploymentRecord | InvalidRow | None, status: Status | None, seen: Round) -> Action:
    """Compare desired with observed."""
    if wish is None:
        return Action.NOTHING if status is None or status.row_removed else Action.SAY_REMOVED
    if isinstance(wish, InvalidRow):
        said = status is not None and status.phase is Phase.INVALID and status.reason == wish.reason
        return Action.NOTHING if said else Action.SAY_INVALID
    if status is None or status.row_removed:
        return Action.START
    if _needs_build(wish, status, seen):
        return Action.START
    return Action.LOOK if _needs_look(status, seen) else Action.NOTHING


def _needs_build(wish: DeploymentRecord, status: Status, seen: Round) -> bool:
    if status.claimed_by:
        # A build that ended without giving its claim back has died.
        return status.claimed_by in seen.ended_builds or not status.claimed_at(stamp(seen.now))
    if status.phase is Phase.PENDING:
        waiting = bool(status.reason)  # it waits for a release or for capacity: no build was started for it
        return waiting or seen.now - moment(status.updated_at) > seen.grace
    if status.phase is Phase.FAILED:
        return (status.retry and _retry_is_due(status, seen)) or status.wanted_digest != wish.digest()
    if status.phase is Phase.INVALID:
        return True  # the row was corrected, perhaps back to what is applied already: only a build can tell
    return status.applied_digest != wish.digest()


def retry_delay(attempts: int) -> timedelta:
    """Time to let pass after the last of so many attempts."""
    if attempts <= 1:
        return timedelta()
    doublings = min(attempts - 2, 10)  # enough to reach the limit, and no overflow
    return min(RETRY_DELAY * (1 << doublings), RETRY_DELAY_LIMIT)


def _retry_is_due(status: Status, seen: Round) -> bool:
    return seen.now - moment(status.updated_at) >= retry_delay(status.attempts)


def _needs_look(status: Status, seen: Round) -> bool:
    """Whether the pipeline knows what the status does not: its last event may be lost, or an earlier status was."""
    running = status.phase in (Phase.PROVISIONING, Phase.UPDATING) and not status.claimed_by
    silent = running and seen.now - moment(status.updated_at) > seen.grace
    return silent or (status.phase is Phase.ACTIVE and not status.component_stacks)
