"""What is granted in the catalog that no file says, as findings; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lambdas.common.evidence.finding import Finding, Severity
from lambdas.lake.model.governance.grants import Grant
from lambdas.lake.model.governance.observation import Observation
from lambdas.lake.model.governance.policy import EVERYBODY, Policy

_TOOL = "lake"
# As what, and about what, the findings are reported: account and Region follow.
GATE, TARGET = "permissions", "_lake"


def drift(policy: Policy, foreign: Iterable[Grant], seen: Observation) -> tuple[Finding, ...]:
    """A finding for each grant that others made, for what everybody may do, and for what new tables give everybody."""
    found = [*_everybody(policy, seen), *_defaults(seen)]
    for one in sorted((it for it in foreign if it.principal != EVERYBODY), key=lambda it: (it.principal, str(it))):
        removed = "The next plan revokes it" if policy.remove_foreign else "Revoke it, or write a rule that grants it"
        found.append(
            Finding(
                tool=_TOOL,
                rule="foreign-grant",
                title=f"{one.principal} has {one}, which no rule grants",
                severity=Severity.MEDIUM,
                resource=f"{seen.catalog}/{seen.region}: {one.principal}: {one}",
                remediation=f"{removed}. Who is nobody's business here belongs to `ignored`.",
            )
        )
    return tuple(found)


def _everybody(policy: Policy, seen: Observation) -> Iterator[Finding]:
    places = {".".join(filter(None, (it.database, it.table))) for it in seen.grants if it.principal == EVERYBODY}
    for place in sorted(places):
        yield Finding(
            tool=_TOOL,
            rule="iam-allowed-principals",
            title=f"Everybody whom IAM lets in may use {place}, whatever the file says",
            severity=Severity.HIGH,
            resource=f"{seen.catalog}/{seen.region}: {place}",
            remediation="The next plan revokes it" if policy.remove_iam_allowed else "Set remove_iam_allowed: true",
        )


def _defaults(seen: Observation) -> Iterator[Finding]:
    for what in seen.open_defaults:
        yield Finding(
            tool=_TOOL,
            rule="open-defaults",
            title=f"New {what} are open to everybody whom IAM lets in",
            severity=Severity.HIGH,
            resource=f"{seen.catalog}/{seen.region}: {what}",
            remediation="Clear `Use only IAM access control` in Lake Formation's Data Catalog settings",
        )
