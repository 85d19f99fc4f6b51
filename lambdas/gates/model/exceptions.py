"""Exceptions: findings that somebody answers for until a day; what is wrong with them is a remark of the gate; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from lambdas.common.evidence.finding import Finding

_SOON = timedelta(days=14)
_LONGEST = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Exception_:
    """A finding, by its fingerprint, that blocks no gate until `expires`; asked for and approved by two people."""

    fingerprint: str
    gate: str
    reason: str
    requester: str
    approver: str
    expires: date


@dataclass(frozen=True, kw_only=True)
class Remark:
    """What is to be done about an exception."""

    fingerprint: str
    text: str


@dataclass(frozen=True, kw_only=True)
class SortedOut:
    """Fingerprints that are excepted today, each with when that ends, and remarks."""

    excepted: Mapping[str, date]
    remarks: tuple[Remark, ...]


def sort_exceptions(
    exceptions: Iterable[Exception_], findings: Iterable[Finding], *, tool: str, today: date
) -> SortedOut:
    """Tell which findings are excepted; `tool` is the gate whose exceptions count."""
    found = {one.fingerprint for one in findings}
    own = [one for one in exceptions if one.gate == tool]
    remarks = (Remark(fingerprint=one.fingerprint, text=text) for one in own for text in _remarks(one, found, today))
    counts = [one for one in own if _counts(one, today) and one.fingerprint in found]
    return SortedOut(
        excepted={one.fingerprint: one.expires for one in sorted(counts, key=_ends)}, remarks=tuple(remarks)
    )


def _ends(one: Exception_) -> date:
    return one.expires


def _counts(one: Exception_, today: date) -> bool:
    return today < one.expires <= today + _LONGEST


def _remarks(one: Exception_, found: Collection[str], today: date) -> Iterable[str]:
    if one.fingerprint not in found:
        yield "nothing has this fingerprint any more: remove the exception"
    elif one.expires <= today:
        yield f"expired on {one.expires}: repair what was found, or have the exception approved anew"
    elif one.expires <= today + _SOON:
        yield f"expires on {one.expires}: repair what was found by then"
    if one.expires > today + _LONGEST:
        yield f"expires on {one.expires}, more than a year from now, and does not count: choose an earlier day"
