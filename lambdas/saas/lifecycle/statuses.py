"""The status table as the lifecycle machine writes it: every write under the claim that the machine holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Protocol

from lambdas.common.clock import stamp
from lambdas.saas.model.component_stacks import ComponentStacks
from lambdas.saas.model.status import Phase, StackRef, Status, Unreadable
from lambdas.saas.store.status_writes import PINNED, UNCLAIMED, stacks_are, write_status
from lambdas.saas.store.tables import StatusReader

# Longer than two invocations of the function and the wait between them, so that only a dead machine's claim is taken.
LEASE = timedelta(minutes=20)

_OURS = "#claimed_by = :holder"
_CLAIM = ("claimed_by", "claim_expires_at")
# Whoever waits for a build again later has waited since then; and the machine acts on no row that is amiss.
_OVER = ("pending_build", "pending_since", "row_problem")
# A look at the pipeline may have found that it failed, or runs.
_HAS_MOVED = "#phase IN ( :moving, :active )"
_MOVES = {"moving": Phase.MOVING, "active": Phase.ACTIVE}
# What a tombstone tells; everything else of a status is about a deployment that is no more.
_TOLD = frozenset(
    {"id", "phase", "reason", "type", "account", "region", "external_id", "removed_at", "archives", "warnings"}
)
_WRITTEN = frozenset({"updated_at", "expires_at"})
_FORGOTTEN = tuple(sorted({field.name for field in fields(Status)} - _TOLD - _WRITTEN))


class LifecycleStatuses(Protocol):
    """Port to the status table; `holder` is the claim. Every write is safe to repeat, and answers whether it held."""

    def get(self, deployment_id: str) -> Status | None: ...
    def all(self) -> Iterator[Status | Unreadable]: ...
    def claim(self, deployment_id: str, *, holder: str, now: datetime) -> bool: ...
    def give_back(self, deployment_id: str, *, holder: str, now: datetime) -> bool: ...
    def retiring(
        self, deployment_id: str, *, holder: str, retire_after: datetime, reason: str, attempts: int, now: datetime
    ) -> bool: ...
    def suspended(self, deployment_id: str, *, holder: str, reason: str, now: datetime) -> bool: ...
    def brought_back(
        self,
        deployment_id: str,
        *,
        holder: str,
        phase: Phase,
        reason: str,
        revision: str,
        now: datetime,
        pinned: str = "",
        pinned_at: str = "",
    ) -> bool: ...
    def unprovisioned(self, deployment_id: str, *, holder: str, reason: str, now: datetime) -> bool: ...
    def made_anew(
        self, deployment_id: str, *, holder: str, reason: str, first: str, now: datetime, phase: Phase = Phase.UPDATING
    ) -> bool: ...
    def archived(self, deployment_id: str, *, holder: str, archives: Sequence[str], now: datetime) -> bool: ...
    def warned(self, deployment_id: str, *, holder: str, warnings: Sequence[str], now: datetime) -> bool: ...
    def moved(
        self,
        deployment_id: str,
        *,
        holder: str,
        now: datetime,
        former: Sequence[StackRef] = (),
        adopted: Sequence[StackRef] = (),
    ) -> bool: ...
    def left_behind(self, deployment_id: str, *, holder: str, reason: str, now: datetime) -> bool: ...
    def retired(
        self,
        deployment_id: str,
        *,
        holder: str,
        seen: Status,
        reason: str,
        warned: bool,
        expires_at: datetime,
        now: datetime,
    ) -> bool: ...
    def failed(self, deployment_id: str, *, holder: str, reason: str, retry: bool, now: datetime) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class LifecycleStatusTable(StatusReader):
    """The status table in DynamoDB."""

    def claim(self, deployment_id: str, *, holder: str, now: datetime) -> bool:
        """Take the deployment, or keep it for another lease; False while a build, a release or a machine holds it."""
        return write_status(
            self.client,
            table=self.name,
            deployment_id=deployment_id,
            now=now,
            condition=f"attribute_exists( #id ) AND ( {UNCLAIMED} OR {_OURS} )",
            values={"now": stamp(now), "holder": holder},
            claimed_by=holder,
            claim_expires_at=stamp(now + LEASE),
        )

    def give_back(self, deployment_id: str, *, holder: str, now: datetime) -> bool:
        """Let others take the deployment."""
        return self._write(deployment_id, holder, now, removes=_CLAIM)

    def retiring(
        self, deployment_id: str, *, holder: str, retire_after: datetime, reason: str, attempts: int, now: datetime
    ) -> bool:
        """Say when the deployment will be deleted; the claim stays. `attempts` is how often that was begun."""
        return self._write(
            deployment_id,
            holder,
            now,
            removes=_OVER,
            phase=Phase.RETIRING,
            attempts=attempts,
            reason=reason,
            retire_after=stamp(retire_after),
            retry=False,
            row_removed=False,
        )

    def suspended(self, deployment_id: str, *, holder: str, reason: str, now: datetime) -> bool:
        """Say that the pipeline is to be out of use; the claim stays."""
        removes = (*_OVER, "retire_after")
        return self._write(
            deployment_id, holder, now, removes=removes, phase=Phase.SUSPENDED, reason=reason, row_removed=False
        )

    def brought_back(
        self,
        deployment_id: str,
        *,
        holder: str,
        phase: Phase,
        reason: str,
        revision: str,
        now: datetime,
        pinned: str = "",
        pinned_at: str = "",
    ) -> bool:
        """Give the claim back: the pipeline is in use again; `revision` is what it was started with, or empty.

        `pinned` is what the row pins, and is placed by that, `pinned_at` since when.
        """
        facts: dict[str, Any] = {"revision_wanted": revision} if revision else {}
        facts |= {"pinned": pinned, "pinned_at": pinned_at} if pinned else {}
        removes = (*_CLAIM, *_OVER, "retire_after", "attempts", *(() if pinned else PINNED))
        return self._write(deployment_id, holder, now, removes=removes, phase=phase, reason=reason, **facts)

    def unprovisioned(self, deployment_id: str, *, holder: str, reason: str, now: datetime) -> bool:
        """Give the claim back to a build, which is to make the pipeline that there is none of any more."""
        return self._write(
            deployment_id,
            holder,
            now,
            removes=(*_CLAIM, *_OVER, "retire_after", "attempts", "applied_digest", "pipeline_stack"),
            phase=Phase.FAILED,
            reason=reason,
            retry=True,
        )

    def made_anew(
        self, deployment_id: str, *, holder: str, reason: str, first: str, now: datetime, phase: Phase = Phase.UPDATING
    ) -> bool:
        """Give the claim back after a look for stacks that never stood; `first` is the failure that led to it."""
        facts: dict[str, Any] = {"phase": phase, "reason": reason, "first_failure": first}
        return self._write(deployment_id, holder, now, removes=_CLAIM, **facts)

    def archived(self, deployment_id: str, *, holder: str, archives: Sequence[str], now: datetime) -> bool:
        """Write all archives that there are now."""
        return self._write(deployment_id, holder, now, archives=tuple(archives))

    def warned(self, deployment_id: str, *, holder: str, warnings: Sequence[str], now: datetime) -> bool:
        """Write all warnings that there are now."""
        return self._write(deployment_id, holder, now, warnings=tuple(warnings))

    def moved(
        self,
        deployment_id: str,
        *,
        holder: str,
        now: datetime,
        former: Sequence[StackRef] = (),
        adopted: Sequence[StackRef] = (),
    ) -> bool:
        """Say that nothing is left in the former place; `former` are recorded so, and stand where the component does.

        `adopted` are those that were taken over, and stand. False when the deployment is neither moving nor active any
        more.
        """
        told = {name: tuple(refs) for name, refs in (("former_stacks", former), ("adopted", adopted)) if refs}
        return self._write(
            deployment_id,
            holder,
            now,
            condition=_HAS_MOVED,
            values=_MOVES,
            removes=(*_CLAIM, "attempts", *({"former_stacks", "adopted"} - told.keys())),
            phase=Phase.ACTIVE,
            reason="",
            retry=False,
            **told,
        )

    def left_behind(self, deployment_id: str, *, holder: str, reason: str, now: datetime) -> bool:
        """Give the claim back: the component has moved and stands, and the reason says why its former place does too.

        False when the deployment is neither moving nor active any more.
        """
        return self._write(
            deployment_id,
            holder,
            now,
            condition=_HAS_MOVED,
            values=_MOVES,
            removes=_CLAIM,
            increments=("attempts",),
            phase=Phase.ACTIVE,
            reason=reason,
            retry=False,
        )

    def retired(
        self,
        deployment_id: str,
        *,
        holder: str,
        seen: Status,
        reason: str,
        warned: bool,
        expires_at: datetime,
        now: datetime,
    ) -> bool:
        """Leave a tombstone; False when a look at the pipeline has found other stacks than the status `seen` has."""
        condition, values = stacks_are(ComponentStacks.of(seen), "read")
        phase = Phase.RETIRED_WITH_WARNINGS if warned else Phase.RETIRED
        return self._write(
            deployment_id,
            holder,
            now,
            condition=condition,
            values=dict(values),
            removes=_FORGOTTEN,
            phase=phase,
            reason=reason,
            retired_at=stamp(now),
            expires_at=int(expires_at.timestamp()),
        )

    def failed(self, deployment_id: str, *, holder: str, reason: str, retry: bool, now: datetime) -> bool:
        """Give the claim back with the reason why it could not be done."""
        return self._write(deployment_id, holder, now, removes=_CLAIM, phase=Phase.FAILED, reason=reason, retry=retry)

    def _write(
        self,
        deployment_id: str,
        holder: str,
        now: datetime,
        *,
        condition: str = "",
        values: dict[str, Any] | None = None,
        **what: Any,
    ) -> bool:
        return write_status(
            self.client,
            table=self.name,
            deployment_id=deployment_id,
            now=now,
            condition=f"{_OURS} AND {condition}" if condition else _OURS,
            values={"holder": holder, **(values or {})},
            **what,
        )
