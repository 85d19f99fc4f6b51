"""The fleet in a few numbers, from all statuses and the rings of the run in force; pure.

The outcomes of a release come from the statuses, which the sweep has read anyway. What a ring has in all only the rings
know: they are one read each. Counting in their stream would be one record a deployment, and so up to as many requests;
this is at most one interval of the sweep behind. Every distinct metric costs $0.30 a month
(https://aws.amazon.com/cloudwatch/pricing/): there are some thirty, three more a ring, and none a tenant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lambdas.common.clock import moment
from lambdas.common.metrics import SECONDS, Metric
from lambdas.saas.model.failures import FailureCategory, category_of
from lambdas.saas.model.metric_names import (
    DEPLOYMENTS,
    FAILURES,
    NOT_AT_WANTED_REVISION,
    OLDEST_PENDING_AGE,
    OUTCOME,
    PHASE,
    REASON,
    RELEASE_DEPLOYMENTS,
    RELEASE_DONE,
    RELEASE_FAILED,
    RELEASE_TOTAL,
    REMOVALS_HELD,
    RING,
    UNREADABLE,
)
from lambdas.saas.model.runs import Ring, Run, RunState
from lambdas.saas.model.status import Outcome, Phase, Status

# Rings that are told apart; a configuration has fewer.
RINGS_LIMIT = 30

_IN_USE = frozenset({Phase.ACTIVE, Phase.UPDATING, Phase.FAILED})


@dataclass(frozen=True, kw_only=True)
class ReleaseSeen:
    """What is known of releases: the revision that is `wanted` (empty before the first), others that are the `same` for
    tenants, and of the run in force its rings and its `lineage`, which is itself and the runs that it goes on with, the
    newest first.
    """

    wanted: str = ""
    same: frozenset[str] = frozenset()
    rings: tuple[Ring, ...] = ()
    lineage: tuple[str, ...] = ()


def wanted_revision(run: Run | None, current: str) -> str:
    """The revision that deployments are to be at: that of the run under way, else that of the `current` release."""
    return run.revision if run and run.state == RunState.RUNNING else current


def fleet_metrics(statuses: Iterable[Status], now: datetime, *, unreadable: int = 0, held: int = 0) -> list[Metric]:
    """Measure the fleet; what nobody is in is zero, so that a line ends where it should.

    `unreadable` is how much of all that the sweep reads it could not, `held` how many retirements it holds.
    """
    known = list(statuses)
    phases = Counter(status.phase for status in known)
    reasons = Counter(category_of(status.reason) for status in known if status.phase is Phase.FAILED)
    return [
        *(Metric(name=DEPLOYMENTS, value=phases[phase], dimensions={PHASE: str(phase)}) for phase in Phase),
        *(Metric(name=FAILURES, value=reasons[one], dimensions={REASON: str(one)}) for one in FailureCategory),
        Metric(name=UNREADABLE, value=unreadable),
        Metric(name=REMOVALS_HELD, value=held),
        Metric(name=OLDEST_PENDING_AGE, value=_oldest_pending(known, now), unit=SECONDS),
    ]


def release_metrics(statuses: Iterable[Status], seen: ReleaseSeen) -> list[Metric]:
    """Measure the release: who is not at the wanted revision, and how far the run in force is.

    What a run goes on with counts as done in it: it had to do with these deployments too, and does not plan them again.
    """
    known = list(statuses)
    outcomes = Counter(status.release_outcome for status in known if status.release_run in seen.lineage)
    before = [status for status in known if status.release_run in seen.lineage[1:]]
    there = Counter(status.release_ring for status in before if status.release_outcome == Outcome.SUCCEEDED)
    behind = sum(_is_behind(status, seen) for status in known)
    rings = [metric for ring in seen.rings[:RINGS_LIMIT] for metric in _ring_metrics(ring, there[ring.name])]
    return [
        Metric(name=NOT_AT_WANTED_REVISION, value=behind),
        *(Metric(name=RELEASE_DEPLOYMENTS, value=outcomes[one], dimensions={OUTCOME: str(one)}) for one in Outcome),
        *rings,
    ]


def _oldest_pending(statuses: Sequence[Status], now: datetime) -> float:
    waiting = (status.pending_since for status in statuses if status.phase is Phase.PENDING and status.pending_since)
    oldest = min(waiting, default="")
    return max((now - moment(oldest)).total_seconds(), 0.0) if oldest else 0.0


def _is_behind(status: Status, seen: ReleaseSeen) -> bool:
    """Whether a deployment has another revision than it is to have, or none; one that is leaving is to have none."""
    leaving = status.row_removed or bool(status.retire_after)
    to_have = {status.pinned} if status.pinned else {seen.wanted, *seen.same}
    return bool(seen.wanted) and status.phase in _IN_USE and not leaving and status.revision_deployed not in to_have


def _ring_metrics(ring: Ring, there: int) -> list[Metric]:
    counts = {RELEASE_TOTAL: ring.total + there, RELEASE_DONE: ring.done + there, RELEASE_FAILED: ring.failed}
    return [Metric(name=name, value=count, dimensions={RING: ring.name}) for name, count in counts.items()]
