"""Which deployments a release has left behind that is through with everybody else; pure."""

from __future__ import annotations

from collections.abc import Collection

from lambdas.saas.model.eligible import is_there, why_not
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import BAD_OUTCOMES, RELEASE_CLAIM, Status


def is_late(
    wish: DeploymentRecord, status: Status | None, *, revisions: Collection[str], runs: Collection[str], now: str
) -> bool:
    """Whether a deployment is to get a release by itself, when the run in force has brought it to all others.

    `revisions` are that of the release, and those that are the same for tenants: what has one of them is not behind.
    `runs` are the run in force and those that it goes on with: what failed in them is a person's business. `now` is a
    stamp. What has the revision is not behind, whatever its pipeline does just now. What was pinned and is not any more
    comes along whatever has failed before: its copy may be another release's.
    """
    if status is None or why_not(wish, status) or is_there(status, *revisions):
        return False
    # Of a release's claim the run is over: the one in force is, and no other takes anything.
    if status.claimed_at(now) and not status.claimed_by.startswith(RELEASE_CLAIM):
        return False
    if status.pinned:
        return True
    failed = status.release_run in runs and status.release_outcome in BAD_OUTCOMES
    return not failed and status.revision_deployed not in revisions
