"""What grants without a document of its own: permissions made of properties, and lists of managed policies; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lambdas.gates.model.iam.catalogue import Catalogue
from lambdas.gates.model.iam.documents import listed
from lambdas.gates.model.iam.functions import Undecidable

_PRINCIPALS = re.compile(r"^(Allowed)?Principals?$")
_MANAGED = re.compile(r"^ManagedPolic(yArns|ies)$")
_PUBLIC = ("PublicRead", "PublicReadWrite", "AuthenticatedRead")
_TESTS = {
    "SourceAccount": ("StringEquals", "aws:SourceAccount"),
    "SourceArn": ("ArnLike", "aws:SourceArn"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "OrganizationId": ("StringEquals", "aws:PrincipalOrgID"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
}

Grant = tuple[str, Mapping[str, Any] | str, bool]


def grants_of(
    kind: str, properties: Mapping[str, Any], schema: Mapping[str, Any], catalogue: Catalogue
) -> Iterator[Grant]:
    """Each as its place, the document that says the same or the ARN of one with its own row, and if it is AWS's."""
    for key, value in properties.items():
        if key not in schema.get("properties", {}):
            continue
        if _MANAGED.match(key):
            yield from _managed(key, value, catalogue)
        elif _PRINCIPALS.match(key):
            yield key, _permission(kind, value, properties), False
        elif key == "AccessControl" and value in _PUBLIC:
            yield key, _statement("*", [f"{kind.split('::')[1].lower()}:*"], {}), False


def _managed(key: str, value: Any, catalogue: Catalogue) -> Iterator[Grant]:
    for number, arn in enumerate(listed(value)):
        if isinstance(arn, str) and arn.startswith("${@"):
            yield f"{key}.{number}", arn, False
        else:
            known = catalogue.managed_policy(arn) if isinstance(arn, str) else None
            reason = arn.reason if isinstance(arn, Undecidable) else f"the text of {arn} is not in these templates"
            yield f"{key}.{number}", known or {"Statement": Undecidable(reason=reason)}, True


def _permission(kind: str, value: Any, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    service = kind.split("::")[1].lower()
    tests: dict[str, dict[str, Any]] = {}
    for name, (operator, key) in _TESTS.items():
        if name in properties:
            tests.setdefault(operator, {})[key] = properties[name]
    told = properties.get("Condition")
    if isinstance(told, Mapping) and {"Type", "Key", "Value"} <= set(told):  # an event bus's
        tests.setdefault(str(told["Type"]), {})[str(told["Key"])] = told["Value"]
    actions = listed(properties.get("Action", properties.get("Actions"))) or [f"{service}:*"]
    names = list(_names(value))
    services = [one for one in names if isinstance(one, str) and ".amazonaws.com" in one and not one.startswith("arn:")]
    return _statement({"AWS": [one for one in names if one not in services], "Service": services}, actions, tests)


def _statement(principal: Any, actions: list[Any], tests: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Statement": {"Effect": "Allow", "Principal": principal, "Action": actions, "Condition": tests}}


def _names(value: Any) -> Iterator[Any]:
    if isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _names(one)
    else:
        yield value
