"""One round of an attempt: look, decide, write, and only then do; whoever dies in between is gone on for by the next.

Every write names the version that was read. Of two at work on one attempt, the slower one begins anew; when the attempt
is over by then, that takes away what it has made.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from lambdas.common.aws_errors import may_pass
from lambdas.common.clock import moment
from lambdas.common.errors import CapacityError, GranaryError
from lambdas.common.evidence.verdict import Outcome
from lambdas.common.isolation import contained, fault
from lambdas.resilience.model.attempt import (
    Attempt,
    Evidence,
    Injected,
    Step,
    follow,
    injected,
    look_due,
    no_room,
    over,
    refused,
)
from lambdas.resilience.model.plan import Experiment, Mode
from lambdas.resilience.model.tenant import Tenant
from lambdas.resilience.store.attempts import AttemptsTable, OvertakenError

logger = logging.getLogger(__name__)

STARTED, ENDED = "Chaos Experiment Started", "Chaos Experiment Ended"


class TenantSide(Protocol):
    """Port to a tenant's account and Region: its experiments, and what tells how it is."""

    def open(self) -> object: ...
    def inject(self, attempt: Attempt, experiment: Experiment) -> str: ...
    def status(self, attempt: Attempt) -> Injected: ...
    def undo(self, attempt: Attempt) -> None: ...
    def look(self, attempt: Attempt, step: Step) -> Sequence[Evidence]: ...


class Home(Protocol):
    """Port to what is told and kept at home: events on the bus, verdicts beside the release."""

    def tell(self, kind: str, attempt: Attempt) -> None: ...
    def keep(self, attempt: Attempt) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Trying:
    """Takes attempts on; `side` opens the tenant's account and Region."""

    attempts: AttemptsTable
    side: Callable[[Attempt], TenantSide]
    home: Home
    clock: Callable[[], datetime]

    def take(self, tenant: Tenant, attempt: Attempt) -> Tenant:
        """Let an attempt hold a tenant that none holds, or write it as it stands now.

        Raises:
            OvertakenError: the tenant was written since it was read.
        """
        return self.attempts.save(tenant.with_attempt(attempt))

    def go_on(self, tenant: Tenant) -> Tenant:
        """Take an attempt on by a round; when it has its outcome, that is kept and told.

        What passes with time leaves the attempt as it is; whatever else breaks ends it.

        Raises:
            OvertakenError: somebody else is at work on it.
        """
        attempt = attempt_of(tenant)
        try:
            tenant = self._round(tenant, attempt)
        except OvertakenError:
            raise
        except Exception as error:
            if may_pass(error):
                logger.warning("the attempt at %s goes on later: %s", tenant.id, error)
                return tenant
            logger.exception("the attempt at %s has broken", tenant.id)
            # It may have been written on the way.
            tenant = self.give_up(self.attempts.get(tenant.id), attempt.id, Outcome.ERROR, fault(error))
        if attempt_of(tenant).is_over:
            self.conclude(tenant)
        return tenant

    def give_up(self, tenant: Tenant, attempt_id: str, outcome: Outcome, reason: str) -> Tenant:
        """Bring an attempt to its end, wherever it stands; one that has its outcome keeps it.

        Raises:
            OvertakenError: the tenant was written since it was read, or is another attempt's by now.
        """
        attempt = attempt_of(tenant)
        if attempt.id != attempt_id:
            raise OvertakenError(f"another attempt holds {tenant.id}")
        return tenant if attempt.is_over else self.take(tenant, over(attempt, outcome, reason, now=self.clock()))

    def conclude(self, tenant: Tenant) -> None:
        """Undo what an attempt that is over has made, keep its verdict, and tell; safe to repeat.

        What cannot be undone now the sweep undoes later: it holds up no answer.
        """
        attempt = attempt_of(tenant)
        with contained(f"what was made for the attempt at {tenant.id} could not be undone yet", deployment=tenant.id):
            self.side(attempt).undo(attempt)
        self.home.keep(attempt)
        self._tell(ENDED, attempt)

    def end(self, tenant: Tenant) -> bool:
        """Give the tenant free when nothing can be left of an attempt that is over; answers whether it is free."""
        attempt = attempt_of(tenant)
        if self.clock() < moment(attempt.hold):
            return False
        self.side(attempt).undo(attempt)
        self.take(tenant, replace(attempt, step=Step.ENDED))
        return True

    def _round(self, tenant: Tenant, attempt: Attempt) -> Tenant:
        if attempt.is_over:
            return tenant
        if self.clock() >= moment(attempt.until):
            return self.give_up(tenant, attempt.id, Outcome.ABORTED, f"it was not over by {attempt.until}")
        side = self.side(attempt)
        if attempt.step is Step.INJECTING:
            # Written, for whoever decided it and lives is not alone any more.
            return self._inject(self.take(tenant, attempt), attempt, side, alone=False)
        seen = side.status(attempt) if attempt.step is Step.DURING else Injected()
        due = look_due(attempt, seen)
        looks = side.look(attempt, due) if due else ()
        if due is Step.DURING and side.status(attempt) != seen:
            # The fault was over before they were through: only who failed has seen it.
            looks = [one for one in looks if one.outcome is Outcome.FAIL]
        following = follow(attempt, injected=seen, looks=looks, now=self.clock())
        if following.step is Step.INJECTING or following.touched is not attempt.touched:
            side.open()  # who is not let in has touched nothing
        if following != attempt:
            tenant = self.take(tenant, following)
        if following.step is Step.UNDONE and attempt.step is not Step.UNDONE:
            side.undo(following)
        if following.step is not Step.INJECTING:
            return tenant
        return self._inject(tenant, following, side, alone=not attempt.touched)

    def _inject(self, tenant: Tenant, attempt: Attempt, side: TenantSide, *, alone: bool) -> Tenant:
        """Whoever died after this was decided may have injected already: the tokens give the same experiment."""
        if attempt.plan.experiment is None:
            raise GranaryError(f"the attempt at {tenant.id} has no experiment: report it")
        try:
            experiment = side.inject(attempt, attempt.plan.experiment)
        except CapacityError as error:
            return self.take(tenant, no_room(attempt, str(error)))
        except GranaryError as error:
            return self.take(tenant, refused(attempt, str(error), alone=alone, now=self.clock()))
        made = injected(attempt, experiment=experiment, now=self.clock())
        tenant = self.take(tenant, made)
        if made.plan.mode is Mode.RUN:  # people start their own tests of users' experience at that
            self._tell(STARTED, made)
        return tenant

    def _tell(self, kind: str, attempt: Attempt) -> None:
        with contained(f"nobody was told: {kind}", deployment=attempt.deployment, run=attempt.run):
            self.home.tell(kind, attempt)


def attempt_of(tenant: Tenant) -> Attempt:
    """The attempt that holds a tenant.

    Raises:
        OvertakenError: none does any more.
    """
    if tenant.attempt is None:
        raise OvertakenError(f"no attempt holds {tenant.id} any more")
    return tenant.attempt
