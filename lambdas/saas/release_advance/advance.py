"""One deployment's turn in a release: it is taken, moved to the release (or back), and waited for by a token.

`turns` answers the token with the outcome; when the pipeline was started, `pipeline-watch` does when it has ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.errors import CapacityError, GranaryError, UnreadableError
from lambdas.common.task_tokens import TaskTokens
from lambdas.saas.model.contract import contract_needed, mismatch, unfit
from lambdas.saas.model.eligible import is_there, why_not
from lambdas.saas.model.forward_only import no_way_back
from lambdas.saas.model.lineage import lineage
from lambdas.saas.model.record import DeploymentRecord, parse_row, pin_of
from lambdas.saas.model.release_turns import UNDER_WAY, Aside, Ending, Taking
from lambdas.saas.model.releases import Release
from lambdas.saas.model.rings import Item
from lambdas.saas.model.runs import Ring, RingState
from lambdas.saas.model.status import Outcome, Phase, Status
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.release_advance.decide import (
    Standing,
    given_up,
    revision_before,
    said,
    superseded,
    was_begun,
    was_held,
    why_held,
)
from lambdas.saas.store.release_statuses import ReleaseStatuses
from lambdas.saas.store.runs_table import Runs
from lambdas.saas.store.tables import Deployments
from lambdas.saas.store.tenant_copies import TenantPipelines
from lambdas.saas.store.verdicts import Verdicts

logger = logging.getLogger(__name__)

# The claim outlives the wait for the pipeline, so that the outcome is written by who waited.
_CLAIM_MARGIN = timedelta(minutes=30)
_TO_ROLL_BACK = (Outcome.FAILED, Outcome.SUCCEEDED)


class BusyError(GranaryError):
    """Somebody else works on the deployment, or there is no capacity: the same turn may succeed later."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A deployment's turn: in which run and ring, and the token that waits for its outcome."""

    run: str
    ring: int
    item: Item
    token: str = ""


@dataclass(frozen=True, kw_only=True)
class Advance:
    """Takes a deployment to a release when its turn comes; `timeout_minutes` is how long a pipeline is waited for."""

    targets: TargetPolicy
    deployments: Deployments
    statuses: ReleaseStatuses
    runs: Runs
    pipelines: TenantPipelines
    verdicts: Verdicts
    tokens: TaskTokens
    timeout_minutes: int
    clock: Callable[[], datetime]

    def advance(self, turn: Turn) -> str | None:
        """Move a deployment to the run's release; answers the outcome, None while its pipeline runs.

        Raises:
            BusyError: it cannot be taken now.
            GranaryError: it was taken, and cannot be moved.
        """
        standing, status = self._standing(turn), self._status(turn)
        if superseded(standing, turn.run) or standing.run is None or standing.ring is None:
            return self._let_go(turn, status, standing.ring)
        if status is None:
            self.runs.vanished(standing.ring, turn.item.id, now=self.clock())
            return Aside.SKIPPED
        if _decided(status, turn.run):
            return status.release_outcome
        ring, revision = standing.ring, standing.run.revision
        release = self.runs.release(revision)
        # What was begun goes on: the claim is held, and whatever else is wished for waits for it.
        if status.release_run != turn.run and (aside := self._aside(standing, status, revision, release)):
            return self._set_aside(status, ring, *aside)
        before = revision_before(status, run=turn.run, revision=revision)
        self._start(turn, status, ring, Outcome.RUNNING, release, before=before)
        return None

    def roll_back(self, turn: Turn) -> str | None:
        """Move a deployment back to where it came from; answers the outcome, None while its pipeline runs.

        Raises:
            BusyError: it cannot be taken now.
            GranaryError: it was taken, and cannot be moved.
        """
        standing, status = self._standing(turn), self._status(turn)
        if superseded(standing, turn.run) or standing.run is None or standing.ring is None or status is None:
            return self._let_go(turn, status, standing.ring)
        if status.release_run != turn.run and status.release_run not in lineage(self.runs, standing.run):
            return self._let_go(turn, status, standing.ring)
        if status.release_outcome in (Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED, Outcome.RUNNING):
            return status.release_outcome
        if status.release_outcome != Outcome.ROLLING_BACK and self._stays(status):
            return Aside.SKIPPED
        before = status.revision_before
        release = self.runs.release(before) if before else None
        if status.release_outcome != Outcome.ROLLING_BACK and (refusal := self._not_back(release, status, before)):
            return self._leave(status, standing.ring, refusal)
        self._start(turn, status, standing.ring, Outcome.ROLLING_BACK, release, before=before)
        return None

    def _stays(self, status: Status) -> bool:
        """Whether a rollback leaves a deployment out: the release has not reached it, or its row pins it elsewhere.

        Of the first, somebody else held it all the time; the other is, or will be, placed where its row says.
        """
        if status.release_outcome == Outcome.FAILED and not was_begun(status):
            return True
        pin = pin_of(self.deployments.get(status.id) or {}, stamp(self.clock()))
        return pin not in ("", status.revision_before)

    def _not_back(self, release: Release | None, status: Status, before: str) -> str:
        """Tell why a deployment may not be moved back to a release; that its verdicts have expired is no reason.

        One that is not known any more, or never was, is the turn's failure.
        """
        if (why := no_way_back(status, before)) or release is None:
            return why
        why = mismatch(release) or unfit(release, contract_needed(status))
        return why or self.verdicts.why_not(release, forward=False)

    def give_up(self, turn: Turn, error: Mapping[str, Any]) -> str:
        """Record that a deployment's end is not waited for any longer."""
        standing, status = self._standing(turn), self._status(turn)
        if superseded(standing, turn.run) or standing.run is None or standing.ring is None or status is None:
            return self._let_go(turn, status, standing.ring)
        rolls_back = standing.ring.state == RingState.ROLLING_BACK
        if status.release_run != turn.run and not rolls_back:
            # Who is being provisioned is no failure of the release; that nobody can tell why it was not taken is one.
            outcome = Aside.SKIPPED if was_held(error) else Aside.FAILED
            return self._set_aside(status, standing.ring, outcome, f"it could not be taken up: {said(error)}")
        if status.release_outcome in UNDER_WAY:
            ending = given_up(status, error, revision=standing.run.revision, minutes=self.timeout_minutes)
            self._end(status, standing.ring, ending)
            self.statuses.answered(status.id, token=status.task_token, now=self.clock())  # nobody waits any more
            return ending.outcome
        if rolls_back and status.release_outcome in _TO_ROLL_BACK:
            return self._leave(status, standing.ring, said(error))
        return status.release_outcome

    def answer(self, turn: Turn, outcome: str, payload: Mapping[str, Any]) -> None:
        """Answer the turn's token; of a deployment that was taken, it is forgotten then."""
        self.tokens.succeed(turn.token, payload)
        if not isinstance(outcome, Aside):
            self.statuses.answered(turn.item.id, token=turn.token, now=self.clock())

    def _let_go(self, turn: Turn, status: Status | None, ring: Ring | None) -> str:
        """Give back what a run has taken that is superseded, if its pipeline was not started: nobody else would."""
        started = status and status.release_execution_id and not status.found_no_capacity
        if status and ring and status.release_run == turn.run and not started:
            self._end_as_failed(status, ring, "the release was superseded before the pipeline was started")
        return Outcome.SUPERSEDED

    def _standing(self, turn: Turn) -> Standing:
        return Standing(
            run=self.runs.run(turn.run), ring=self.runs.ring(turn.run, turn.ring), current=self.runs.current()
        )

    def _status(self, turn: Turn) -> Status | None:
        """What is known of the deployment; one that cannot be read stops nobody else's turn.

        Of what was begun no outcome will be known, and the ring counts it as lost; of the rest nothing is begun.
        """
        try:
            return self.statuses.get(turn.item.id)
        except UnreadableError as error:
            logger.error("run %s: %s", turn.run, error)  # noqa: TRY400 - told, no fault
            return None

    def _leave(self, status: Status, ring: Ring, why: str) -> str:
        """Count a deployment that is to be rolled back, and is not touched."""
        reason = f"{status.release_reason}; it could not be rolled back: {why}"
        self.statuses.left(status, ring=ring, reason=reason, now=self.clock())
        return Outcome.ROLLBACK_FAILED

    def _aside(
        self, standing: Standing, status: Status, revision: str, release: Release | None
    ) -> tuple[Aside, str] | None:
        """Tell why the deployment is not taken up; None when it is."""
        if held := why_held(standing) or (mismatch(release) if release else ""):
            return Aside.HELD, held
        row = self.deployments.get(status.id)
        if row is None:
            return Aside.SKIPPED, "its row was removed"
        wish = parse_row(row, self.targets, now=stamp(self.clock()))
        if not isinstance(wish, DeploymentRecord):
            return Aside.SKIPPED, f"its row is not valid: {wish.reason}"
        reason = why_not(wish, status)
        if not reason and release:
            reason = unfit(release, contract_needed(status))
        if reason:
            return Aside.SKIPPED, reason
        return (Aside.SUCCEEDED, "") if is_there(status, revision) else None

    def _set_aside(self, status: Status, ring: Ring, outcome: Aside, reason: str) -> str:
        if not self.statuses.set_aside(status, ring=ring, outcome=outcome, reason=reason, now=self.clock()):
            raise BusyError(f"deployment {status.id} changed meanwhile")
        self._answer_former(status, ring.run)
        return outcome

    def _start(
        self, turn: Turn, status: Status, ring: Ring, outcome: Outcome, release: Release | None, *, before: str
    ) -> None:
        now = self.clock()
        again = status.release_run == turn.run and status.release_outcome == outcome
        taking = Taking(
            run=turn.run,
            ring=ring.name,
            outcome=outcome,
            revision=release.revision if release else before or status.revision_wanted,
            before=before,
            token=turn.token,
            claim_until=now + timedelta(minutes=self.timeout_minutes) + _CLAIM_MARGIN,
            execution_id=status.release_execution_id if again and not status.found_no_capacity else "",
            refused_id=status.release_refused_id if again else "",
        )
        if not self.statuses.take(status, taking, now=now):
            raise BusyError(self._who_holds(status.id))
        self._answer_former(status, turn.run)
        if taking.execution_id:
            return
        if release is None:
            raise GranaryError(_no_release(before))
        # The same try is the same execution; one that found no capacity makes way for another.
        token = " ".join(filter(None, (turn.run, turn.item.id, outcome, taking.refused_id)))
        try:
            execution_id = self.pipelines.start(turn.item.type, turn.item.id, release=release, token=token)
        except CapacityError as error:
            raise BusyError(str(error)) from error
        self.statuses.started(status.id, token=turn.token, execution_id=execution_id, now=self.clock())

    def fail(self, turn: Turn, reason: str, *, outcome: Outcome = Outcome.FAILED) -> str:
        """Record that a deployment that was taken cannot be moved, and why; answers the outcome.

        One that is SKIPPED does not stop the line: the release has done nothing to it.
        """
        status = self.statuses.get(turn.item.id)
        ring = self.runs.ring(turn.run, turn.ring)
        if status is None or ring is None or status.release_run != turn.run:
            return Outcome.SUPERSEDED
        return self._end_as_failed(status, ring, reason, outcome=outcome)

    def _end_as_failed(self, status: Status, ring: Ring, reason: str, *, outcome: Outcome = Outcome.FAILED) -> Outcome:
        back = status.release_outcome == Outcome.ROLLING_BACK
        outcome = Outcome.ROLLBACK_FAILED if back else outcome
        if status.release_outcome in UNDER_WAY:
            told = f"{status.release_reason}; {reason}" if back and status.release_reason else reason
            self._end(status, ring, Ending(outcome=outcome, phase=Phase.FAILED, reason=told, told=told))
        return outcome

    def _end(self, status: Status, ring: Ring, ending: Ending) -> None:
        if self.statuses.ended(status, ending, ring=ring, now=self.clock()):
            logger.info("run %s: deployment %s %s", ring.run, status.id, ending.outcome)

    def _answer_former(self, status: Status, run: str) -> None:
        """Let a run that this one has superseded stop waiting."""
        if status.task_token and status.release_run != run:
            self.tokens.succeed(status.task_token, {"outcome": Outcome.SUPERSEDED, "count": 1})
            self.statuses.answered(status.id, token=status.task_token, now=self.clock())

    def _who_holds(self, deployment_id: str) -> str:
        status = self.statuses.get(deployment_id)
        if status and status.claimed_by:
            return f"deployment {deployment_id} is held by {status.claimed_by} until {status.claim_expires_at}"
        return f"deployment {deployment_id} is {status.phase if status else 'unknown'}: it cannot be taken now"


def _decided(status: Status, run: str) -> bool:
    """Whether the run has counted the deployment already, or has even begun to take it back."""
    return status.release_run == run and status.release_outcome != Outcome.RUNNING


def _no_release(before: str) -> str:
    return f"release {before} is not known any more" if before else "there is no earlier revision to go back to"
