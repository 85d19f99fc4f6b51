"""In-memory implementations of the lifecycle machine's ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.saas.lifecycle.facts import GONE, Pipeline, Stack
from lambdas.saas.lifecycle.goal import Policy
from lambdas.saas.lifecycle.statuses import LEASE
from lambdas.saas.model.component_stacks import ComponentStacks, stack_name
from lambdas.saas.model.lifecycle import allowed
from lambdas.saas.model.releases import Release
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import LONGEST_CLAIM, Phase, Placement, StackRef, Status, Unreadable
from lambdas.saas.model.target_policy import TargetPolicy
from tests.unit.lambdas.saas.fakes import RELEASE

TOOLCHAIN, WORKLOAD, OTHER = "111111111111", "222222222222", "333333333333"
HOME, REGION = "us-east-1", "eu-west-1"
TARGETS = TargetPolicy(
    partition="aws", regions=frozenset({HOME, REGION}), accounts=frozenset({WORKLOAD, OTHER}), rings=()
)
POLICY = Policy(grace=timedelta(hours=168), tombstone=timedelta(days=90))
_OVER = {"pending_build": "", "pending_since": "", "row_problem": ""}
_KEPT_IN_TOMBSTONES = ("id", "type", "account", "region", "external_id", "removed_at", "archives", "warnings")


class DiedError(Exception):
    """The function died: whatever it did until then stays done."""


@dataclass
class Fate:
    """Kills the function at calls of its ports; `deaths` says, call by call from now, whether it dies after it."""

    deaths: list[bool] = field(default_factory=list)

    def strike(self) -> None:
        if self.deaths and self.deaths.pop(0):
            raise DiedError


def ref(kind: str, name: str, *, account: str = WORKLOAD, region: str = REGION) -> StackRef:
    stack_id = f"arn:aws:cloudformation:{region}:{account}:stack/{name}/1f2e"
    return StackRef(kind=kind, stack_id=stack_id, account=account, region=region)


@dataclass
class FakeLifecycleStatuses:
    """The status table as the machine writes it."""

    items: dict[str, Status] = field(default_factory=dict)
    fate: Fate = field(default_factory=Fate)
    unreadable: list[Unreadable] = field(default_factory=list)

    def get(self, deployment_id: str) -> Status | None:
        return self.items.get(deployment_id)

    def all(self) -> Iterator[Status | Unreadable]:
        return iter([*self.items.values(), *self.unreadable])

    def claim(self, deployment_id: str, *, holder: str, now: datetime) -> bool:
        status = self.items.get(deployment_id)
        if status is None:
            return False
        live = stamp(now) <= status.claim_expires_at <= stamp(now + LONGEST_CLAIM)
        if status.claimed_by not in ("", holder) and live:
            return False
        return self._put(status, now, claimed_by=holder, claim_expires_at=stamp(now + LEASE))

    def give_back(self, deployment_id: str, *, holder: str, now: datetime) -> bool:
        return self._write(deployment_id, holder, now, claimed_by="", claim_expires_at="")

    def retiring(
        self, deployment_id: str, *, holder: str, retire_after: datetime, reason: str, attempts: int, now: datetime
    ) -> bool:
        facts = {"retire_after": stamp(retire_after), "retry": False, "attempts": attempts, **_OVER}
        return self._write(deployment_id, holder, now, phase=Phase.RETIRING, reason=reason, row_removed=False, **facts)

    def suspended(self, deployment_id: str, *, holder: str, reason: str, now: datetime) -> bool:
        gone: dict[str, Any] = {**_OVER, "retire_after": "", "row_removed": False}
        return self._write(deployment_id, holder, now, phase=Phase.SUSPENDED, reason=reason, **gone)

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
        facts = {**_OVER, "retire_after": "", "attempts": 0, "pinned": pinned, "pinned_at": pinned_at}
        facts |= {"revision_wanted": revision} if revision else {}
        return self._end(deployment_id, holder, now, phase=phase, reason=reason, **facts)

    def unprovisioned(self, deployment_id: str, *, holder: str, reason: str, now: datetime) -> bool:
        gone: dict[str, Any] = {
            **_OVER,
            "retire_after": "",
            "attempts": 0,
            "applied_digest": "",
            "pipeline_stack": None,
        }
        return self._end(deployment_id, holder, now, phase=Phase.FAILED, reason=reason, retry=True, **gone)

    def made_anew(
        self, deployment_id: str, *, holder: str, reason: str, first: str, now: datetime, phase: Phase = Phase.UPDATING
    ) -> bool:
        return self._end(deployment_id, holder, now, phase=phase, reason=reason, first_failure=first)

    def archived(self, deployment_id: str, *, holder: str, archives: Sequence[str], now: datetime) -> bool:
        return self._write(deployment_id, holder, now, archives=tuple(archives))

    def warned(self, deployment_id: str, *, holder: str, warnings: Sequence[str], now: datetime) -> bool:
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
        stacks = {"former_stacks": tuple(former), "adopted": tuple(adopted)}
        return self._arrive(deployment_id, holder, now, reason="", attempts=0, **stacks)

    def left_behind(self, deployment_id: str, *, holder: str, reason: str, now: datetime) -> bool:
        attempts = self.items[deployment_id].attempts + 1
        return self._arrive(deployment_id, holder, now, reason=reason, attempts=attempts)

    def _arrive(self, deployment_id: str, holder: str, now: datetime, **attributes: Any) -> bool:
        moves = self.items[deployment_id].phase in (Phase.MOVING, Phase.ACTIVE)
        return moves and self._end(deployment_id, holder, now, phase=Phase.ACTIVE, retry=False, **attributes)

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
        status = self.items[deployment_id]
        if ComponentStacks.of(seen) != ComponentStacks.of(status):
            return False
        phase = Phase.RETIRED_WITH_WARNINGS if warned else Phase.RETIRED
        given = {one.name for one in fields(Status)} - {*_KEPT_IN_TOMBSTONES, "phase"}
        defaults = {name: getattr(Status(id=deployment_id, phase=phase), name) for name in given}
        defaults |= {"phase": phase, "reason": reason, "expires_at": int(expires_at.timestamp())}
        return self._write(deployment_id, holder, now, **{k: v for k, v in defaults.items() if k != "updated_at"})

    def failed(self, deployment_id: str, *, holder: str, reason: str, retry: bool, now: datetime) -> bool:
        return self._end(deployment_id, holder, now, phase=Phase.FAILED, reason=reason, retry=retry)

    def _end(self, deployment_id: str, holder: str, now: datetime, **attributes: Any) -> bool:
        return self._write(deployment_id, holder, now, claimed_by="", claim_expires_at="", **attributes)

    def _write(self, deployment_id: str, holder: str, now: datetime, **attributes: Any) -> bool:
        status = self.items.get(deployment_id)
        if status is None or status.claimed_by != holder:
            return False
        if "phase" in attributes and not allowed(status.phase, attributes["phase"]):
            return False
        return self._put(status, now, **attributes)

    def _put(self, status: Status, now: datetime, **attributes: Any) -> bool:
        self.items[status.id] = replace(status, updated_at=stamp(now), **attributes)
        self.fate.strike()
        return True


@dataclass
class FakePipelines:
    """Pipelines by name; `calls` are all changes, in order."""

    items: dict[str, Pipeline] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    fate: Fate = field(default_factory=Fate)

    def look(self, name: str) -> Pipeline:
        return self.items.get(name, Pipeline(exists=False, enabled=False))

    def disable(self, name: str, *, stage: str, reason: str) -> None:
        self._change("disable", name, stage, enabled=False)

    def enable(self, name: str, *, stage: str) -> None:
        self._change("enable", name, stage, enabled=True)

    def stop(self, name: str, *, execution_id: str, reason: str) -> None:
        running = tuple(one for one in self.items[name].running if one != execution_id)
        self._change("stop", name, execution_id, running=running, newest="Stopped")

    def start(self, name: str, *, token: str) -> None:
        known = ("start", name, token) in self.calls
        running = self.items[name].running if known else (*self.items[name].running, f"e{len(self.calls)}")
        self._change("start", name, token, running=running, newest="InProgress")

    def _change(self, call: str, name: str, what: str, **attributes: Any) -> None:
        self.calls.append((call, name, what))
        self.items[name] = replace(self.items[name], **attributes)
        self.fate.strike()


@dataclass
class FakeStacks:
    """Stacks by name and place; a deletion is over at the next look but one, or fails if `failures` says so."""

    items: dict[tuple[str, str, str], Stack] = field(default_factory=dict)
    unreachable: set[str] = field(default_factory=set)
    failures: list[bool] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    on_look: Callable[[], None] = lambda: None
    on_delete: Callable[[StackRef], None] = lambda _ref: None
    on_gone: Callable[[str], None] = lambda _name: None
    fate: Fate = field(default_factory=Fate)

    def put(self, one: StackRef, *, status: str = "CREATE_COMPLETE", stateful: tuple[Stateful, ...] = ()) -> None:
        self.items[_key(one)] = Stack(ref=one, status=status, stateful=stateful)

    def stands(self, one: StackRef) -> bool:
        return _key(one) in self.items

    def look(self, one: StackRef) -> Stack:
        self.on_look()
        if one.account in self.unreachable:
            return Stack(ref=one, status="", problem=f"account {one.account} cannot be reached")
        found = self.items.get(_key(one))
        if found is None:
            return Stack(ref=one, status=GONE)
        self._go_on(found)
        return replace(found, ref=one)

    def _go_on(self, found: Stack) -> None:
        if found.status != "DELETE_IN_PROGRESS":
            return
        key = _key(found.ref)
        if self.failures and self.failures.pop(0):
            self.items[key] = replace(found, status="DELETE_FAILED", failure="Bucket (AWS::S3::Bucket): is not empty")
        else:
            del self.items[key]
            self.on_gone(key[0])

    def delete(self, one: StackRef) -> None:
        if one.account in self.unreachable:
            raise GranaryError(f"account {one.account} cannot be reached")
        self.on_delete(one)
        self.deleted.append(stack_name(one))
        found = self.items.get(_key(one))
        if found:
            self.items[_key(one)] = replace(found, status="DELETE_IN_PROGRESS")
        self.fate.strike()


def _key(one: StackRef) -> tuple[str, str, str]:
    return stack_name(one), one.account, one.region


@dataclass
class FakeCopies:
    """The tenants' copies, by type and id."""

    release: Release | None = RELEASE
    items: dict[tuple[str, str], str] = field(default_factory=dict)
    fate: Fate = field(default_factory=Fate)

    def current(self) -> Release | None:
        return self.release

    def move(self, deployment_type: str, deployment_id: str, release: Release) -> None:
        self.items[deployment_type, deployment_id] = release.revision
        self.fate.strike()

    def remove(self, deployment_type: str, deployment_id: str) -> None:
        self.items.pop((deployment_type, deployment_id), None)
        self.fate.strike()


COMPONENT = ref("component", "silo-acme-resources")
PIPELINE = ref("pipeline", "silo-acme-pipeline", account=TOOLCHAIN, region=HOME)


def active(deployment_id: str = "acme", **attributes: Any) -> Status:
    """A deployment that has been provisioned and deployed."""
    known: dict[str, Any] = {
        "type": "silo",
        "account": WORKLOAD,
        "region": REGION,
        "applied_digest": "d1",
        "build_id": "b1",
        "execution_id": "e1",
        "revision_deployed": RELEASE.revision,
        "pipeline_stack": ref("pipeline", f"silo-{deployment_id}-pipeline", account=TOOLCHAIN, region=HOME),
        "component_stacks": (ref("component", f"silo-{deployment_id}-resources"),),
        "placed": (Placement(type="silo", account=WORKLOAD, region=REGION),),
    }
    return Status(**{"id": deployment_id, "phase": Phase.ACTIVE, **known, **attributes})
