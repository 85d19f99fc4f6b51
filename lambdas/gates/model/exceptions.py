"""Exceptions: findings that somebody answers for until a day; what is wrong with them is a remark of the gate; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

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

    def counts(self, today: date) -> bool:
        """Whether it holds today; one that ends more than a year from now does not yet."""
        return today < self.expires <= today + _LONGEST


@dataclass(frozen=True, kw_only=True)
class Remark:
    """What is to be done about an exception."""

    fingerprint: str
    text: str


def remarks_on(exceptions: Iterable[Exception_], found: Collection[str], today: date) -> Iterator[Remark]:
    """What is to be done about exceptions, where these fingerprints were found."""
    for one in exceptions:
        yield from (Remark(fingerprint=one.fingerprint, text=text) for text in _remarks(one, found, today))


def _remarks(one: Exception_, found: Collection[str], today: date) -> Iterator[str]:
    if one.fingerprint not in found:
        yield "nothing has this fingerprint any more: remove the exception"
    elif one.expires <= today:
        yield f"expired on {one.expires}: repair what was found, or have the exception approved anew"
    elif one.expires <= today + _SOON:
        yield f"expires on {one.expires}: repair what was found by then"
    if one.expires > today + _LONGEST:
        yield f"expires on {one.expires}, more than a year from now, and does not count: choose an earlier day"
