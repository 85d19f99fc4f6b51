"""Whether a bundle may go to a target: every verdict that it demands is there, about these very digests; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lambdas.common.evidence.bundle import Bundle
from lambdas.common.evidence.verdict import Outcome, Verdict

_AGAIN = "run the pipeline again, so that the gates judge it anew"


def why_not_eligible(
    bundle: Bundle, *, verdicts: Iterable[Verdict], demands: Collection[str], now: str, forward: bool = True
) -> list[str]:
    """Tell all that stands against it, each with what to do; nothing when it may go.

    `demands` names gates. Of a gate that has judged several times, the newest verdict counts; of several at one time,
    each. What goes back (not `forward`) goes to what was good enough before: an expired verdict does not hold it up.
    """
    known = sorted(verdicts, key=lambda one: (one.predicate.gate, one.predicate.judged_at))
    newest = {one.predicate.gate: one.predicate.judged_at for one in known}
    told = [f"gate {gate} has left no verdict: {_AGAIN}" for gate in sorted(set(demands) - set(newest))]
    for verdict in known:
        gate, judged_at = verdict.predicate.gate, verdict.predicate.judged_at
        if judged_at == newest[gate] and (why := _why_not(bundle, verdict, now=now if forward else "")):
            told.append(f"gate {gate} {why}")
    return told


def _why_not(bundle: Bundle, verdict: Verdict, *, now: str) -> str:
    judged = {one.digest.sha256 for one in verdict.subject if one.digest.sha256}
    if missing := [one for one in bundle.subject if one.digest.sha256 not in judged]:
        about = ", ".join(sorted(one[:12] for one in judged)) or "nothing"
        return f"is about something else ({about}) than {missing[0].name} ({missing[0].digest.sha256[:12]}): {_AGAIN}"
    said = verdict.predicate
    if said.outcome is not Outcome.PASS:
        return f"says {said.outcome.value}: {said.reason}"
    if now and said.expires_at <= now:
        return f"judged at {said.judged_at}, which counts until {said.expires_at}: {_AGAIN}"
    return ""
