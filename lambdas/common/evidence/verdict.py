"""A verdict: what a gate has found of what is to be deployed, by digest; pure.

Its JSON is a statement as in-toto defines it, as a bundle's is: see `bundle`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from lambdas.common.errors import UnreadableError
from lambdas.common.evidence.bundle import Subject
from lambdas.common.versioned_json import Text, plain

_TYPES = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "urn:granary:verdict"}
# Below it, in the releases bucket, gates write their verdicts, and nobody else writes.
VERDICTS = "verdicts/"


class Outcome(Enum):
    """What a gate answers, best first; of several, the last counts."""

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
    """What a gate found, and by what: `data_of` is the date of the rules or advisories that its tool judged by."""

    gate: str
    outcome: Outcome
    reason: str
    tool: str
    judged_at: str
    expires_at: str
    tool_version: str = ""
    data_of: str = ""
    scope: str = ""
    report: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict(Text):
    """A judgement about subjects, each named by its digest."""

    subject: tuple[Subject, ...]
    predicate: Judgement

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` of this or a later version wrote.

        Raises:
            UnreadableError: that is no verdict.
        """
        try:
            return super().from_json(text)
        except ValueError as error:
            raise UnreadableError(f"no verdict can be read ({error}): have the gate judge again") from error

    def to_json(self) -> str:
        """Write the statement; the same verdict has the same text."""
        return json.dumps({**_TYPES, **plain(self)}, sort_keys=True)


def verdicts_of(revision: str) -> str:
    """What the keys of a release's verdicts begin with."""
    return f"{VERDICTS}{revision}/"


def verdict_key(revision: str, verdict: Verdict) -> str:
    """Key of a verdict; a gate that judges again leaves what it said before."""
    return f"{verdicts_of(revision)}{verdict.predicate.gate}/{verdict.predicate.judged_at}.json"
