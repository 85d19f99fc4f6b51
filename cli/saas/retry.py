"""What trying a deployment again means, from where it stands; pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cli.saas.advice import Wish, after_release, release_failed
from lambdas.common.clock import stamp
from lambdas.saas.model.lifecycle import ENDED, Course, course, moved, pipeline_failed
from lambdas.saas.model.next_steps import is_in_the_way, may_never_have_stood
from lambdas.saas.model.record import DeploymentRecord, InvalidRow
from lambdas.saas.model.retirable import retires
from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.model.status import RELEASE_CLAIM, Phase, Status


class Attempt(StrEnum):
    """How a deployment is tried again."""

    TOUCH = "touch the row"
    PIPELINE = "start the pipeline"
    LIFECYCLE = "start the lifecycle machine"
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How to try again, and why so; of a refusal, the reason has the next step."""

    attempt: Attempt
    why: str


def retry_of(
    deployment_id: str,
    wish: Wish,
    status: Status | None,
    *,
    now: datetime,
    run: Run | None = None,
    before: Collection[str] = (),
    is_current: bool = False,
    lost: str = "",
) -> Retry:
    """Choose how to try a deployment again; never beside somebody who is at work on it.

    `run` is the release's run that is in force, `before` are those that it goes on with; what `is_current` has the same
    of another release. `lost` is what of its pipeline somebody has deleted.
    """
    if status and status.claimed_at(stamp(now)):
        return _refuse(_held(status, run))
    if wish is None:
        return _without_row(deployment_id, status)
    if isinstance(wish, InvalidRow) and status and retires(wish, status) and status.phase not in ENDED:
        return Retry(attempt=Attempt.LIFECYCLE, why=f"its retirement is not over, it is {status.phase}")
    if isinstance(wish, InvalidRow):
        return _refuse(f"the row of {deployment_id} cannot be acted on, correct it first: {wish.reason}")
    if status is None:
        return Retry(attempt=Attempt.TOUCH, why="nothing is known of it yet")
    told = after_release(status, run, before, is_current=is_current)
    return _by_course(deployment_id, wish, status, told, lost)


def _held(status: Status, run: Run | None) -> str:
    told = f"{status.claimed_by} holds {status.id} until {status.claim_expires_at}: wait for it"
    if status.claimed_by.startswith(RELEASE_CLAIM) and run and run.state == RunState.STOPPED:
        return f"{told}, or run `granary resume`: the release was stopped, and a run that goes on with it takes over"
    return told


def _without_row(deployment_id: str, status: Status | None) -> Retry:
    if status and status.retire_after and status.phase not in ENDED:
        return Retry(attempt=Attempt.LIFECYCLE, why=f"its retirement is not over, it is {status.phase}")
    return _refuse(f"{deployment_id} has no row: put it back first")


def _by_course(deployment_id: str, wish: DeploymentRecord, status: Status, told: str, lost: str) -> Retry:
    match course(wish, status):
        case Course.NOTHING:
            return _refuse(f"{deployment_id} is {status.phase}, as its row asks for: there is nothing to try again")
        case Course.LIFECYCLE:
            return Retry(attempt=Attempt.LIFECYCLE, why=f"it is {status.phase}, and its row asks for {wish.state}")
    if moved(status):
        return Retry(attempt=Attempt.LIFECYCLE, why="it has moved, and what it left behind is still there")
    return _by_phase(deployment_id, wish, status, told, lost)


def _by_phase(deployment_id: str, wish: DeploymentRecord, status: Status, told: str, lost: str) -> Retry:
    if why := _why_build(wish, status, lost):
        return Retry(attempt=Attempt.TOUCH, why=why)
    again = bool(status.first_failure) and may_never_have_stood(status)
    if pipeline_failed(status) and (again or is_in_the_way(status.reason)):
        return Retry(attempt=Attempt.LIFECYCLE, why="a stack that never stood is deleted, and created anew")
    if status.phase is Phase.FAILED:
        return Retry(attempt=Attempt.PIPELINE, why="its pipeline failed")
    if release_failed(status):
        return _refuse(f"the release failed at {deployment_id}, which is {status.phase}; next step: {told}")
    if status.phase is Phase.ACTIVE:
        return Retry(attempt=Attempt.TOUCH, why="it is ACTIVE: a build looks whether all of it is there")
    return _refuse(f"{deployment_id} is {status.phase}: nothing of it failed")


def _why_build(wish: DeploymentRecord, status: Status, lost: str) -> str:
    """Why a build has to look at it, empty when none has."""
    if status.phase in ENDED:
        return f"it is {status.phase}, and its row asks for a deployment"
    if status.phase is Phase.INVALID:
        return "its row was not valid, and is now"
    if not _provisioned(wish, status) or status.phase is Phase.PENDING:
        return "its pipeline is not provisioned as the row asks for"
    return f"{lost} is gone" if lost else ""


def _provisioned(wish: DeploymentRecord, status: Status) -> bool:
    return bool(status.applied_digest) and status.applied_digest == wish.digest()


def _refuse(why: str) -> Retry:
    return Retry(attempt=Attempt.REFUSE, why=why)
