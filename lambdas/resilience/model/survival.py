"""What is kept of an attempt beside the release's bundle: a verdict about the very source, with the evidence; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from lambdas.common.clock import moment, stamp
from lambdas.common.evidence.statement import Digest, Subject
from lambdas.common.evidence.verdict import Judgement, Outcome, Verdict, survivals_of
from lambdas.common.revisions import release_key
from lambdas.resilience.model.attempt import Attempt, Evidence
from lambdas.resilience.model.plan import Mode

_VALID = timedelta(days=90)
_REASON = 2_000


@dataclass(frozen=True, kw_only=True)
class Survived(Judgement):
    """A judgement with what each probe has seen."""

    experiment: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Survival(Verdict):
    """What one tenant's attempt says of a release."""

    predicate: Survived


def survival(attempt: Attempt, *, sha256: str) -> tuple[str, Survival] | None:
    """The verdict about the source of that digest, and its key; None where the attempt says nothing of survival."""
    # One that only a later version knows says nothing here, as a dry run does not.
    if (
        attempt.outcome not in {one.value for one in Outcome}
        or attempt.plan.mode is not Mode.RUN
        or not (sha256 and attempt.revision)
    ):
        return None
    # The same each time that it is told: when somebody dies between telling and noting it, it is told again.
    judged_at = moment(attempt.since)
    verdict = Survival(
        subject=(Subject(name=release_key(attempt.revision), digest=Digest(sha256=sha256)),),
        predicate=Survived(
            gate=f"chaos-{attempt.ring}",
            outcome=Outcome(attempt.outcome),
            reason=attempt.reason[:_REASON],
            tool="aws-fis",
            judged_at=stamp(judged_at),
            expires_at=stamp(judged_at + _VALID),
            scope=attempt.deployment,
            report=attempt.experiment,
            experiment=attempt.plan.subject,
            evidence=attempt.evidence,
        ),
    )
    return f"{survivals_of(attempt.revision, attempt.ring)}{attempt.deployment}/{attempt.id}.json", verdict
