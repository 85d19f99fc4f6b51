"""Jobs of tenants' pipelines, and of dry runs by hand: a series of them is an attempt.

A job's continuation token says which attempt it goes on with, and its round: what is delivered twice is told by that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from lambdas.common.clock import moment
from lambdas.common.errors import GranaryError
from lambdas.common.isolation import contained
from lambdas.common.pipeline_jobs import Later
from lambdas.resilience.fis_trigger.beginnings import Nothing, by_hand, of_release
from lambdas.resilience.fis_trigger.trying import Trying, attempt_of
from lambdas.resilience.model.attempt import BY_HAND, Attempt
from lambdas.resilience.model.plan import Chaos
from lambdas.resilience.model.tenant import Tenant
from lambdas.resilience.store.attempts import retried


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a series of jobs stands: the attempt, the round, and whether the attempt has had the tenant."""

    attempt: str
    round: int = 0
    begun: bool = False

    @classmethod
    def of(cls, token: str, job: str) -> Self:
        """Read a continuation token; a job without one begins an attempt.

        Raises:
            GranaryError: it is none of ours.
        """
        if not token:
            return cls(attempt=job)
        attempt, _, rest = token.partition("/")
        number, _, begun = rest.partition("/")
        if not number.isdecimal():
            raise GranaryError(f"the continuation token {token!r} is none of this function's: retry the stage")
        return cls(attempt=attempt, round=int(number), begun=bool(begun))

    @property
    def later(self) -> Later:
        """The answer that has CodePipeline ask again."""
        return Later(token=f"{self.attempt}/{self.round + 1}{'/begun' if self.begun else ''}")


@dataclass(frozen=True, kw_only=True)
class Said:
    """The answer of a job; `attempt` is the one that is over with it, and `passes` whether the action passes."""

    answer: str | Later
    passes: bool = True
    attempt: Attempt | None = None


@dataclass(frozen=True, kw_only=True)
class Turns:
    """Takes jobs; `ask` is saas's query about a tenant, `timeout_minutes` how long a release waits for a pipeline."""

    trying: Trying
    chaos: Chaos
    ask: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    timeout_minutes: int
    clock: Callable[[], datetime]

    def job(self, given: Mapping[str, Any], *, job: str, token: str) -> Said:
        """Take a job of a pipeline's action.

        Raises:
            GranaryError: the action fails, for this reason.
        """
        place, deployment, execution = Place.of(token, job), str(given["deployment"]), str(given["execution"])

        def begin() -> Attempt | Nothing:
            told = self.ask({"deployment": deployment, "execution": execution})
            minutes, now = self.timeout_minutes, self.clock()
            return of_release(place.attempt, told, self.chaos, execution=execution, timeout_minutes=minutes, now=now)

        if token:
            return self._turn(place, deployment, job, begin)
        begun = begin()
        if isinstance(begun, Nothing) and begun.for_good:
            return Said(answer=begun.why)  # so most rings are: for them nothing else is read
        return self._turn(place, deployment, job, lambda: begun)

    def dry_run(self, deployment: str, experiment: str, *, attempt: str, token: str) -> Said:
        """Take a round of a dry run that a person has asked for; raises as `job` does."""
        place = Place.of(token, attempt)
        if not place.attempt.startswith(BY_HAND):
            raise GranaryError(f"attempt {place.attempt} is no dry run: use `granary chaos run`")

        def begin() -> Attempt:
            told = self.ask({"deployment": deployment})
            return by_hand(place.attempt, told, self.chaos, experiment=experiment, now=self.clock())

        return self._turn(place, deployment, "", begin)

    def free(self, attempt: Attempt) -> None:
        """Let go of a tenant whose attempt is over and answered; what is in the way of that, the sweep meets again."""
        with contained(f"{attempt.deployment} is held until the sweep comes by", deployment=attempt.deployment):
            tenant = self.trying.attempts.get(attempt.deployment)
            if tenant.attempt and tenant.attempt.id == attempt.id:
                self.trying.end(tenant)

    def _turn(self, place: Place, deployment: str, job: str, begin: Callable[[], Attempt | Nothing]) -> Said:
        return retried(lambda: self._once(place, self.trying.attempts.get(deployment), job, begin))

    def _once(self, place: Place, tenant: Tenant, job: str, begin: Callable[[], Attempt | Nothing]) -> Said:
        if past := tenant.ended_before(place.attempt):
            return Said(answer=past.said, passes=past.passes)
        attempt = tenant.attempt
        if attempt is None or attempt.id != place.attempt:
            if place.begun:
                raise GranaryError(f"the attempt at {tenant.id} is not known any more: retry the stage")
            begun = begin()
            if isinstance(begun, Nothing):
                return Said(answer=begun.why)
            if attempt is not None:
                return self._wait(begun, attempt, place)
            tenant = self.trying.take(tenant, replace(begun, job=job, round=place.round))
        elif place.round > attempt.round:
            # Before anything else: whoever finds the attempt dead has to answer this job, and no other.
            tenant = self.trying.take(tenant, replace(attempt, job=job, round=place.round))
        attempt = attempt_of(self.trying.go_on(tenant))
        if attempt.is_over:
            return Said(answer=attempt.said, passes=attempt.passes, attempt=attempt)
        return Said(answer=replace(place, begun=True).later)

    def _wait(self, begun: Attempt, holder: Attempt, place: Place) -> Said:
        """A person asks again; a release does, until it is too late."""
        if not begun.execution or self.clock() >= moment(begun.until):
            held = f"attempt {holder.id} holds {begun.deployment} until {holder.hold or holder.until}"
            why = f"nothing was injected: {held}, or some minutes more: `granary chaos history` has it"
            raise GranaryError(f"INCONCLUSIVE: {why}")
        return Said(answer=place.later)
