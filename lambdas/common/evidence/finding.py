"""A finding: what a scanner, a rule or a comparison holds against something, and when it is the same again; pure.

`rule_key` says which rule it is, `fingerprint` which finding. Neither changes when lines move, when a tool rates or
words its rule anew, or with a build. The recipe's version stands in the fingerprint: another recipe is a migration.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import Enum

from lambdas.common.versioned_json import Text

_VERSION = "v1"
_CONTENT = 4  # hexadecimal digits


class Severity(Enum):
    """How bad it is, worst first; `UNKNOWN` stands for itself, and for no other word."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFORMATIONAL = "INFORMATIONAL"
    UNKNOWN = "UNKNOWN"


class State(Enum):
    """What its tool says of it: only an open finding is a problem, and whom to believe is the reader's to decide."""

    OPEN = "OPEN"
    PASSED = "PASSED"  # the check holds, or what was found is gone
    SUPPRESSED = "SUPPRESSED"  # somebody has told the tool to be silent


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where it is: a file, and the place `inside` a resource, a template or a tree of dependencies.

    What is found in a history is the same in each `commit` that has it.
    """

    path: str = ""
    line: int = 0
    column: int = 0
    inside: str = ""
    commit: str = ""


@dataclass(frozen=True, kw_only=True)
class Package:
    """What is installed that should not be, and the versions that repair it."""

    name: str
    installed: str = ""
    fixed: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding(Text):
    """One finding; what is not told is empty.

    `content` tells two texts at the same place apart (`content_of`), `repeat` counts findings that are otherwise equal.
    """

    tool: str
    rule: str
    title: str
    severity: Severity = Severity.UNKNOWN
    state: State = State.OPEN
    description: str = ""
    resource: str = ""
    place: Place = Place()
    package: Package | None = None
    remediation: str = ""
    url: str = ""
    aliases: tuple[str, ...] = ()
    first_seen: str = ""
    content: str = ""
    repeat: int = 0

    @property
    def rule_key(self) -> str:
        """The tool and its rule."""
        return f"{self.tool}:{self.rule}"

    @property
    def target(self) -> tuple[str, ...]:
        """What the finding is about, whichever line that is on."""
        package = (self.package.name, self.package.installed) if self.package else ("", "")
        return (self.rule_key, self.place.path, self.place.inside, self.resource, *package, self.content)

    @property
    def fingerprint(self) -> str:
        """The same for the same finding in each run; exceptions and what was imported before refer to it."""
        told = json.dumps([*self.target, self.repeat])
        return f"{_VERSION}:{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def content_of(text: str, *, rule: str, path: str) -> str:
    """A few bits of a hash of the text that was found, white space aside.

    Enough to see that another text has come to the same place, and too little to tell a guessed secret from thousands
    of others: a whole hash of a short secret is the secret. Nor does the same secret look alike at two places.
    """
    if not (words := " ".join(text.split())):
        return ""
    return hashlib.sha256(json.dumps([rule, path, words]).encode()).hexdigest()[:_CONTENT]
