"""GetFindings: filters and pages.

https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_StringFilter.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.securityhub.hubs import Finding, ServiceError
from local_cloud.securityhub.validation import values_at

_PAGE = 100
_MOST_FILTERS, _MOST_VALUES = 10, 20
# Where a filter looks; other filters are refused.
_PATHS = {
    **{name: name for name in ("AwsAccountId", "GeneratorId", "Id", "ProductArn", "RecordState", "Title")},
    "ProductFields": "ProductFields",
    "SeverityLabel": "Severity.Label",
    "WorkflowStatus": "Workflow.Status",
    "ResourceId": "Resources.[].Id",
    "ResourceDetailsOther": "Resources.[].Details.Other",
}
_NEGATIVE = {"NOT_EQUALS": "EQUALS", "PREFIX_NOT_EQUALS": "PREFIX", "NOT_CONTAINS": "CONTAINS"}


def page(findings: list[Finding], request: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted page; the token is the offset, so that a change in between shifts what comes."""
    filters, token = request.get("Filters", {}), request.get("NextToken", "0")
    unknown = sorted(set(filters) - set(_PATHS)) or ["SortCriteria"] * ("SortCriteria" in request)
    if unknown:
        raise ServiceError("InvalidInputException", f"The local cloud does not look for findings by {unknown[0]}")
    if len(filters) > _MOST_FILTERS or any(len(values) > _MOST_VALUES for values in filters.values()):
        raise ServiceError("InvalidInputException", f"More than {_MOST_FILTERS} filters or {_MOST_VALUES} values")
    if not token.isdigit():
        raise ServiceError("InvalidInputException", "Invalid parameter 'NextToken'")
    found = [one for one in findings if all(_fits(one, name, values) for name, values in filters.items())]
    last = int(token) + request.get("MaxResults", _PAGE)
    return {"Findings": found[int(token) : last], **({"NextToken": str(last)} if last < len(found) else {})}


def _fits(finding: Finding, name: str, conditions: list[Mapping[str, str]]) -> bool:
    """Conditions of one attribute: any of the positive ones, and each of the negative ones."""
    values = list(values_at(finding, _PATHS[name].split(".")))
    met = [(one["Comparison"] in _NEGATIVE, any(_meets(value, one) for value in values)) for one in conditions]
    wanted = [found for negative, found in met if not negative]
    return (not wanted or any(wanted)) and not any(found for negative, found in met if negative)


def _meets(value: Any, condition: Mapping[str, str]) -> bool:
    """Whether a value is what a condition names, whichever way it is asked for."""
    text = value.get(condition["Key"], "") if "Key" in condition else value
    wanted, comparison = condition["Value"], _NEGATIVE.get(condition["Comparison"], condition["Comparison"])
    if comparison not in _NEGATIVE.values():
        raise ServiceError("InvalidInputException", f"Security Hub does not compare by {comparison}")
    return bool({"EQUALS": text == wanted, "PREFIX": text.startswith(wanted), "CONTAINS": wanted in text}[comparison])
