"""What a release writes into the status table: one operation a tenant at a time, and every outcome counted once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from lambdas.common import dynamo
from lambdas.common.clock import AHEAD, stamp
from lambdas.common.transactions import transact
from lambdas.saas.model.lifecycle import NOT_THE_PIPELINES
from lambdas.saas.model.release_turns import Aside, Ending, Taking, holder
from lambdas.saas.model.runs import CURRENT, Ring
from lambdas.saas.model.status import RELEASE_CLAIM, Observation, Outcome, Phase, Status, Unreadable
from lambdas.saas.store.status_writes import NOT_OUTDATED, PINNED, UNCLAIMED, seen_facts, status_update
from lambdas.saas.store.tables import StatusReader

_CLAIM = ("claimed_by", "claim_expires_at")


class ReleaseStatuses(Protocol):
    """Port to the status table, for releases. Every write is safe to repeat, and answers whether it was done.

    The statuses that are passed in are those that were read: what changed meanwhile refuses the write.
    """

    def get(self, deployment_id: str) -> Status | None: ...
    def all(self) -> Iterator[Status | Unreadable]: ...
    def take(self, status: Status, taking: Taking, *, now: datetime) -> bool: ...
    def refused(self, status: Status, *, now: datetime) -> bool: ...
    def started(self, deployment_id: str, *, token: str, execution_id: str, now: datetime) -> bool: ...
    def ended(
        self, status: Status, ending: Ending, *, ring: Ring, now: datetime, seen: Observation | None = None
    ) -> bool: ...
    def set_aside(self, status: Status, *, ring: Ring, outcome: Aside, reason: str, now: datetime) -> bool: ...
    def left(self, status: Status, *, ring: Ring, reason: str, now: datetime) -> bool: ...
    def answered(self, deployment_id: str, *, token: str, now: datetime) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class ReleaseStatusTable(StatusReader):
    """The status table in DynamoDB, beside the releases table that the outcomes are counted in."""

    releases: str

    def take(self, status: Status, taking: Taking, *, now: datetime) -> bool:
        """Take a deployment for a run that is in force; False while a build or the lifecycle machine holds it.

        What another run has taken is taken over: only the run in force does that, and it is the later one.
        """
        condition, values = _as_read(status)
        free = f"( {UNCLAIMED} OR begins_with( #claimed_by , :releases ) )"
        facts: dict[str, Any] = {
            "release_execution_id": taking.execution_id,
            "release_refused_id": taking.refused_id,
            "task_token": taking.token,
        }
        if taking.outcome is Outcome.RUNNING:
            facts |= {"release_reason": "", "revision_before": taking.before, "release_started_at": stamp(now)}
        update = self._update(
            status.id,
            now=now,
            condition=f"attribute_exists( #id ) AND {condition} AND {free}",
            values={**values, "now": stamp(now), "releases": RELEASE_CLAIM},
            removes=PINNED,
            phase=Phase.UPDATING,
            reason="",
            revision_wanted=taking.revision,
            release_run=taking.run,
            release_ring=taking.ring,
            release_outcome=taking.outcome,
            claimed_by=holder(taking.run),
            claim_expires_at=stamp(taking.claim_until),
            **facts,
        )
        return self._transact([update, self._in_force(taking.run)])

    def started(self, deployment_id: str, *, token: str, execution_id: str, now: datetime) -> bool:
        """Keep which execution was started."""
        return dynamo.update(
            self.client,
            table=self.name,
            key=deployment_id,
            sets={"release_execution_id": execution_id, "updated_at": stamp(now)},
            condition="#task_token = :token",
            values={"token": token},
        )

    def refused(self, status: Status, *, now: datetime) -> bool:
        """Keep that the execution which was started found no capacity; the claim and the token stay."""
        return dynamo.update(
            self.client,
            table=self.name,
            key=status.id,
            sets={"release_refused_id": status.release_execution_id, "updated_at": stamp(now)},
            condition="#task_token = :token AND #release_execution_id = :execution",
            values={"token": status.task_token, "execution": status.release_execution_id},
        )

    def ended(
        self, status: Status, ending: Ending, *, ring: Ring, now: datetime, seen: Observation | None = None
    ) -> bool:
        """Write the outcome, give the claim back, and count it in the ring, all at once; False when that was done.

        A look at the pipeline hands on what it has `seen`, and when it began as `now`: it is refused when a later one
        was written. A phase that tells what comes next is kept.
        """
        condition = "#task_token = :token AND #claimed_by = :holder AND #release_outcome = :was"
        values = {"token": status.task_token, "holder": status.claimed_by, "was": status.release_outcome}
        facts: dict[str, Any] = {"release_outcome": ending.outcome, "release_reason": ending.told}
        if seen:
            condition += f" AND {NOT_OUTDATED}"
            values["ahead"] = stamp(now + AHEAD)
            facts |= seen_facts(seen) | {"observed_at": stamp(now)}
        kept = {f"kept{index}": str(phase) for index, phase in enumerate(sorted(NOT_THE_PIPELINES))}
        telling = self._update(
            status.id,
            now=now,
            removes=(*_CLAIM, *(("first_failure",) if ending.phase is Phase.ACTIVE else ())),
            condition=f"{condition} AND NOT #phase IN ( {', '.join(f':{name}' for name in kept)} )",
            values={**values, **kept},
            phase=ending.phase,
            reason=ending.reason,
            **facts,
        )
        silent = self._update(status.id, now=now, removes=_CLAIM, condition=condition, values=values, **facts)
        count = self._count(ring, ending.outcome, now)
        return any(self._transact([update, count]) for update in (telling, silent))

    def set_aside(self, status: Status, *, ring: Ring, outcome: Aside, reason: str, now: datetime) -> bool:
        """Count a deployment that a run in force does not take up; False when it was counted."""
        condition, values = _as_read(status)
        update = self._update(
            status.id,
            now=now,
            # A run that this one has superseded will not give its claim back.
            removes=(
                *(_CLAIM if status.claimed_by.startswith(RELEASE_CLAIM) else ()),
                # It has had its turn, for which it was still owed one: see `catch_up`.
                *(PINNED if outcome is Aside.FAILED else ()),
            ),
            condition=f"attribute_exists( #id ) AND {condition} AND NOT #release_run = :run",
            values={**values, "run": ring.run},
            release_run=ring.run,
            release_ring=ring.name,
            release_outcome=outcome,
            release_reason=reason,
            release_execution_id="",
            revision_before="",
        )
        return self._transact([update, self._count(ring, outcome, now), self._in_force(ring.run)])

    def left(self, status: Status, *, ring: Ring, reason: str, now: datetime) -> bool:
        """Count a deployment that could not be taken to be rolled back; False when it was taken, or counted."""
        condition, values = _as_read(status)
        outcome = Outcome.ROLLBACK_FAILED
        facts: dict[str, Any] = {"release_outcome": outcome, "release_reason": reason}
        update = self._update(status.id, now=now, condition=condition, values=values, **facts)
        return self._transact([update, self._count(ring, outcome, now), self._in_force(ring.run)])

    def answered(self, deployment_id: str, *, token: str, now: datetime) -> bool:
        """Forget a token that was answered."""
        return dynamo.update(
            self.client,
            table=self.name,
            key=deployment_id,
            sets={"updated_at": stamp(now)},
            removes=("task_token",),
            condition="#task_token = :token",
            values={"token": token},
        )

    def _update(self, deployment_id: str, **what: Any) -> dict[str, Any]:
        return {"Update": dynamo.update_request(table=self.name, key=deployment_id, **status_update(**what))}

    def _count(self, ring: Ring, outcome: StrEnum, now: datetime) -> dict[str, Any]:
        sets = {"updated_at": stamp(now)}
        request = dynamo.update_request(table=self.releases, key=ring.id, sets=sets, increments=(str(outcome),))
        return {"Update": request}

    def _in_force(self, run: str) -> dict[str, Any]:
        check = dynamo.check_request(table=self.releases, key=CURRENT, condition="#run = :run", values={"run": run})
        return {"ConditionCheck": check}

    def _transact(self, writes: Sequence[dict[str, Any]]) -> bool:
        return transact(self.client, writes) is None


def _as_read(status: Status) -> tuple[str, dict[str, str]]:
    """The condition that what releases have written is as it was read."""
    conditions: list[str] = []
    values: dict[str, str] = {}
    for name in ("release_run", "release_outcome", "task_token"):
        known = str(getattr(status, name))
        conditions.append(
            f"#{name} = :read_{name}" if known else f"( attribute_not_exists( #{name} ) OR #{name} = :no )"
        )
        values |= {f"read_{name}": known} if known else {"no": ""}
    return " AND ".join(conditions), values
