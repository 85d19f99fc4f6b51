"""Which attempt an execution, or a person, asks for: saas says which run waits for it; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.clock import moment, stamp
from lambdas.common.errors import GranaryError
from lambdas.resilience.model.attempt import Attempt
from lambdas.resilience.model.plan import MARGIN_MINUTES, Chaos, Mode, RingPlan

# What CodePipeline says of an execution that goes on.
IN_PROGRESS = "InProgress"
# What a person who waits for a dry run has patience for, besides: FIS may have no room at once.
_DRY_RUN = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """Nothing is injected, and the action passes; `for_good` when that is so whatever else is known."""

    why: str
    for_good: bool = False


def of_release(
    attempt_id: str, told: Mapping[str, Any], chaos: Chaos, *, execution: str, timeout_minutes: int, now: datetime
) -> Attempt | Nothing:
    """What is to be done for an execution; `told` is saas's answer to a question about it."""
    deployment, outcome = told["deployment"], told.get("outcome")
    if told.get("rollback"):
        return Nothing(why=f"CodePipeline rolls {deployment} back: nothing is injected")
    if outcome == "rolling_back":
        return Nothing(why=f"the release takes {deployment} back: nothing is injected")
    if outcome != "running" or not told.get("ring") or told.get("execution_status", IN_PROGRESS) != IN_PROGRESS:
        return Nothing(why=f"no release waits for this execution: nothing is injected into {deployment}")
    plan = chaos.rings.get(told["ring"])
    if plan is None:
        why = f"ring {told['ring']} has no experiment: nothing is injected into {deployment}"
        return Nothing(why=why, for_good=True)
    waits_since = moment(told["started_at"]) if told.get("started_at") else now
    return _attempt(
        attempt_id,
        told,
        plan,
        now=now,
        until=waits_since + timedelta(minutes=timeout_minutes - MARGIN_MINUTES),
        release={"ring": told["ring"], "run": told["run"], "revision": told["revision_wanted"], "execution": execution},
    )


def by_hand(attempt_id: str, told: Mapping[str, Any], chaos: Chaos, *, experiment: str, now: datetime) -> Attempt:
    """The dry run that a person asks for.

    Raises:
        GranaryError: there is no such deployment or experiment.
    """
    if not told.get("known"):
        raise GranaryError(f"there is no deployment {told['deployment']}: `granary list` has them")
    if experiment not in chaos.experiments:
        known = ", ".join(sorted(chaos.experiments)) or "none"
        raise GranaryError(f"there is no experiment {experiment}: the deployed configuration has {known}")
    plan = RingPlan(mode=Mode.DRY_RUN, experiment=chaos.experiments[experiment])
    return _attempt(attempt_id, told, plan, now=now, until=now + timedelta(minutes=plan.minutes) + _DRY_RUN, release={})


def _attempt(
    attempt_id: str,
    told: Mapping[str, Any],
    plan: RingPlan,
    *,
    now: datetime,
    until: datetime,
    release: Mapping[str, Any],
) -> Attempt:
    return Attempt(
        id=attempt_id,
        deployment=told["deployment"],
        type=told["type"],
        account=told["account"],
        region=told["region"],
        stack=told.get("stack", ""),
        plan=plan,
        began=stamp(now),
        since=stamp(now),
        until=stamp(until),
        **release,
    )
