"""The fleet in a few numbers, from all statuses; pure.

How far a release is comes from the statuses too: the sweep has read them anyway. Counting in the stream of the rings
would be one record a deployment, and so up to as many requests; this is none, and at most one interval of the sweep
behind. Every distinct metric costs by the month, so there is none a tenant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from lambdas.common.clock import moment
from lambdas.common.failures import FailureCategory, category_of
from lambdas.common.lifecycle import ENDED
from lambdas.common.metrics import (
    DEPLOYMENTS,
    FAILURES,
    NOT_AT_WANTED_REVISION,
    OLDEST_PENDING_AGE,
    OUTCOME,
    PHASE,
    REASON,
    RELEASE_DEPLOYMENTS,
    RELEASE_SUCCEEDED,
    RING,
    SECONDS,
    Metric,
)
from lambdas.common.status import Outcome, Phase, Status

# Rings that are told apart; a configuration has fewer.
RINGS_LIMIT = 30

_OUT_OF_USE = ENDED | {Phase.SUSPENDED, Phase.RETIRING}


def fleet_metrics(statuses: Iterable[Status], now: datetime) -> list[Metric]:
    """Measure the fleet; what nobody is in is zero, so that a line ends where it should."""
    known = list(statuses)
    phases = Counter(status.phase for status in known)
    reasons = Counter(category_of(status.reason) for status in known if status.phase is Phase.FAILED)
    return [
        *(Metric(name=DEPLOYMENTS, value=phases[phase], dimensions={PHASE: str(phase)}) for phase in Phase),
        *(Metric(name=FAILURES, value=reasons[one], dimensions={REASON: str(one)}) for one in FailureCategory),
        Metric(name=OLDEST_PENDING_AGE, value=_oldest_pending(known, now), unit=SECONDS),
        Metric(name=NOT_AT_WANTED_REVISION, value=sum(map(_is_behind, known))),
        *_release_metrics(known),
    ]


def _oldest_pending(statuses: Sequence[Status], now: datetime) -> float:
    waiting = (status.pending_since for status in statuses if status.phase is Phase.PENDING and status.pending_since)
    oldest = min(waiting, default="")
    return max((now - moment(oldest)).total_seconds(), 0.0) if oldest else 0.0


def _is_behind(status: Status) -> bool:
    if status.phase in _OUT_OF_USE or not status.revision_deployed:
        return False
    return bool(status.revision_wanted) and status.revision_wanted != status.revision_deployed


def _release_metrics(statuses: Sequence[Status]) -> list[Metric]:
    """Count the deployments of the newest release by outcome, and those that have it by ring."""
    newest = max(statuses, key=lambda status: (status.release_started_at, status.release_run), default=None)
    run = newest.release_run if newest else ""
    part = [status for status in statuses if run and status.release_run == run]
    outcomes = Counter(status.release_outcome for status in part)
    rings = sorted({status.release_ring for status in part if status.release_ring})[:RINGS_LIMIT]
    done = Counter(status.release_ring for status in part if status.release_outcome == Outcome.SUCCEEDED)
    return [
        *(Metric(name=RELEASE_DEPLOYMENTS, value=outcomes[one], dimensions={OUTCOME: str(one)}) for one in Outcome),
        *(Metric(name=RELEASE_SUCCEEDED, value=done[ring], dimensions={RING: ring}) for ring in rings),
    ]
