"""GetFindings: filters, order and pages.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_GetFindings.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local_cloud.securityhub.errors import ServiceError
from local_cloud.securityhub.hubs import Finding

_PAGE = 100
_MOST_FILTERS, _MOST_VALUES = 10, 20
# Where a filter looks; other filters are refused.
_PATHS = {
    **{name: name for name in ("AwsAccountId", "GeneratorId", "Id", "ProductArn", "ProductName", "RecordState")},
    **{name: name for name in ("Title", "Description", "Region", "ProductFields")},
    "Type": "Types.[]",
    "SeverityLabel": "Severity.Label",
    "WorkflowStatus": "Workflow.Status",
    "ResourceId": "Resources.[].Id",
    "ResourceType": "Resources.[].Type",
    "ResourceDetailsOther": "Resources.[].Details.Other",
}
_NEGATIVE = ("NOT_EQUALS", "PREFIX_NOT_EQUALS", "NOT_CONTAINS")


def page(findings: list[Finding], request: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted page; the token is the offset, so that a change in between shifts what comes."""
    filters = request.get("Filters") or {}
    _check(filters)
    found = [one for one in findings if all(_fits(one, name, values) for name, values in filters.items())]
    for criterion in reversed(request.get("SortCriteria") or ()):
        field, down = criterion.get("Field", ""), criterion.get("SortOrder") == "desc"
        found.sort(key=lambda one, field=field: str(one.get(field, "")), reverse=down)  # type: ignore[misc]
    token = request.get("NextToken") or "0"
    if not token.isdigit():
        raise ServiceError("InvalidInputException", "Invalid parameter 'NextToken'")
    first = int(token)
    last = first + request.get("MaxResults", _PAGE)
    return {"Findings": found[first:last], **({"NextToken": str(last)} if last < len(found) else {})}


def _check(filters: Mapping[str, Any]) -> None:
    if unknown := sorted(set(filters) - set(_PATHS)):
        raise ServiceError("InvalidInputException", f"The local cloud does not filter findings by {unknown[0]}")
    if len(filters) > _MOST_FILTERS or any(len(values) > _MOST_VALUES for values in filters.values()):
        raise ServiceError(
            "InvalidInputException", f"A filter has at most {_MOST_FILTERS} attributes of {_MOST_VALUES} values"
        )


def _fits(finding: Finding, name: str, conditions: list[Mapping[str, str]]) -> bool:
    """Conditions of one attribute: any of the positive ones, and each of the negative ones."""
    values = list(_values(finding, _PATHS[name].split(".")))
    positive = [one for one in conditions if one["Comparison"] not in _NEGATIVE]
    negative = [one for one in conditions if one["Comparison"] in _NEGATIVE]
    return (not positive or any(_meets(value, one) for one in positive for value in values)) and all(
        _meets(value, one) for one in negative for value in values
    )


def _meets(value: Any, condition: Mapping[str, str]) -> bool:
    if "Key" in condition:
        value = value.get(condition["Key"], "")
    wanted, comparison = condition["Value"], condition["Comparison"]
    bare = comparison.removeprefix("NOT_").replace("PREFIX_NOT_EQUALS", "PREFIX")
    if bare not in ("EQUALS", "PREFIX", "CONTAINS"):
        raise ServiceError("InvalidInputException", f"Security Hub does not filter findings with {comparison}")
    met = {"EQUALS": value == wanted, "PREFIX": value.startswith(wanted), "CONTAINS": wanted in value}[bare]
    return met is not (comparison in _NEGATIVE)


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == "[]":
        for one in value:
            yield from _values(one, path[1:])
    elif path[0] in value:
        yield from _values(value[path[0]], path[1:])
