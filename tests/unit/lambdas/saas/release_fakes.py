"""In-memory implementations of the ports that releases use; `test_releases_contract` keeps them true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from lambdas.common.clock import AHEAD, moment, stamp
from lambdas.common.errors import UnreadableError
from lambdas.saas.model.lifecycle import NOT_THE_PIPELINES, allowed
from lambdas.saas.model.release_turns import Aside, Ending, Taking, holder
from lambdas.saas.model.releases import Published, Release
from lambdas.saas.model.rings import Item, Skipped
from lambdas.saas.model.runs import Ring, RingState, Run, RunState
from lambdas.saas.model.status import LONGEST_CLAIM, RELEASE_CLAIM, Observation, Outcome, Phase, Status, Unreadable
from tests.unit.lambdas.saas.fakes import FakeStatuses

_UNPINNED = {"pinned": "", "pinned_at": ""}


@dataclass
class FakeRuns:
    """The releases table; `force` is its item `current`, `unreadable` are runs whose items are malformed."""

    kept: dict[str, Release] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    all_rings: dict[tuple[str, int], Ring] = field(default_factory=dict)
    force: dict[str, str] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    spoilt_rings: set[tuple[str, int]] = field(default_factory=set)

    def release(self, revision: str) -> Release | None:
        return self.kept.get(revision)

    def current(self) -> str:
        return self.force.get("run", "")

    def run(self, run: str) -> Run | None:
        if run in self.unreadable:
            raise UnreadableError(f"item run/{run} of the releases table cannot be read")
        return self.runs.get(run)

    def ring(self, run: str, index: int) -> Ring | None:
        if (run, index) in self.spoilt_rings:
            raise UnreadableError(f"item ring/{run}/{index} of the releases table cannot be read")
        return self.all_rings.get((run, index))

    def rings(self, run: Run) -> list[Ring]:
        found = [self.ring(run.run, index) for index in range(run.rings)]
        if None in found:
            raise UnreadableError(f"item ring/{run.run}/{found.index(None)} of the releases table was deleted")
        return [ring for ring in found if ring]

    def vanished(self, ring: Ring, deployment_id: str, *, now: datetime) -> None:
        known = self.all_rings[ring.run, ring.index]
        ids = tuple(sorted({*known.vanished, deployment_id}))
        self.all_rings[ring.run, ring.index] = replace(known, vanished=ids, updated_at=stamp(now))

    def keep(self, release: Release, **facts: str) -> Release:
        return self.kept.setdefault(release.revision, release)

    def found_same(self, run: str) -> str:
        return self.force.get("same_as", "") if self.current() == run else ""

    def take_over(self, run: str, *, release: Release, resumes: str, now: datetime, same_as: str = "") -> bool:
        before = self.force
        if resumes:
            may = before.get("run") == run or (before.get("run"), before.get("revision")) == (resumes, release.revision)
        else:
            may = not before or before["run"] == run or before["published_at"] < release.published_at
        if may:
            facts = {"run": run, "revision": release.revision, "published_at": release.published_at}
            self.force = {**facts, "same_as": same_as}
        return may

    def planned(self, ring: Ring) -> None:
        self.all_rings[ring.run, ring.index] = ring

    def begun(self, run: Run) -> None:
        self.runs[run.run] = run

    def end(self, run: str, *, state: RunState, reason: str, now: datetime) -> bool:
        known = self.runs.get(run)
        if known is None or known.state != RunState.RUNNING:
            return False
        ended: dict[str, Any] = {
            "state": str(state),
            "reason": reason,
            "ended_at": stamp(now),
            "updated_at": stamp(now),
        }
        self.runs[run] = replace(known, **ended)
        return True

    def turn(self, ring: Ring, *, to: RingState, now: datetime, **facts: Any) -> bool:
        known = self.ring(ring.run, ring.index)
        if known is None or known.state != ring.state:
            return False
        self.all_rings[ring.run, ring.index] = replace(known, state=str(to), updated_at=stamp(now), **facts)
        return True

    def asked(self, ring: Ring, *, token: str, now: datetime) -> bool:
        known = self.ring(ring.run, ring.index)
        if known is None or known.state != RingState.APPROVAL:
            return False
        self.all_rings[ring.run, ring.index] = replace(known, approval_token=token, updated_at=stamp(now))
        return True

    def count(self, ring: Ring, outcome: str) -> None:
        known = self.all_rings[ring.run, ring.index]
        self.all_rings[ring.run, ring.index] = replace(known, **{outcome: getattr(known, outcome) + 1})


@dataclass
class FakeReleaseStatuses:
    """The status table, beside the releases table."""

    statuses: FakeStatuses
    runs: FakeRuns

    def get(self, deployment_id: str) -> Status | None:
        return self.statuses.get(deployment_id)

    def all(self) -> Iterator[Status | Unreadable]:
        return self.statuses.all()

    def take(self, status: Status, taking: Taking, *, now: datetime) -> bool:
        known = self.get(status.id)
        if known is None or not self._as_read(known, status) or self.runs.current() != taking.run:
            return False
        ours = known.claimed_by.startswith(RELEASE_CLAIM)
        live = stamp(now) <= known.claim_expires_at <= stamp(now + LONGEST_CLAIM)
        held = bool(known.claimed_by) and live and not ours
        if held or not allowed(known.phase, Phase.UPDATING):
            return False
        facts: dict[str, Any] = {
            "release_execution_id": taking.execution_id,
            "release_refused_id": taking.refused_id,
            "task_token": taking.token,
        }
        if taking.outcome is Outcome.RUNNING:
            facts |= {"release_reason": "", "revision_before": taking.before, "release_started_at": stamp(now)}
        self._write(
            known,
            now,
            phase=Phase.UPDATING,
            reason="",
            revision_wanted=taking.revision,
            release_run=taking.run,
            release_ring=taking.ring,
            release_outcome=str(taking.outcome),
            claimed_by=holder(taking.run),
            claim_expires_at=stamp(taking.claim_until),
            **_UNPINNED,
            **facts,
        )
        return True

    def started(self, deployment_id: str, *, token: str, execution_id: str, now: datetime) -> bool:
        known = self.get(deployment_id)
        if known is None or known.task_token != token:
            return False
        self._write(known, now, release_execution_id=execution_id)
        return True

    def refused(self, status: Status, *, now: datetime) -> bool:
        known = self.get(status.id)
        read = (status.task_token, status.release_execution_id)
        if known is None or (known.task_token, known.release_execution_id) != read:
            return False
        self._write(known, now, release_refused_id=known.release_execution_id)
        return True

    def ended(
        self, status: Status, ending: Ending, *, ring: Ring, now: datetime, seen: Observation | None = None
    ) -> bool:
        known = self.get(status.id)
        read = (status.task_token, status.claimed_by, status.release_outcome)
        if known is None or not all(read) or (known.task_token, known.claimed_by, known.release_outcome) != read:
            return False
        if seen and stamp(now) < known.observed_at <= stamp(now + AHEAD):
            return False
        facts: dict[str, Any] = {"release_outcome": str(ending.outcome), "release_reason": ending.told}
        if seen:
            facts |= {
                "execution_id": seen.execution_id,
                "execution_url": seen.execution_url,
                "observed_at": stamp(now),
                "revision_deployed": seen.revision or known.revision_deployed,
                "component_stacks": seen.stacks or known.component_stacks,
                "outputs": known.outputs if seen.outputs is None else seen.outputs,
            }
        if known.phase not in NOT_THE_PIPELINES and allowed(known.phase, ending.phase):
            facts |= {"phase": ending.phase, "reason": ending.reason}
        self._write(known, now, claimed_by="", claim_expires_at="", **facts)
        self.runs.count(ring, ending.outcome)
        return True

    def set_aside(self, status: Status, *, ring: Ring, outcome: Aside, reason: str, now: datetime) -> bool:
        known = self.get(status.id)
        if known is None or not self._as_read(known, status):
            return False
        if known.release_run == ring.run or self.runs.current() != ring.run:
            return False
        claim = {"claimed_by": "", "claim_expires_at": ""} if known.claimed_by.startswith(RELEASE_CLAIM) else {}
        self._write(
            known,
            now,
            release_run=ring.run,
            release_ring=ring.name,
            release_outcome=str(outcome),
            release_reason=reason,
            release_execution_id="",
            revision_before="",
            **claim,
            **(_UNPINNED if outcome is Aside.FAILED else {}),
        )
        self.runs.count(ring, outcome)
        return True

    def left(self, status: Status, *, ring: Ring, reason: str, now: datetime) -> bool:
        known = self.get(status.id)
        if known is None or not self._as_read(known, status) or self.runs.current() != ring.run:
            return False
        self._write(known, now, release_outcome=str(Outcome.ROLLBACK_FAILED), release_reason=reason)
        self.runs.count(ring, Outcome.ROLLBACK_FAILED)
        return True

    def answered(self, deployment_id: str, *, token: str, now: datetime) -> bool:
        known = self.get(deployment_id)
        if known is None or not token or known.task_token != token:
            return False
        self._write(known, now, task_token="")
        return True

    def _write(self, known: Status, now: datetime, **attributes: Any) -> None:
        self.statuses.items[known.id] = replace(known, updated_at=stamp(now), **attributes)

    @staticmethod
    def _as_read(known: Status, status: Status) -> bool:
        return all(
            getattr(known, name) == getattr(status, name) for name in ("release_run", "release_outcome", "task_token")
        )


@dataclass
class FakeTokens:
    """Tasks that wait; `answers` are all that were sent, in order."""

    answers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def succeed(self, token: str, payload: Mapping[str, Any]) -> None:
        self.answers.append((token, dict(payload)))

    def fail(self, token: str, *, error: str, cause: str) -> None:
        self.answers.append((token, {"Error": error, "Cause": cause}))

    def of(self, token: str) -> list[dict[str, Any]]:
        return [payload for answered, payload in self.answers if answered == token]


@dataclass
class FakeTenantPipelines:
    """Pipelines that only start; `trouble` is raised by the next starts, None lets one pass."""

    started: list[tuple[str, str, str]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    trouble: list[Exception | None] = field(default_factory=list)
    on_start: Callable[[str, str, str], None] = lambda _id, _revision, _execution: None

    def start(self, deployment_type: str, deployment_id: str, *, release: Release, token: str) -> str:
        if self.trouble and (error := self.trouble.pop(0)):
            raise error
        if token not in self.tokens:
            self.tokens[token] = f"execution-{len(self.tokens)}"
            self.started.append((deployment_id, release.revision, self.tokens[token]))
            self.on_start(deployment_id, release.revision, self.tokens[token])
        return self.tokens[token]


@dataclass
class FakeShelf:
    """The releases bucket and the release parameter; `releases` are those that were published."""

    bucket: str = "releases"
    releases: dict[tuple[str, str], Published] = field(default_factory=dict)
    objects: dict[str, list[Item]] = field(default_factory=dict)
    skipped: dict[str, list[Skipped]] = field(default_factory=dict)
    current: list[Release] = field(default_factory=list)

    def publish(self, release: Release) -> None:
        self.releases[release.key, release.version_id] = Published(
            version_id=release.version_id,
            sha256=release.sha256,
            metadata=release.metadata,
            modified=moment(release.published_at),
        )

    def published(self, key: str, version_id: str) -> Published | None:
        return self.releases.get((key, version_id))

    def put_items(self, key: str, items: Sequence[Item]) -> None:
        self.objects[key] = list(items)

    def put_skipped(self, key: str, skipped: Sequence[Skipped]) -> None:
        self.skipped[key] = list(skipped)

    def make_current(self, release: Release) -> None:
        self.current.append(release)


@dataclass
class FakeAlarms:
    """Alarms by their states."""

    known: dict[str, str] = field(default_factory=dict)

    def states(self, names: Sequence[str]) -> dict[str, str]:
        return {name: self.known[name] for name in names if name in self.known}
