"""Who from outside gets in by a policy of a resource or by a role's trust; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lambdas.gates.model.iam.documents import Document, Statement

ANYBODY = "*"
# What a caller cannot choose for himself.
_WHO = re.compile(
    r"^(aws:(principal(account|arn|orgid|orgpaths)|source(account|arn|owner|orgid|orgpaths)|vpce(account|orgid|orgpaths)"
    r"|userid)|kms:calleraccount|s3:dataaccesspointaccount)$"
)
_NETWORK = ("aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn")
_POSITIVE = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike")
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")


def strangers(document: Document, own: frozenset[str], allowed: frozenset[str]) -> Iterator[str]:
    """Who gets in and is neither in one of the own accounts nor allowed: accounts, names, or anybody."""
    for statement in document.statements:
        if statement.allow:
            for kind, name in statement.principals:
                for who in _admitted(kind, ANYBODY if statement.all_but_principals else name, statement):
                    # People of an identity provider are of no account, whoever owns its description.
                    inside = kind != "Federated" and (_account(who) in own or "${@" in who)
                    names = {who, _account(who), who.rpartition("/")[2], ANYBODY}
                    if not inside and not (names | _organization(who)) & allowed:
                        yield who


def _admitted(kind: str, name: str, statement: Statement) -> list[str]:
    if kind == "Service":
        return []  # AWS itself, on behalf of somebody: conditions about whom are best practice, and no account's access
    return _narrowed(statement) if kind == "AWS" and name == ANYBODY else [name]


def _narrowed(statement: Statement) -> list[str]:
    """Whom conditions leave of anybody."""
    left = [ANYBODY]
    for test in statement.conditions:
        # Of a key with several values, such as a path, and never of one that is absent.
        operator = test.operator.removeprefix("foranyvalue:")
        if operator not in _POSITIVE or not (_WHO.match(test.key) or test.key in _NETWORK):
            continue
        if test.key in _NETWORK:
            return []
        if test.values and all(one.strip("*?:") and (not one.startswith("arn:") or _fixed(one)) for one in test.values):
            left = list(test.values)
    return left


def _fixed(arn: str) -> bool:
    """Whether an ARN belongs to one account, or names one thing."""
    parts = arn.split(":", 5)
    return len(parts) > 5 and not set("*?") & set(parts[4]) and (bool(parts[4]) or parts[5].strip("*?") != "")  # noqa: PLR2004


def _organization(name: str) -> set[str]:
    """Of which organization a path in one is."""
    return {name.partition("/")[0]} if name.startswith("o-") else set()


def _account(name: str) -> str:
    if name.startswith("arn:"):
        return (name.split(":") + [""] * 5)[4]
    return found[0] if (found := _ACCOUNT.search(name)) else ""
