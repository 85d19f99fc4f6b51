"""How gates are told on a terminal and in a log: a table, what blocks first, and what to do; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lambdas.common.evidence.finding import Finding
from lambdas.common.evidence.verdict import counted
from lambdas.common.written import cut, one_line
from lambdas.gates.model.gate import Decision, Gate, place_of

_SHOWN = 50


def told(gate: Gate, decision: Decision) -> Iterator[str]:
    """Lines about a gate that has run."""
    counts = counted(decision.counts, len(decision.excepted))
    yield f"gate {gate.name} ({gate.scanner}): {decision.outcome.value}{f', {counts}' if counts else ''}"
    if decision.reason:
        yield f"  {decision.reason}"
    yield from _table(decision.blocking)
    for fingerprint, words in excepted(decision).items():
        yield f"  excepted {fingerprint}: {words}"
    for one in decision.remarks:
        yield f"  exception {one.fingerprint}: {one.text}"


def excepted(decision: Decision) -> dict[str, str]:
    """What each exception lets pass, by its fingerprint, and until when."""
    return {
        one.fingerprint: f"{one.severity.value} {one.rule} at {place_of(one)}, until {decision.until[one.fingerprint]}"
        for one in decision.excepted
    }


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    for one in findings[:_SHOWN]:
        yield f"  {one.severity.value:<8} {one.rule:<28} {place_of(one)}"
        yield f"           {cut(one_line(one.title), 160)}"
        if inside := one.place.inside or one.place.commit:
            yield f"           in {cut(one_line(inside), 160)}"
        if repaired := _repaired(one):
            yield f"           {repaired}"
        yield f"           fingerprint {one.fingerprint}"
    if len(findings) > _SHOWN:
        yield f"  and {len(findings) - _SHOWN} more: repair these first"


def _repaired(one: Finding) -> str:
    """What to do about it."""
    if one.package and one.package.fixed:
        return f"take {one.package.name} {one.package.fixed}"
    return cut(one_line(one.remediation or one.url), 160)
