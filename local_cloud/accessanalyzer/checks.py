"""The offline checks of `lambdas/gates/model/iam`, in the words of the service; pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import filter as matching
from typing import Any

from lambdas.gates.model.iam.access import Verdict, new_access
from lambdas.gates.model.iam.catalogue import Catalogue
from lambdas.gates.model.iam.documents import Document, Statement, listed, read
from lambdas.gates.model.iam.external import ANYBODY, strangers

Json = dict[str, Any]

_CATALOGUE = Catalogue()
_ROOT = re.compile(r"arn:[^:]+:iam::(\d{12}):root")
_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
_TOO_BROAD = (
    "Using the iam:PassRole action with wildcards (*) in the resource can be overly permissive because it allows "
    "iam:PassRole permissions on multiple resources."
)


@dataclass(frozen=True, kw_only=True)
class Stranger:
    """Somebody of another account, or anybody, whom a statement admits."""

    number: int
    principal: Mapping[str, str]
    actions: Sequence[str]
    condition: Mapping[str, str]

    @property
    def anybody(self) -> bool:
        return ANYBODY in self.principal.values()


def own_words() -> str:
    """What says that AWS did not say it."""
    return f"(a check of the local cloud with data of {_CATALOGUE.date}, not IAM Access Analyzer's)"


def is_unclear(text: str) -> bool:
    """Whether something in a policy is not understood."""
    try:
        return bool(read(json.loads(text)).unclear)
    except (ValueError, AttributeError, TypeError):
        return True


def validated(text: str, *, of_resource: bool) -> list[Json]:
    """What is wrong with a policy: of a resource, or of an identity."""
    try:
        document = json.loads(text)
    except ValueError as error:
        return [_finding("ERROR", "JSON_SYNTAX_ERROR", f"Fix the JSON syntax error: {error}.", text)]
    if not isinstance(document, dict) or "Statement" not in document:
        return [_finding("ERROR", "MISSING_STATEMENT", "Add a Statement element to the policy.", text)]
    return [
        _finding(kind, code, told, text, {"value": "Statement"}, {"index": number})
        for number, raw in enumerate(listed(document["Statement"]))
        for kind, code, told in _of_statement(raw, of_resource=of_resource)
    ]


def _of_statement(raw: Any, *, of_resource: bool) -> Iterator[tuple[str, str, str]]:
    said = read({"Statement": raw})
    for reason in said.unclear:
        yield "ERROR", "POLICY_NOT_UNDERSTOOD", f"The statement is not understood: {reason}."
    for one in said.statements:
        if of_resource and not one.principals:
            yield "ERROR", "MISSING_PRINCIPAL", "Add a Principal element to the policy statement."
        if not of_resource:
            yield from _of_identity(one)
        for action in listed(raw.get("Action", raw.get("NotAction"))):
            yield from _unknown(action)
        for key in dict.fromkeys(test.key for test in one.conditions):
            if not _CATALOGUE.knows_key(key):
                code = "INVALID_GLOBAL_CONDITION_KEY" if key.startswith("aws:") else "INVALID_SERVICE_CONDITION_KEY"
                yield "WARNING", code, f"The condition key {key} does not exist."


def _of_identity(one: Statement) -> Iterator[tuple[str, str, str]]:
    if one.principals:
        yield (
            "ERROR",
            "UNSUPPORTED_PRINCIPAL",
            "The policy type IDENTITY_POLICY does not support the Principal element.",
        )
    everywhere = "*" in one.resources.patterns and not one.resources.negated
    if one.allow and everywhere and one.actions.has_all_of("iam:passrole"):
        if any(test.key == "iam:passedtoservice" for test in one.conditions):
            return
        named = "iam:passrole" in one.actions.patterns
        yield "SECURITY_WARNING", f"PASS_ROLE_WITH_STAR_IN_{'' if named else 'ACTION_AND_'}RESOURCE", _TOO_BROAD


def _unknown(action: str) -> Iterator[tuple[str, str, str]]:
    service = action.partition(":")[0]
    known = _CATALOGUE.actions_of(service.lower())
    if action != "*" and not known:
        yield "ERROR", "INVALID_SERVICE_IN_ACTION", f"The service {service} specified in the action does not exist."
    elif action != "*" and not matching(known, action.lower()):
        yield "ERROR", "INVALID_ACTION", f"The action {action} does not exist."


def _finding(kind: str, code: str, told: str, text: str, *path: Json) -> Json:
    # Where in the text is not told: the whole of it is the place.
    lines = text.splitlines() or [""]
    end = {"line": len(lines), "column": len(lines[-1]), "offset": len(text)}
    return {
        "findingType": kind,
        "issueCode": code,
        "findingDetails": f"{told} {own_words()}",
        "learnMoreLink": f"{_GUIDE}#access-analyzer-reference-policy-checks-{code.lower().replace('_', '-')}",
        "locations": [{"path": list(path), "span": {"start": {"line": 1, "column": 0, "offset": 0}, "end": end}}],
    }


def strangers_of(text: str, account: str) -> Iterator[Stranger]:
    """Whom the statements of a policy admit from outside of an account; what others deny is not looked at."""
    for number, raw in enumerate(listed(json.loads(text)["Statement"])):
        said = read({"Statement": raw})
        for one in said.statements:
            for who in strangers(said, frozenset({account}), frozenset()):
                kind = next((kind for kind, name in one.principals if name == who), "AWS")
                root = _ROOT.fullmatch(who)
                yield Stranger(
                    number=number,
                    principal={kind: root[1] if root else who},
                    actions=listed(raw.get("Action", raw.get("NotAction"))),
                    condition={test.key: ",".join(test.values) for test in one.conditions},
                )


def granted(text: str, actions: Sequence[str], resources: Sequence[str]) -> list[int]:
    """The statements that may grant one of the actions on one of the resources, which the policy does not deny."""
    whole, found = json.loads(text), []
    denied = read(whole)
    for number, raw in enumerate(listed(whole["Statement"])):
        wanted = [(action.lower(), resource) for action in actions or ["*"] for resource in resources or ["*"]]
        may = any(
            one.allow and one.actions.may_have(action) and one.resources.may_have(resource)
            for one in read({"Statement": raw}).statements
            for action, resource in wanted
            if not denied.denies(action, resource)
        )
        if may:
            found.append(number)
    return found


def compared(new: str, existing: str) -> Verdict:
    """Whether a policy allows what another does not."""
    return new_access(_document(new), _document(existing), _CATALOGUE.actions)


def _document(text: str) -> Document:
    return read(json.loads(text))
