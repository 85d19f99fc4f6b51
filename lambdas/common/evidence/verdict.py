"""A verdict: what a gate has found of what is to be deployed, by digest; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from lambdas.common.clock import Stamp
from lambdas.common.evidence.statement import Statement, Subject

# Below it, in the releases bucket, gates write their verdicts, and nobody else writes.
VERDICTS = "verdicts/"
# And below this what tenants of a ring have survived: of one release there are many, and not each has to be good.
SURVIVALS = "survivals/"


class Outcome(Enum):
    """What a gate answers, best first."""

    PASS = "PASS"  # noqa: S105 - no password
    INCONCLUSIVE = "INCONCLUSIVE"  # there was nothing to judge by
    FAIL = "FAIL"
    ABORTED = "ABORTED"
    ERROR = "ERROR"  # the gate could not tell


_ORDER = list(Outcome)


def worst(*outcomes: Outcome) -> Outcome:
    """The outcome of all of them together; of none, nothing is known."""
    return max(outcomes, key=_ORDER.index, default=Outcome.INCONCLUSIVE)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a gate found, and by what: `data_of` is the date of the rules or advisories that its tool judged by.

    `exceptions` are fingerprints, `excepted` says what each of them lets pass, and until when; `link` leads to the
    build that judged.
    """

    gate: str
    outcome: Outcome
    reason: str
    tool: str
    judged_at: Stamp
    expires_at: Stamp
    tool_version: str = ""
    data_of: str = ""
    scope: str = ""
    report: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    exceptions: tuple[str, ...] = ()
    excepted: dict[str, str] = field(default_factory=dict)
    link: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError without its times: which verdict is the newest, and whether it counts, is told by those."""
        if missing := [name for name in ("judged_at", "expires_at") if not getattr(self, name)]:
            raise ValueError(f"{missing[0]} is empty")


@dataclass(frozen=True, kw_only=True)
class Verdict(Statement):
    """A judgement about subjects, each named by its digest."""

    kind = "verdict"
    advice = "have the gate judge again"

    subject: tuple[Subject, ...]
    predicate: Judgement


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What gates have said of something, for whoever approves it: in words, and where to look."""

    words: str = ""
    links: tuple[str, ...] = ()


def judged(verdicts: Iterable[Verdict]) -> Judged:
    """Tell the newest verdict of each gate: how many have passed, and what those have found that found anything."""
    newest = {one.predicate.gate: one.predicate for one in sorted(verdicts, key=lambda one: one.predicate.judged_at)}
    said = [newest[gate] for gate in sorted(newest)]
    passed = sum(one.outcome is Outcome.PASS for one in said)
    found = [f"{one.gate}: {counts}" for one in said if (counts := counted(one.counts, len(one.exceptions)))]
    words = "; ".join([f"{passed} of {len(said)} passed", *found]) if said else ""
    return Judged(words=words, links=tuple(dict.fromkeys(one.link for one in said if one.link)))


def counted(counts: Mapping[str, int], excepted: int) -> str:
    """How many findings of which severity, and how many that are excepted."""
    return ", ".join(f"{count} {word}" for word, count in (*sorted(counts.items()), ("excepted", excepted)) if count)


def verdicts_of(revision: str) -> str:
    """What the keys of a release's verdicts begin with."""
    return f"{VERDICTS}{revision}/"


def survivals_of(revision: str, ring: str) -> str:
    """What the keys of the verdicts begin with that a ring's tenants have left about a release."""
    return f"{SURVIVALS}{revision}/{ring}/"


def verdict_key(revision: str, verdict: Verdict) -> str:
    """Key of a verdict; a gate that judges again leaves what it said before."""
    return f"{verdicts_of(revision)}{verdict.predicate.gate}/{verdict.predicate.judged_at}.json"
