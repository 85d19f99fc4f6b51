"""The IAM checks of the templates of an assembly that need no account: the ledger, and what is wrong; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import filter as matching
from typing import Any

from lambdas.common.evidence.finding import Finding, Place, Severity, content_of
from lambdas.gates.model.iam.access import Answer, new_access
from lambdas.gates.model.iam.assembly import Assembly, deployed
from lambdas.gates.model.iam.catalogue import Catalogue
from lambdas.gates.model.iam.documents import Document, read
from lambdas.gates.model.iam.escalation import identities, ways_up
from lambdas.gates.model.iam.external import ANYBODY, strangers
from lambdas.gates.model.iam.ledger import Ledger, Row, ledger_of
from lambdas.gates.model.iam.template import Template

TOOL = "granary-iam"
_SEVERITIES = {
    "undecidable": Severity.UNKNOWN,
    "full-access": Severity.CRITICAL,
    "privilege-escalation": Severity.HIGH,
    "public-access": Severity.CRITICAL,
    "external-principal": Severity.HIGH,
    "denied-action": Severity.HIGH,
    "new-access": Severity.HIGH,
    "new-access-undecided": Severity.UNKNOWN,
    "unknown-action": Severity.MEDIUM,
    "unknown-condition": Severity.MEDIUM,
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is asked of policies.

    `allow_external_principals` are accounts, ARNs, names of identity providers, canonical users, organizations or `*`.
    `reference` is the policy of an identity beyond which no identity may get access.
    """

    own_accounts: frozenset[str] = frozenset()
    allow_external_principals: frozenset[str] = frozenset()
    denied_actions: tuple[str, ...] = ()
    reference: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was looked at, and what is wrong with it."""

    ledger: Ledger
    findings: list[Finding]


def check(assembly: Assembly, settings: Settings, catalogue: Catalogue) -> Checked:
    """Check the policies of an assembly.

    Raises:
        TemplateError: a template cannot be deployed, and so cannot be checked.
    """
    templates = deployed(assembly, catalogue)
    ledger = ledger_of(templates)
    own = settings.own_accounts | {one.where.account for one in templates}
    checks = _Checks(settings=settings, catalogue=catalogue, own=own)
    found = [*_undecidable(ledger), *(each for row in ledger.rows for each in checks.of_row(row))]
    found += _escalations(ledger, templates)
    counts: Counter[tuple[str, ...]] = Counter()
    for number, one in enumerate(found):
        found[number] = replace(one, repeat=counts[one.target])
        counts[one.target] += 1
    return Checked(ledger=ledger, findings=found)


def _undecidable(ledger: Ledger) -> Iterator[Finding]:
    for row in ledger.rows:
        if row.why:
            yield _finding(row, "undecidable", "A policy cannot be decided before deployment", why=row.why)


def _escalations(ledger: Ledger, templates: list[Template]) -> Iterator[Finding]:
    everybody = identities(ledger, templates)
    for one in everybody:
        if one.may_do_all():
            yield _finding(one.row, "full-access", f"{one.name} may do everything", about=one.name)
    for one, how in ways_up(everybody):
        title = f"{one.name} can become an administrator"
        yield _finding(one.row, "privilege-escalation", title, why=f"By {how}.", about=one.name)


@dataclass(frozen=True, kw_only=True)
class _Checks:
    """The checks of one row."""

    settings: Settings
    catalogue: Catalogue
    own: frozenset[str]

    def of_row(self, row: Row) -> Iterator[Finding]:
        """Everything that is wrong with what it can have, each once."""
        found = [each for document in row.documents for each in self._of_document(row, document)]
        yield from {one.fingerprint: one for one in found}.values()

    def _of_document(self, row: Row, document: Document) -> Iterator[Finding]:
        if not row.managed:
            yield from self._unknown(row, document)
        if not row.grants:
            return
        if document.of_resource:
            yield from self._external(row, document)
        elif self.settings.reference is not None:
            yield from self._new_access(row, document, self.settings.reference)
        for action in self.settings.denied_actions:
            may = any(one.allow and one.actions.may_have(action.lower()) for one in document.statements)
            if may and not document.denies(action.lower()):
                yield _finding(row, "denied-action", f"It grants {action}", about=action)

    def _unknown(self, row: Row, document: Document) -> Iterator[Finding]:
        date = f"As of {self.catalogue.date}."
        for statement in document.statements:
            for action in statement.actions.patterns:
                known = self.catalogue.actions_of(action.partition(":")[0])
                if action != "*" and not matching(known, action):
                    why = " ".join([date, *(f"Is {one} meant?" for one in get_close_matches(action, known, n=1))])
                    yield _finding(row, "unknown-action", f"No action is called {action}", why=why, about=action)
            for test in statement.conditions:
                if not self.catalogue.knows_key(test.key):
                    yield _finding(row, "unknown-condition", f"No key is called {test.key}", why=date, about=test.key)

    def _external(self, row: Row, document: Document) -> Iterator[Finding]:
        what = "Trust policy" if row.place == "AssumeRolePolicyDocument" else "Resource policy"
        for who in strangers(document, self.own, self.settings.allow_external_principals):
            if who == ANYBODY:
                yield _finding(row, "public-access", f"{what} allows access by anybody", about=who)
            else:
                title = f"{what} allows access from external principals"
                yield _finding(row, "external-principal", title, why=who, about=who)

    def _new_access(self, row: Row, document: Document, reference: Mapping[str, Any]) -> Iterator[Finding]:
        verdict = new_access(document, read(reference), self.catalogue.actions)
        if verdict.request:
            told = f"{verdict.request.action} on {verdict.request.resource}, context {dict(verdict.request.context)}"
            yield _finding(row, "new-access", "It allows what the reference does not", why=told)
        elif verdict.answer is Answer.UNDECIDED:
            yield _finding(row, "new-access-undecided", "It may allow what the reference does not", why=verdict.reason)


def _finding(row: Row, rule: str, title: str, *, why: str = "", about: str = "") -> Finding:
    return Finding(
        tool=TOOL,
        rule=rule,
        severity=_SEVERITIES[rule],
        title=title,
        description=why,
        resource=row.resource,
        place=Place(path=row.path, inside=row.place),
        content=content_of(about, rule=rule, path=row.path),
    )
