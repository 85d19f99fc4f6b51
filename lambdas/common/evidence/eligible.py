"""Whether a bundle may go to a target: every verdict that it demands is there, about these very digests; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from lambdas.common.clock import AHEAD, moment
from lambdas.common.evidence.bundle import Bundle
from lambdas.common.evidence.verdict import Outcome, Verdict, verdict_key

_AGAIN = "run the pipeline again, so that the gates judge it anew"


def why_not_eligible(
    bundle: Bundle, *, verdicts: Iterable[Verdict], demands: Collection[str], now: str, forward: bool = True
) -> list[str]:
    """Tell all that stands against it, each with what to do; nothing when it may go.

    `demands` names gates. Of a gate that has judged several times, the newest verdict counts; of several at one time,
    each. One of a time that is to come hides no other, and lets nothing go. What goes back (not `forward`) goes to what
    was good enough before: an expired verdict does not hold it up.
    """
    ahead = moment(now) + AHEAD
    known = sorted(verdicts, key=lambda one: (one.predicate.gate, _judged(one)))
    newest = {one.predicate.gate: _judged(one) for one in known if _judged(one) <= ahead}
    judged = {one.predicate.gate for one in known}
    told = [f"gate {gate} has left no verdict: {_AGAIN}" for gate in sorted(set(demands) - judged)]
    if not bundle.subject:
        told.append("it names nothing that a gate could have judged: publish it anew")
    for verdict in known:
        gate, judged_at = verdict.predicate.gate, _judged(verdict)
        if judged_at <= ahead and judged_at != newest[gate]:
            continue
        why = _why_not(bundle, verdict, now=moment(now) if forward else None)
        if not why and judged_at > ahead:
            key = verdict_key(bundle.predicate.revision, verdict)
            why = f"judged at a time that is to come, by a clock that is wrong: delete {key}, then {_AGAIN}"
        told += [f"gate {gate} {why}"] if why else []
    return told


def why_not_survived(bundle: Bundle, *, verdicts: Iterable[Verdict], ring: str, now: str) -> str:
    """Tell why a ring has not shown that the bundle is survived; empty when it has: at least one tenant of it has.

    Of several tenants some may have failed: how many may, the ring's own budget says.
    """
    why = [_why_not(bundle, one, now=moment(now)) for one in verdicts]
    if "" in why:
        return ""
    found = f"{len(why)} verdicts say nothing good, the last: {why[-1]}" if why else "nobody has left a verdict"
    return f"no tenant of ring {ring} has survived release {bundle.predicate.revision}: {found}"


def _judged(verdict: Verdict) -> datetime:
    return moment(verdict.predicate.judged_at)


def _why_not(bundle: Bundle, verdict: Verdict, *, now: datetime | None) -> str:
    judged = {one.digest.sha256 for one in verdict.subject if one.digest.sha256}
    if missing := [one for one in bundle.subject if one.digest.sha256 not in judged]:
        about = ", ".join(sorted(one[:12] for one in judged)) or "nothing"
        return f"is about something else ({about}) than {missing[0].name} ({missing[0].digest.sha256[:12]}): {_AGAIN}"
    said = verdict.predicate
    if said.outcome is not Outcome.PASS:
        return f"says {said.outcome.value}: {said.reason}"
    if now and moment(said.expires_at) <= now:
        return f"judged at {said.judged_at}, which counts until {said.expires_at}: {_AGAIN}"
    return ""
