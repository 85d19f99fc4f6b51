"""In-memory implementations of the ports; the port contract tests keep them true to the adapters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.common.clock import AHEAD, stamp
from lambdas.common.errors import CapacityError, NotReleasedError, UnreadableError
from lambdas.common.revisions import release_key
from lambdas.saas.model.adoption import AdoptionPlan
from lambdas.saas.model.component_stacks import ComponentStacks, after_claim
from lambdas.saas.model.contract import CONTRACT, unfit
from lambdas.saas.model.lifecycle import ENDED, NOT_THE_PIPELINES, allowed, retirement_failed, stands_still
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.releases import Release
from lambdas.saas.model.status import LONGEST_CLAIM, Observation, Phase, Placement, StackRef, Status, Unreadable
from lambdas.saas.store.tables import CLAIM_LEASE

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RELEASE = Release(
    revision="abc123",
    key=release_key("abc123"),
    version_id="v1",
    sha256="0" * 64,
    published_at=stamp(START),
    contract=CONTRACT,
)


@dataclass
class FakeClock:
    """A clock that stands still until it is moved."""

    moment: datetime = START

    def __call__(self) -> datetime:
        return self.moment

    def pass_time(self, **units: float) -> datetime:
        """Move on by a timedelta's units."""
        self.moment += timedelta(**units)
        return self.moment


@dataclass
class FakeDeployments:
    """The deployments table, as a dictionary of rows."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)

    def get(self, deployment_id: str) -> dict[str, Any] | None:
        return self.items.get(deployment_id)

    def rows(self) -> Iterator[dict[str, Any]]:
        return iter(list(self.items.values()))


@dataclass
class FakeStatuses:
    """The status table; `broken` ids raise on every write, as a fault of the service would.

    `unreadable` says why the items of some ids cannot be read.
    """

    items: dict[str, Status] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    written: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)

    def get(self, deployment_id: str) -> Status | None:
        if deployment_id in self.unreadable:
            raise UnreadableError(str(Unreadable(id=deployment_id, why=self.unreadable[deployment_id])))
        return self.items.get(deployment_id)

    def all(self) -> Iterator[Status | Unreadable]:
        unreadable = [Unreadable(id=name, why=why) for name, why in self.unreadable.items()]
        return iter([*(status for name, status in self.items.items() if name not in self.unreadable), *unreadable])

    def invalid(self, deployment_id: str, *, reason: str, now: datetime, revision: str = "") -> bool:
        status = self.items.get(deployment_id)
        if status and stands_still(status):
            told = f"its row cannot be acted on: {reason}"
            known = status.row_problem == reason
            return not known and self._write(deployment_id, now=now, row_problem=reason, reason=told, row_removed=False)
        return self._write(
            deployment_id,
            now=now,
            phase=Phase.INVALID,
            reason=reason,
            retry=False,
            row_removed=False,
            pending_since="",
            pending_build="",
            refused_by=revision,
            attempts=(status.attempts if status else 0) + bool(revision),
        )

    def pending(
        self, record: DeploymentRecord, *, reason: str, now: datetime, build_id: str = "", anew: bool = False
    ) -> bool:
        status = self.items.get(record.id)
        settled = not anew and status is not None and _settled(status, record)
        if status and (_held(status, now) or settled or retirement_failed(status)):
            return False
        since = (status.pending_since if status else "") or stamp(now)
        facts = {"reason": reason, "pending_since": since, "pending_build": build_id}
        facts |= {"applied_digest": ""} if anew else {}
        return self._write(record.id, now=now, phase=Phase.PENDING, **facts, **_wish(record))

    def called(self, record: DeploymentRecord, *, now: datetime) -> bool:
        known = record.id in self.items
        return known and self._write(record.id, now=now, external_id=record.external_id)

    def removed(self, deployment_id: str, *, now: datetime) -> bool:
        status = self.items.get(deployment_id)
        if status is None or status.phase in {Phase.RETIRING, *ENDED} or retirement_failed(status):
            return False
        if _led_to_nothing(status):
            self._check_write(deployment_id)
            del self.items[deployment_id]
            return True
        reason = "the row was removed without retiring the deployment: put the row back to keep it"
        return self._write(deployment_id, now=now, row_removed=True, removed_at=stamp(now), reason=reason)

    def bury(self, deployment_id: str) -> bool:
        status = self.items.get(deployment_id)
        if status is None or status.phase not in ENDED:
            return False
        del self.items[deployment_id]
        return True

    def claim(
        self, record: DeploymentRecord, *, build_id: str, revision: str, now: datetime, moving: Status | None = None
    ) -> bool:
        status = self.items.get(record.id)
        mine = status is not None and status.claimed_by == build_id
        if status and _held(status, now) and not mine:
            return False
        stacks = after_claim(record, moving) if moving else None
        known = ComponentStacks.of(status) if status else ComponentStacks()
        if moving and known != ComponentStacks.of(moving) and not (mine and known == stacks):
            return False
        return self._write(
            record.id,
            now=now,
            phase=Phase.MOVING if stacks and stacks.former else Phase.PROVISIONING,
            reason="",
            revision_wanted=revision,
            build_id=build_id,
            claimed_by=build_id,
            claim_expires_at=stamp(now + CLAIM_LEASE),
            attempts=(status.attempts if status else 0) + 1,
            pending_since="",
            pending_build="",
            refused_by="",
            retire_after="",
            **_wish(record),
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
        facts: dict[str, Any] = {"support_stacks": support} if support else {}
        facts["placed"] = tuple(Placement(type=record.type, account=one[0], region=one[1]) for one in record.places)
        facts |= {
            "attempts": 0,
            "adoption": None,
            "applied_tier": record.tier,
            "applied_parameters": dict(record.parameters),
        }
        return self._unclaim(
            record.id, build_id, now=now, applied_digest=record.digest(), pipeline_stack=stack, **facts
        )

    def failed(self, deployment_id: str, *, build_id: str, reason: str, retry: bool, now: datetime) -> bool:
        facts = {"phase": Phase.FAILED, "reason": reason, "retry": retry, "adoption": None, "execution_url": ""}
        return self._unclaim(deployment_id, build_id, now=now, **facts)

    def adoption_waits(
        self, deployment_id: str, *, build_id: str, reason: str, plan: AdoptionPlan, now: datetime
    ) -> bool:
        facts = {"phase": Phase.FAILED, "reason": reason, "retry": True, "adoption": plan, "execution_url": ""}
        return self._unclaim(deployment_id, build_id, now=now, **facts)

    def adopts(self, deployment_id: str, *, build_id: str, stacks: tuple[StackRef, ...], now: datetime) -> bool:
        status = self.items.get(deployment_id)
        held = status is not None and status.claimed_by == build_id
        return held and self._write(deployment_id, now=now, adopted=stacks, adoption=None)

    def observed(self, deployment_id: str, seen: Observation, *, now: datetime) -> bool:
        status = self.items.get(deployment_id)
        if status is None or stamp(now) < status.observed_at <= stamp(now + AHEAD):
            return False
        told = status.phase not in NOT_THE_PIPELINES or (status.phase is Phase.MOVING and seen.phase is Phase.FAILED)
        told = told and allowed(status.phase, seen.phase) and not retirement_failed(status)
        self._write(
            deployment_id,
            now=now,
            phase=seen.phase if told else status.phase,
            first_failure="" if told and seen.phase is Phase.ACTIVE else status.first_failure,
            reason=seen.reason if told else status.reason,
            execution_id=seen.execution_id,
            execution_url=seen.execution_url,
            observed_at=stamp(now),
            revision_deployed=seen.revision or status.revision_deployed,
            component_stacks=seen.stacks or status.component_stacks,
            further_stacks=status.further_stacks if seen.further is None else seen.further,
            outputs=status.outputs if seen.outputs is None else seen.outputs,
        )
        return told

    def _unclaim(self, deployment_id: str, build_id: str, *, now: datetime, **attributes: Any) -> bool:
        status = self.items.get(deployment_id)
        if status is None or status.claimed_by != build_id:
            return False
        return self._write(deployment_id, now=now, claimed_by="", claim_expires_at="", **attributes)

    def _write(self, deployment_id: str, *, now: datetime, **attributes: Any) -> bool:
        self._check_write(deployment_id)
        known = self.items.get(deployment_id)
        if "phase" in attributes and not allowed(known.phase if known else None, attributes["phase"]):
            return False
        before = known or Status(id=deployment_id, phase=Phase.PENDING)
        self.items[deployment_id] = replace(before, updated_at=stamp(now), **attributes)
        self.written.append(deployment_id)
        return True

    def _check_write(self, deployment_id: str) -> None:
        if deployment_id in self.broken:
            raise ConnectionError(f"the status of {deployment_id} cannot be written")


def _wish(record: DeploymentRecord) -> dict[str, Any]:
    return {
        "type": record.type,
        "account": record.account,
        "region": record.region,
        "standby_region": record.standby_region,
        "external_id": record.external_id,
        "wanted_digest": record.digest(),
        "retry": False,
        "row_removed": False,
    }


def _held(status: Status, now: datetime) -> bool:
    return bool(status.claimed_by) and stamp(now) <= status.claim_expires_at <= stamp(now + LONGEST_CLAIM)


def _led_to_nothing(status: Status) -> bool:
    suspended_at_once = status.phase is Phase.SUSPENDED and not status.applied_digest
    never = status.phase in (Phase.INVALID, Phase.PENDING) or suspended_at_once
    return never and not (status.build_id or status.observed_at)


def _settled(status: Status, record: DeploymentRecord) -> bool:
    unsettled = status.phase in (Phase.PENDING, Phase.FAILED, Phase.INVALID)
    return status.applied_digest == record.digest() and not unsettled and not status.row_removed


@dataclass
class FakeBuilds:
    """Builds that only start; `refusals` says of the next starts whether CodeBuild is at its limit."""

    refusals: list[bool] = field(default_factory=list)
    started: list[tuple[str, ...]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)

    def start(self, ids: Sequence[str], *, release: Release, token: str) -> str:
        if self.refusals and self.refusals.pop(0):
            raise CapacityError("CodeBuild is at its limit: Cannot have more than 1 builds in queue")
        self.started.append(tuple(ids))
        return self.tokens.setdefault(token, f"provisioning:{len(self.tokens)}")

    def ended(self, build_ids: Iterable[str]) -> set[str]:
        return set(build_ids) & self.over

    def why_failed(self, build_id: str) -> str:
        return self.failures.get(build_id, "")


@dataclass
class FakeLifecycles:
    """Starts of the lifecycle machine; a repeated token starts nothing."""

    started: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def start(self, deployment_id: str, *, token: str, counted: bool = False) -> None:
        if token not in self.tokens:
            self.tokens.add(token)
            self.started.append(deployment_id)
            if counted:
                self.counted.append(deployment_id)


@dataclass
class FakeReleases:
    """The current release; None before the first one."""

    release: Release | None = RELEASE

    def current(self) -> Release:
        if self.release is None:
            raise NotReleasedError("no release has been published yet: push the source")
        return self.release


@dataclass
class FakePins:
    """The releases that are published, by revision, and what stands against placing anybody there.

    What is `spoilt` raises its error; `pieces` counts the pieces of work that have had a memory.
    """

    published: dict[str, Release] = field(default_factory=dict)
    against: dict[str, str] = field(default_factory=dict)
    spoilt: dict[str, Exception] = field(default_factory=dict)
    pieces: int = 0

    def release(self, revision: str) -> Release:
        if revision in self.spoilt:
            raise self.spoilt[revision]
        if revision not in self.published:
            raise NotReleasedError(f"release {revision} is not published")
        return self.published[revision]

    def why_not(self, revision: str, needs: int) -> str:
        if revision not in self.published:
            return f"release {revision} is not published"
        return self.against.get(revision, "") or unfit(self.published[revision], needs)

    def remembering(self) -> FakePins:
        self.pieces += 1
        return self


@dataclass
class Paged:
    """What `get_paginator` answers: pages that are made when they are asked for, each counted in `read`."""

    pages: Sequence[Mapping[str, Any]]
    read: int = 0
    asked: dict[str, Any] = field(default_factory=dict)

    def paginate(self, **request: Any) -> Iterator[Mapping[str, Any]]:
        self.asked = request
        for page in self.pages:
            self.read += 1
            yield page


@dataclass
class PagingClient:
    """A client with one paginator."""

    paged: Paged

    def get_paginator(self, _operation: str) -> Paged:
        return self.paged
