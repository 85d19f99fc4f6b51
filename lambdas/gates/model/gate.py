"""A gate: what is scanned by what, from which severity on it fails, and what its scan comes to; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import Enum

from lambdas.common.evidence.finding import Finding, Package, Severity, State
from lambdas.common.evidence.verdict import Outcome
from lambdas.common.written import shown
from lambdas.gates.model.exceptions import Exception_, Remark, remarks_on

_ORDER = list(Severity)
# Detail type of the event by which a build says that a gate has stopped something.
STOPPED = "Gate stopped a commit"
# What a build exports of its gates: the worst outcome, how many findings block, and a link to the build.
EXPORTED = ("GATES_OUTCOME", "GATES_BLOCKING", "GATES_REPORT")


class Scope(Enum):
    """What a gate scans: the source before anything runs, the templates that come of it, or other repositories."""

    SOURCE = "source"
    TEMPLATES = "templates"
    REPOSITORIES = "repositories"


class Word(Enum):
    """Why a gate cannot tell."""

    DID_NOT_RUN = "did not run"
    NOTHING = "scanned nothing"
    NO_VERSION = "version unknown"
    UNREADABLE = "report unreadable"
    OLD = "database too old"
    BLIND = "does not see what was planted"
    INCOMPLETE = "scanned only a part"


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A gate as it is configured; `max_age_days` bounds the age of what its scanner judges by.

    `options` are its scanner's own.
    """

    name: str
    scanner: str
    scans: Scope = Scope.SOURCE
    fail_at: Severity = Severity.HIGH
    unknown_blocks: bool = True
    valid_days: int = 90
    max_age_days: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)

    def blocks(self, severity: Severity) -> bool:
        """Whether a finding of a severity fails the gate; `UNKNOWN` is not on the scale."""
        if severity is Severity.UNKNOWN:
            return self.unknown_blocks
        return _ORDER.index(severity) <= _ORDER.index(self.fail_at)


def repository_gate(gate: Gate, repository: str) -> Gate:
    """A gate as a repository has it: with a name of its own, by which exceptions know it, and with the history."""
    name, options = f"{repository}-{gate.name}", {"history": True, "project": repository, **gate.options}
    return replace(gate, name=name, scans=Scope.REPOSITORIES, options=options)


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """What a scanner has come to: findings, and in `troubles` whatever says that they are not the whole truth.

    `data_of` is the date of what it judges by (of a service, when that was asked), `packages` are what it looked up.
    """

    findings: Sequence[Finding] = ()
    tool_version: str = ""
    data_of: str = ""
    troubles: Sequence[tuple[Word, str]] = ()
    packages: Sequence[Package] = ()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The gate's answer, and what people look at: what blocks first, worst first; `until` when exceptions expire."""

    outcome: Outcome
    reason: str
    blocking: tuple[Finding, ...] = ()
    others: tuple[Finding, ...] = ()
    excepted: tuple[Finding, ...] = ()
    until: Mapping[str, date] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A gate that has run: what was found, and what that comes to."""

    gate: Gate
    scanned: Scanned
    decision: Decision


def aged(gate: Gate, scanned: Scanned, *, today: date) -> Scanned:
    """The scan, with a trouble if its data is older than the gate takes, or nobody knows how old."""
    unread = scanned.troubles and not scanned.data_of  # what did not run has no data, and says so already
    if unread or gate.max_age_days is None or not (why := too_old(scanned.data_of, gate.max_age_days, today=today)):
        return scanned
    return replace(scanned, troubles=[*scanned.troubles, (Word.OLD, why)])


def too_old(data_of: str, days: int, *, today: date) -> str:
    """Why data is too old, or nothing when it is not."""
    try:
        of = date.fromisoformat(data_of[:10])
    except ValueError:
        return f"its date is {shown(data_of)}, which is none" if data_of else "it does not tell the date of its data"
    return f"it is of {of}, and at most {days} days are taken" if today - of > timedelta(days=days) else ""


def decide(gate: Gate, scanned: Scanned, exceptions: Iterable[Exception_], *, today: date) -> Decision:
    """Judge a scan: only one that is whole, and in which nothing blocks, passes."""
    opened = sorted((one for one in scanned.findings if one.state is State.OPEN), key=_worst_first)
    own = [one for one in exceptions if one.gate == gate.name]
    # Of two, the one that holds longer counts.
    counting = {one.fingerprint: one.expires for one in sorted(own, key=_end) if one.counts(today)}
    left = [one for one in opened if one.fingerprint not in counting]
    blocking = tuple(one for one in left if gate.blocks(one.severity))
    found = {one.fingerprint for one in opened}
    # Only a scan that was whole says that something is gone.
    there = found | {one.fingerprint for one in own} if scanned.troubles else found
    outcome, reason = _outcome(gate, scanned, blocking)
    return Decision(
        outcome=outcome,
        reason=reason,
        blocking=blocking,
        others=tuple(one for one in left if not gate.blocks(one.severity)),
        excepted=tuple(one for one in opened if one.fingerprint in counting),
        until={fingerprint: until for fingerprint, until in counting.items() if fingerprint in found},
        remarks=tuple(remarks_on(own, there, today)),
        counts=dict(Counter(one.severity.value for one in left)),
    )


def _end(one: Exception_) -> date:
    return one.expires


def _outcome(gate: Gate, scanned: Scanned, blocking: Sequence[Finding]) -> tuple[Outcome, str]:
    if scanned.troubles:
        told = "; ".join(f"{word.value}: {text}" if text else word.value for word, text in scanned.troubles)
        return Outcome.ERROR, f"{gate.scanner}: {told}"
    if blocking:
        first = blocking[0]
        more = f" and {len(blocking) - 1} more" if len(blocking) > 1 else ""
        return Outcome.FAIL, f"{first.severity.value} {first.rule} at {place_of(first)}{more}"
    return Outcome.PASS, ""


def place_of(finding: Finding) -> str:
    """Where a finding is, for people."""
    place = finding.place
    line = f":{place.line}" if place.line else ""
    package = f"{finding.package.name} {finding.package.installed}".strip() if finding.package else ""
    return f"{place.path}{line}" if place.path else package or finding.resource or place.inside or "an unknown place"


def _worst_first(finding: Finding) -> tuple[int, str, str, int]:
    return _ORDER.index(finding.severity), finding.rule, finding.place.path, finding.place.line
