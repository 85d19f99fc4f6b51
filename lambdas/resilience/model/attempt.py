"""An attempt to experiment with a tenant: what is looked at next, and what follows from what was seen; pure.

    BEFORE -> INJECTING -> DURING -> AFTER -> UNDONE -> OVER -> ENDED

While FIS has no room, INJECTING goes back to BEFORE. From every step it may go to OVER, and from there only to ENDED.
INJECTING is written before anything is injected: whoever finds it does not know whether something was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from lambdas.common.clock import Stamp, moment, stamp
from lambdas.common.evidence.verdict import Outcome, worst
from lambdas.resilience.model.plan import Mode, Probe, RingPlan

# What the end of an experiment is for us, but for `completed`: https://docs.aws.amazon.com/fis/latest/APIReference
_BROKEN = {
    "cancelled": (Outcome.ABORTED, "was cancelled, as the safety lever does"),
    "failed": (Outcome.ERROR, "failed"),
    "gone": (Outcome.ERROR, "is not there any more"),
    "stopped": (Outcome.FAIL, "was stopped, by an alarm or by a person"),
}
# No dry run has survived anything.
DRY = "DRY_RUN"
# How the ids of dry runs begin that people ask for; those of releases are ids of jobs.
BY_HAND = "by-hand-"
# A function that is at work while somebody stops the attempt may inject for as long as Lambda lets it run.
_STRAGGLING = timedelta(minutes=10)


class Step(Enum):
    """Where an attempt stands."""

    BEFORE = "before"
    INJECTING = "injecting"
    DURING = "during"
    AFTER = "after"
    UNDONE = "undone"
    OVER = "over"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Injected:
    """How FIS says that an experiment is; empty: there is none yet."""

    status: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a probe has seen at a step; an alarm that tells nothing is INCONCLUSIVE, and so is what was not asked.

    Without `samples` nothing has been told: nobody looked, or a build goes on.
    """

    step: Step
    probe: str
    outcome: Outcome
    value: str
    threshold: str
    samples: int = 1
    at: Stamp = ""

    def __str__(self) -> str:
        return f"{self.probe} {self.step.value}: {self.value}, and {self.threshold} is asked for"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An attempt; `id` is that of the first job, and of FIS's client tokens. It has to be over at `until`.

    `job` is the newest job, the one of this `round`, which somebody has to answer. With `touched`, something may have
    been made for the attempt; `experiment` is that of FIS, when its id is known. `since` is when the step began; once
    it is over, nobody ends it before `hold`. `stack` is the component's.
    """

    id: str
    deployment: str
    type: str
    account: str
    region: str
    plan: RingPlan
    began: Stamp
    until: Stamp
    since: Stamp
    step: Step = Step.BEFORE
    stack: str = ""
    ring: str = ""
    run: str = ""
    revision: str = ""
    execution: str = ""
    job: str = ""
    round: int = 0
    touched: bool = False
    experiment: str = ""
    evidence: tuple[Evidence, ...] = ()
    outcome: str = ""
    reason: str = ""
    hold: Stamp = ""

    @property
    def passes(self) -> bool:
        """Whether the action passes."""
        return passing(self.outcome)

    @property
    def is_over(self) -> bool:
        """Whether it has its outcome."""
        return self.step in (Step.OVER, Step.ENDED)

    @property
    def said(self) -> str:
        """Its outcome in a sentence."""
        return f"{self.outcome}: {self.plan.subject} on {self.deployment}: {self.reason}"


def passing(outcome: str) -> bool:
    """Whether the action passes with an outcome."""
    return outcome in (Outcome.PASS.value, DRY)


def look_due(attempt: Attempt, injected: Injected) -> Step | None:
    """The step that probes are to tell of now; None when there is nothing to look at."""
    if attempt.plan.mode is Mode.DRY_RUN:
        return None
    if attempt.step is Step.DURING:
        return {"running": Step.DURING, "completed": Step.AFTER}.get(injected.status)
    return attempt.step if attempt.step in (Step.BEFORE, Step.AFTER, Step.UNDONE) else None


def follow(attempt: Attempt, *, injected: Injected, looks: Sequence[Evidence], now: datetime) -> Attempt:
    """Where the attempt stands after a look; `looks` are of the step that was due, a probe each."""
    if attempt.is_over:
        return attempt
    attempt = replace(attempt, evidence=_kept(attempt.evidence, looks))
    match attempt.step:
        case Step.BEFORE:
            return _before(attempt, looks, now)
        case Step.DURING:
            return _during(attempt, injected, looks, now)
        case Step.AFTER:
            return _after(attempt, looks, now)
        case Step.UNDONE:
            return _undone(attempt, looks, now)
    return attempt


def over(attempt: Attempt, outcome: Outcome, reason: str, *, now: datetime) -> Attempt:
    """The attempt with its outcome; what may still be injected is looked for until nobody can inject any more."""
    straggling = attempt.step is Step.INJECTING or (outcome is Outcome.ABORTED and _begins_to_build(attempt))
    return _over(attempt, outcome.value, reason, now=now, hold=now + _STRAGGLING if straggling else now)


def injected(attempt: Attempt, *, experiment: str, now: datetime) -> Attempt:
    """The attempt with what was started for it."""
    return replace(attempt, step=Step.DURING, since=stamp(now), experiment=experiment, reason="")


def refused(attempt: Attempt, reason: str, *, alone: bool, now: datetime) -> Attempt:
    """The attempt that FIS has refused; nobody else can be injecting for it when whoever was refused was `alone`."""
    hold = now if alone else now + _STRAGGLING
    return _over(attempt, Outcome.ERROR.value, reason, now=now, hold=hold)


def no_room(attempt: Attempt, reason: str) -> Attempt:
    """The attempt that has to wait until FIS takes it; its steady state is told anew then."""
    return replace(attempt, step=Step.BEFORE, reason=reason)


def _over(attempt: Attempt, outcome: str, reason: str, *, now: datetime, hold: datetime) -> Attempt:
    return replace(attempt, step=Step.OVER, outcome=outcome, reason=reason, since=stamp(now), hold=stamp(hold))


def _begins_to_build(attempt: Attempt) -> bool:
    """Whether somebody may be beginning a build of which nothing is known yet."""
    told = {one.probe for one in attempt.evidence}
    return attempt.touched and any(probe.build and probe.name not in told for probe in attempt.plan.probes)


def _before(attempt: Attempt, looks: Sequence[Evidence], now: datetime) -> Attempt:
    plan, found = attempt.plan, worst(*(one.outcome for one in looks))
    if plan.mode is Mode.VALIDATION:
        return _validated(attempt, found, looks, now)
    if found is Outcome.PASS or plan.mode is Mode.DRY_RUN:
        if now + timedelta(minutes=plan.minutes) > moment(attempt.until):
            return over(attempt, Outcome.INCONCLUSIVE, _too_late(attempt), now=now)
        return replace(attempt, step=Step.INJECTING, since=stamp(now), touched=True)
    if _settles(attempt, now):
        return attempt
    reason = f"the steady state does not hold before, and nothing was injected: {_what_does_not(looks)}"
    return over(attempt, Outcome.INCONCLUSIVE, reason, now=now)


def _too_late(attempt: Attempt) -> str:
    what, advice = ("the release waits", "raise releases.pipeline_timeout_minutes")
    if attempt.id.startswith(BY_HAND):
        what, advice = "a dry run by hand is tried", "ask again later"
    waited = f" ({attempt.reason})" if attempt.reason else ""
    takes = f"it takes {attempt.plan.minutes} minutes"
    return f"nothing was injected: {takes}, and {what} until {attempt.until}{waited}: {advice}"


def _validated(attempt: Attempt, found: Outcome, looks: Sequence[Evidence], now: datetime) -> Attempt:
    if attempt.plan.builds and not attempt.touched and all(one.outcome is Outcome.PASS for one in looks):
        return replace(attempt, touched=True)  # the next look begins to build
    if found is Outcome.PASS:
        return over(attempt, found, _all_hold(attempt.evidence), now=now)
    goes_on = not all(one.samples for one in looks)
    built = attempt.plan.builds and len(looks) == len(attempt.plan.probes)  # that does not settle
    if goes_on or (_settles(attempt, now) and not built):
        return attempt
    return over(attempt, found, _what_does_not(looks), now=now)


def _settles(attempt: Attempt, now: datetime) -> bool:
    return now - moment(attempt.since) < timedelta(minutes=attempt.plan.settle_minutes)


def _during(attempt: Attempt, injected: Injected, looks: Sequence[Evidence], now: datetime) -> Attempt:
    if injected.status in _BROKEN:
        outcome, what = _BROKEN[injected.status]
        reason = f"the experiment {what}: {injected.reason or 'FIS gives no reason'}"
        return over(attempt, outcome, reason, now=now)
    if injected.status == "completed":
        if attempt.plan.mode is Mode.DRY_RUN:
            return _over(attempt, DRY, injected.reason, now=now, hold=now)
        return _after(replace(attempt, step=Step.AFTER, since=stamp(now)), looks, now)
    if worst(*(one.outcome for one in looks)) is Outcome.FAIL:
        return over(attempt, Outcome.FAIL, _what_does_not(looks), now=now)
    return attempt


def _after(attempt: Attempt, looks: Sequence[Evidence], now: datetime) -> Attempt:
    found = worst(*(one.outcome for one in looks))
    if found is Outcome.PASS:
        return replace(attempt, step=Step.UNDONE, since=stamp(now))
    if now - moment(attempt.since) < timedelta(minutes=attempt.plan.recover_minutes):
        return attempt
    return over(attempt, found, f"it has not recovered: {_what_does_not(looks)}", now=now)


def _undone(attempt: Attempt, looks: Sequence[Evidence], now: datetime) -> Attempt:
    told = {(one.step, one.probe): one for one in attempt.evidence}
    steps = (Step.BEFORE, Step.DURING, Step.AFTER, Step.UNDONE)
    all_told = [told.get((step, probe.name)) or _unseen(step, probe) for step in steps for probe in attempt.plan.probes]
    found = worst(*(one.outcome for one in all_told))
    return over(attempt, found, _all_hold(all_told) if found is Outcome.PASS else _what_does_not(all_told), now=now)


def _unseen(step: Step, probe: Probe) -> Evidence:
    return Evidence(
        step=step,
        probe=probe.name,
        outcome=Outcome.INCONCLUSIVE,
        value="nobody looked",
        threshold="a look",
        samples=0,
    )


def _kept(evidence: Sequence[Evidence], looks: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The newest of each probe and step; while the fault lasts, the worst."""
    kept = {(one.step, one.probe): one for one in evidence}
    for one in looks:
        before = kept.get((one.step, one.probe))
        if before and one.step is Step.DURING and worst(before.outcome, one.outcome) is not one.outcome:
            one = before  # noqa: PLW2901 - what is kept
        kept[one.step, one.probe] = one
    return tuple(kept.values())


def _what_does_not(looks: Sequence[Evidence]) -> str:
    return "; ".join(str(one) for one in looks if one.outcome is not Outcome.PASS) or "no probe has told anything"


def _all_hold(evidence: Sequence[Evidence]) -> str:
    probes = {one.probe for one in evidence}
    count = "1 probe" if len(probes) == 1 else f"{len(probes)} probes"
    return f"its steady state held, by {count} ({', '.join(sorted(probes))})"
