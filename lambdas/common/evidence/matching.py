"""Findings of this run and of the last one: which are the same, which are new and which are gone; pure.

In passes: first what is exactly the same, then by weaker keys, and by those only one against one. Where several could
be meant nothing is guessed: the new one is new, and the old one stays open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lambdas.common.evidence.finding import Finding

_Key = Callable[[Finding], Hashable]


@dataclass(frozen=True, kw_only=True)
class Matches:
    """All findings of two runs, each in one place."""

    same: tuple[tuple[Finding, Finding], ...]  # of the last run, of this one: first seen when the former was
    new: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    unsure: tuple[Finding, ...]  # of the last run: open, for one of the new ones may be it


def match(last: Iterable[Finding], now: Iterable[Finding]) -> Matches:
    """Match the findings of this run to those of the last one."""
    before = {one.fingerprint: one for one in last}
    after = {one.fingerprint: one for one in now}
    pairs = [(before.pop(name), after.pop(name)) for name in [*before] if name in after]
    for key in _WEAKER:
        pairs += _one_to_one(before, after, key)
    left = [{key(one) for one in after.values()} - {None} for key in _WEAKER]
    unsure: list[Finding] = []
    gone: list[Finding] = []
    for old in before.values():
        possible = any(key(old) in keys for key, keys in zip(_WEAKER, left, strict=True))
        (unsure if possible else gone).append(old)
    return Matches(
        same=tuple((old, replace(new, first_seen=old.first_seen or new.first_seen)) for old, new in pairs),
        new=tuple(after.values()),
        gone=tuple(gone),
        unsure=tuple(unsure),
    )


def _one_to_one(before: dict[str, Finding], after: dict[str, Finding], key: _Key) -> Sequence[tuple[Finding, Finding]]:
    olds, news = _unique(before, key), _unique(after, key)
    return [(before.pop(olds[one]), after.pop(news[one])) for one in olds if one in news]


def _unique(findings: Mapping[str, Finding], key: _Key) -> dict[Hashable, str]:
    keys = {name: key(one) for name, one in findings.items()}
    times = Counter(keys.values())
    return {one: name for name, one in keys.items() if one is not None and times[one] == 1}


# Each is None where a finding does not have what it takes: nothing is matched by what is missing.
def _same_content(one: Finding) -> Hashable:
    """In the same file and of the same text: the resource around it has another name."""
    return (one.rule_key, one.place.path, one.content) if one.content and one.place.path else None


def _same_resource(one: Finding) -> Hashable:
    """Of the same resource, without a text: its file has another name, or the place inside it."""
    return (one.rule_key, one.resource) if one.resource and not one.content else None


def _same_package(one: Finding) -> Hashable:
    """Another version of the package has the same problem, or it is needed by another one."""
    return (one.rule_key, one.place.path, one.package.name) if one.package else None


_WEAKER: tuple[_Key, ...] = (_same_content, _same_resource, _same_package)
