"""What ends attempts besides their own jobs: an execution that is stopped, and the sweep, which sees who is dead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.clock import moment
from lambdas.common.errors import UnreadableError
from lambdas.common.evidence.verdict import Outcome
from lambdas.common.isolation import Faults
from lambdas.resilience.fis_trigger.beginnings import IN_PROGRESS
from lambdas.resilience.fis_trigger.trying import Trying, attempt_of
from lambdas.resilience.model.attempt import Attempt
from lambdas.resilience.model.tenant import Tenant
from lambdas.resilience.store.attempts import OvertakenError, retried

# What is over, or should be, is left this long to whoever is at work on it.
_LEFT_ALONE = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Endings:
    """Ends attempts; `answer` answers the job that an attempt has left, if anybody still waits for it."""

    trying: Trying
    ask: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    answer: Callable[[Attempt], object]
    clock: Callable[[], datetime]

    def stopped(self, execution: str, state: str) -> None:
        """End the attempts of an execution that has come to a stop.

        Raises:
            GranaryError: one could not be ended; the sweep goes on with it.
        """
        self._each(lambda attempt: f"its execution is {state}" if attempt.execution == execution else "")

    def sweep(self) -> None:
        """End the attempts that nobody goes on with, and give free what is over; raises as `stopped` does."""
        self._each(self._why_dead)

    def _each(self, why: Callable[[Attempt], str]) -> None:
        faults = Faults()
        for tenant in self.trying.attempts.held():
            if isinstance(tenant, UnreadableError):
                faults.found.append(str(tenant))
            elif tenant.attempt:
                with faults.contained(f"the attempt at {tenant.id} could not be ended", deployment=tenant.id):
                    self._settle(tenant, tenant.attempt, why)
        faults.tell()

    def _settle(self, tenant: Tenant, attempt: Attempt, why: Callable[[Attempt], str]) -> None:
        if attempt.is_over and self.clock() - moment(attempt.since) < _LEFT_ALONE:
            return
        if not attempt.is_over:
            if not (reason := why(attempt)):
                return
            tenant = retried(lambda: self._abort(tenant.id, attempt.id, reason))
        self.trying.conclude(tenant)
        self.answer(attempt_of(tenant))
        with suppress(OvertakenError):  # its job has come meanwhile, and ended it
            self.trying.end(tenant)

    def _abort(self, deployment: str, attempt_id: str, reason: str) -> Tenant:
        return self.trying.give_up(self.trying.attempts.get(deployment), attempt_id, Outcome.ABORTED, reason)

    def _why_dead(self, attempt: Attempt) -> str:
        if self.clock() >= moment(attempt.until) + _LEFT_ALONE:
            return f"nobody has gone on with it by {attempt.until}"
        if not attempt.execution:
            return ""
        told = self.ask({"deployment": attempt.deployment, "execution": attempt.execution})
        state = told.get("execution_status", IN_PROGRESS)
        return "" if state == IN_PROGRESS else f"its execution is {state or 'not known any more'}"
