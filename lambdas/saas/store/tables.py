"""The two tables: people write the deployments, the factory writes their status."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from lambdas.common import dynamo
from lambdas.common.clock import AHEAD, stamp
from lambdas.common.errors import UnreadableError
from lambdas.saas.model.component_stacks import after_claim
from lambdas.saas.model.lifecycle import NOT_THE_PIPELINES
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Observation, Phase, StackRef, Status, Unreadable
from lambdas.saas.store.adoptions import Adoptions, TellsAdoptions
from lambdas.saas.store.external_ids import ExternalIds
from lambdas.saas.store.status_writes import (
    NOT_OUTDATED,
    UNCLAIMED,
    applied,
    not_applied,
    not_for_one_place,
    not_wished,
    refused,
    seen_facts,
    stacks_unless_claimed,
    wished,
    write_status,
)

# A claim outlives the longest provisioning build, so that only a dead build's claim is ever taken over.
CLAIM_LEASE = timedelta(minutes=75)

_NOT_OUTDATED = f"attribute_exists( #id ) AND {NOT_OUTDATED}"
# Its pipeline is out of use, and only the lifecycle machine goes on with it, or brings it back.
_RETIREMENT_FAILED = "( #phase = :failed AND attribute_exists( #retire_after ) )"
_STANDS_STILL = f"( #phase IN ( :suspended, :retiring ) OR {_RETIREMENT_FAILED} )"
# Its row may go: it was retired, or is about to be.
_ON_ITS_WAY_OUT = f"( #phase IN ( :retiring, :retired, :warned ) OR {_RETIREMENT_FAILED} )"
# A build's claim writes `build_id` and a look at the pipeline `observed_at`, for good: without them there is no stack.
_NEVER_BUILT = "attribute_not_exists( #build_id ) AND attribute_not_exists( #observed_at )"
_SUSPENDED_AT_ONCE = "( #phase = :suspended AND attribute_not_exists( #applied_digest ) )"
_ENDS = {"retiring": "RETIRING", "retired": "RETIRED", "warned": "RETIRED_WITH_WARNINGS", "failed": "FAILED"}
_STILL = {"suspended": Phase.SUSPENDED, "retiring": Phase.RETIRING, "failed": Phase.FAILED}
_LED_TO_NOTHING = f"( ( #phase IN ( :invalid, :pending ) OR {_SUSPENDED_AT_ONCE} ) AND {_NEVER_BUILT} )"
_WAIT = ("pending_build", "pending_since")
_CLAIM = ("claimed_by", "claim_expires_at")
_UNSETTLED = "( NOT #applied_digest = :digest OR #phase IN ( :pending, :failed, :invalid ) OR #row_removed = :true )"


class Deployments(Protocol):
    """Port to the deployments table; read only, for the rows are the people's."""

    def get(self, deployment_id: str) -> dict[str, Any] | None: ...
    def rows(self) -> Iterator[dict[str, Any]]: ...


class Statuses(TellsAdoptions, Protocol):
    """Port to the status table. Every write is safe to repeat; those with a condition answer whether it held."""

    def get(self, deployment_id: str) -> Status | None: ...
    def all(self) -> Iterator[Status | Unreadable]: ...
    def invalid(self, deployment_id: str, *, reason: str, now: datetime, revision: str = "") -> bool: ...
    def pending(
        self, record: DeploymentRecord, *, reason: str, now: datetime, build_id: str = "", anew: bool = False
    ) -> bool: ...
    def called(self, record: DeploymentRecord, *, now: datetime) -> bool: ...
    def removed(self, deployment_id: str, *, now: datetime) -> bool: ...
    def bury(self, deployment_id: str) -> bool: ...
    def claim(
        self, record: DeploymentRecord, *, build_id: str, revision: str, now: datetime, moving: Status | None = None
    ) -> bool: ...
    def provisioned(
        self,
        record: DeploymentRecord,
        *,
        build_id: str,
        stack: StackRef,
        support: tuple[StackRef, ...] = (),
        now: datetime,
    ) -> bool: ...
    def failed(self, deployment_id: str, *, build_id: str, reason: str, retry: bool, now: datetime) -> bool: ...
    def observed(self, deployment_id: str, seen: Observation, *, now: datetime) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class DeploymentsTable:
    """The deployments table in DynamoDB."""

    client: Any
    name: str

    def get(self, deployment_id: str) -> dict[str, Any] | None:
        return dynamo.get(self.client, table=self.name, key=deployment_id)

    def rows(self) -> Iterator[dict[str, Any]]:
        return dynamo.scan_pages(self.client, table=self.name)


@dataclass(frozen=True, kw_only=True)
class StatusReader:
    """The status table in DynamoDB, as everybody reads it; who writes it is told apart by what they write."""

    client: Any
    name: str

    def get(self, deployment_id: str) -> Status | None:
        """Read one status; raises UnreadableError for an item that this version cannot read."""
        item = dynamo.get(self.client, table=self.name, key=deployment_id)
        found = Status.from_item(item) if item else None
        if isinstance(found, Unreadable):
            raise UnreadableError(str(found))
        return found

    def all(self, *, after: str = "") -> Iterator[Status | Unreadable]:
        return map(Status.from_item, dynamo.scan_pages(self.client, table=self.name, after=after))


@dataclass(frozen=True, kw_only=True)
class StatusTable(StatusReader, ExternalIds, Adoptions):
    """The status table, for what builds and pipelines come to."""

    def invalid(self, deployment_id: str, *, reason: str, now: datetime, revision: str = "") -> bool:
        """Say that the row cannot be acted on, by a build of this `revision` if given; what is deployed stays as it is.

        One whose pipeline is out of use keeps its phase, and is told the reason once.
        """
        return self._write(
            deployment_id,
            now=now,
            condition=f"NOT {_RETIREMENT_FAILED}",
            values={"failed": Phase.FAILED},
            **refused(revision, removes=_WAIT),
            phase=Phase.INVALID,
            reason=reason,
            retry=False,
            row_removed=False,
        ) or self._write(
            deployment_id,
            now=now,
            condition=f"{_STANDS_STILL} AND NOT #row_problem = :problem",
            values={**_STILL, "problem": reason},
            row_problem=reason,
            reason=f"its row cannot be acted on: {reason}",
            row_removed=False,
        )

    def pending(
        self, record: DeploymentRecord, *, reason: str, now: datetime, build_id: str = "", anew: bool = False
    ) -> bool:
        """Say that the row waits for a build, for this one if it was started; `anew`: whatever was applied already.

        False when none is needed: the wish is what was applied already, or a build holds the deployment (which looks
        at the row again after giving its claim back).
        """
        unsettled = {"pending": Phase.PENDING, "invalid": Phase.INVALID, "digest": record.digest(), "true": True}
        return self._write(
            record.id,
            now=now,
            condition=f"{UNCLAIMED} AND {'' if anew else f'{_UNSETTLED} AND '}NOT {_RETIREMENT_FAILED}",
            values={"now": stamp(now), "failed": Phase.FAILED, **({} if anew else unsettled)},
            defaults={"pending_since": stamp(now)},
            removes=(*(() if build_id else _WAIT[:1]), *(("applied_digest",) if anew else ()), *not_wished(record)),
            phase=Phase.PENDING,
            reason=reason,
            **({"pending_build": build_id} if build_id else {}),
            **wished(record),
        )

    def removed(self, deployment_id: str, *, now: datetime) -> bool:
        """Say that the row is gone; False when the deployment is not known (any more), or was or is being retired.

        When no build ever took the row up, nothing is left of it: its status is deleted. Otherwise the deployment was
        not retired, and its status says so from here on. What becomes of it is the configuration's (`on_row_removed`).
        """
        phases = {"invalid": str(Phase.INVALID), "pending": str(Phase.PENDING), "suspended": str(Phase.SUSPENDED)}
        unbuilt = f"attribute_exists( #id ) AND {_LED_TO_NOTHING}"
        forgotten = dynamo.delete(self.client, table=self.name, key=deployment_id, condition=unbuilt, values=phases)
        return forgotten or self._write(
            deployment_id,
            now=now,
            condition=f"attribute_exists( #id ) AND NOT {_LED_TO_NOTHING} AND NOT {_ON_ITS_WAY_OUT}",
            values={**phases, **_ENDS},
            row_removed=True,
            removed_at=stamp(now),
            reason="the row was removed without retiring the deployment: put the row back to keep it",
        )

    def bury(self, deployment_id: str) -> bool:
        """Remove the tombstone of a retired deployment, so that its id can be used again; False when there is none."""
        return dynamo.delete(
            self.client,
            table=self.name,
            key=deployment_id,
            condition="#phase IN ( :retired, :warned )",
            values={"retired": str(Phase.RETIRED), "warned": str(Phase.RETIRED_WITH_WARNINGS)},
        )

    def claim(
        self, record: DeploymentRecord, *, build_id: str, revision: str, now: datetime, moving: Status | None = None
    ) -> bool:
        """Take the deployment for a build; False while another, or a release, holds it.

        One that moves, or comes back from a move, is given as it was read (`moving`): its stacks are sorted by the
        place that the row names. False too when a look at the pipeline has found other stacks since.
        """
        stacks = after_claim(record, moving) if moving else None
        free = f"#claimed_by = :build_id OR {UNCLAIMED}"
        unchanged, values = stacks_unless_claimed(moving, stacks) if moving and stacks else ("", {})
        return self._write(
            record.id,
            now=now,
            condition=f"( {free} ) AND ( {unchanged} )" if unchanged else free,
            values={"now": stamp(now), "build_id": build_id, **values},
            removes=(*_WAIT, "refused_by", "retire_after", *not_wished(record)),
            increments=("attempts",),
            phase=Phase.MOVING if stacks and stacks.former else Phase.PROVISIONING,
            reason="",
            **wished(record),
            **not_for_one_place(record, moving),
            revision_wanted=revision,
            build_id=build_id,
            claimed_by=build_id,
            claim_expires_at=stamp(now + CLAIM_LEASE),
            **(stacks.attributes() if stacks else {}),
        )

    def provisioned(
        self,
        record: DeploymentRecord,
        *,
        build_id: str,
        stack: StackRef,
        support: tuple[StackRef, ...] = (),
        now: datetime,
    ) -> bool:
        """Give the claim back after the pipeline was deployed; its executions decide the phase from here on.

        What failed before does not count any more: the next failure is retried as soon as a first one.
        """
        return self._write(
            record.id,
            now=now,
            condition="#claimed_by = :build_id",
            values={"build_id": build_id},
            removes=(*_CLAIM, "attempts", "adoption", *not_applied(record)),
            **applied(record),
            pipeline_stack=stack,
            **({"support_stacks": support} if support else {}),
        )

    def failed(self, deployment_id: str, *, build_id: str, reason: str, retry: bool, now: datetime) -> bool:
        """Give the claim back with the reason why the build could not provision the deployment.

        The link to the newest execution goes: it would lead away from what failed, which `build_id` tells.
        """
        return self._write(
            deployment_id,
            now=now,
            condition="#claimed_by = :build_id",
            values={"build_id": build_id},
            removes=(*_CLAIM, "execution_url", "adoption"),
            phase=Phase.FAILED,
            reason=reason,
            retry=retry,
        )

    def observed(self, deployment_id: str, seen: Observation, *, now: datetime) -> bool:
        """Write what the newest execution of the pipeline tells; `now` is when the look at the pipeline began.

        A look that began earlier than one already written changes nothing: of two at once, the later one has seen more.
        A phase that tells what comes next, or that the pipeline is out of use (a retirement that failed is such), is
        kept; what is deployed is written all the same, and the answer is False.
        """
        facts, ahead = {**seen_facts(seen), "observed_at": stamp(now)}, {"ahead": stamp(now + AHEAD)}
        # What fails a move fails the deployment; that it succeeded is not the end of it.
        kept = NOT_THE_PIPELINES - {Phase.MOVING} if seen.phase is Phase.FAILED else NOT_THE_PIPELINES
        names = {f"kept{index}": phase for index, phase in enumerate(sorted(kept))}
        told = self._write(
            deployment_id,
            now=now,
            condition=f"{_NOT_OUTDATED} AND NOT #phase IN ( {', '.join(f':{name}' for name in names)} )"
            f" AND NOT {_RETIREMENT_FAILED}",
            values={**names, **ahead, "failed": Phase.FAILED},
            removes=("first_failure",) if seen.phase is Phase.ACTIVE else (),
            phase=seen.phase,
            reason=seen.reason,
            **facts,
        )
        if not told:
            self._write(deployment_id, now=now, condition=_NOT_OUTDATED, values=ahead, **facts)
        return told

    def _write(self, deployment_id: str, *, now: datetime, **what: Any) -> bool:
        return write_status(self.client, table=self.name, deployment_id=deployment_id, now=now, **what)
