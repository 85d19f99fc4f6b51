"""What Security Hub refuses a finding for: a table of the format's limits.

https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html and its neighbours
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from local_cloud.securityhub.hubs import LABELS

_MOST_BYTES = 240_000
_TYPE = re.compile(
    r"(Software and Configuration Checks|TTPs|Effects|Unusual Behaviors|Sensitive Data Identifications)(/[^/]+){0,2}"
)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})")

Check = Callable[[Any], bool]


def _text(most: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= most


def _is(pattern: str | re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and bool(re.fullmatch(pattern, value))


def _time(value: Any) -> bool:
    try:
        return bool(_TIME.fullmatch(value)) and bool(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return False


def _map(longest: int) -> Check:
    text, name = _text(longest), _text(128)
    return lambda value: len(value) <= 50 and all(name(key) and text(each) for key, each in value.items())  # noqa: PLR2004


# By path; an entry of a list is `[]`. What is not there passes: botocore's model says what has to be.
_CHECKS: Mapping[str, Check] = {
    "SchemaVersion": _is("2018-10-08"),
    **dict.fromkeys(("Id", "GeneratorId", "Resources.[].Id", "Remediation.Recommendation.Text"), _text(512)),
    **dict.fromkeys(("Title", "Resources.[].Type"), _text(256)),
    **dict.fromkeys(("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"), _time),
    **dict.fromkeys(("Types", "FindingProviderFields.Types"), lambda value: len(value) <= 50),  # noqa: PLR2004
    **dict.fromkeys(("Types.[]", "FindingProviderFields.Types.[]"), _is(_TYPE)),
    **dict.fromkeys(("Severity.Label", "FindingProviderFields.Severity.Label"), lambda value: value in LABELS),
    "FindingProviderFields.Severity.Original": _text(64),
    "ProductArn": _text(2048),
    "AwsAccountId": _is(r"\d{12}"),
    "Description": _text(1024),
    "Resources": lambda value: 1 <= len(value) <= 32,  # noqa: PLR2004
    "Resources.[].Partition": _is("aws(-cn|-us-gov|-us-iso|-us-iso-b)?"),
    "Resources.[].Details.Other": _map(1024),
    "ProductFields": _map(2048),
    "UserDefinedFields": _map(1024),
    "RecordState": _is("ACTIVE|ARCHIVED"),
    "Workflow.Status": _is("NEW|NOTIFIED|RESOLVED|SUPPRESSED"),
}


def problems(finding: Mapping[str, Any]) -> list[str]:
    """What is wrong with a finding, as the service says it."""
    found = [
        f"data.{path} is invalid"
        for path, check in _CHECKS.items()
        for value in values_at(finding, path.split("."))
        if not check(value)
    ]
    if not {**finding.get("Severity", {}), **finding.get("FindingProviderFields", {}).get("Severity", {})}.get("Label"):
        found.append("data should have required property 'FindingProviderFields'")
    if len(json.dumps(finding)) > _MOST_BYTES:
        found.append("data should NOT be larger than 240 KB")
    return [*found, *(f"data{path} is an empty text" for path in _blank(finding, ""))]


def values_at(value: Any, path: list[str]) -> Iterator[Any]:
    """All values at a path, if there are any."""
    if not path:
        yield value
    elif path[0] == "[]":
        for one in value:
            yield from values_at(one, path[1:])
    elif path[0] in value:
        yield from values_at(value[path[0]], path[1:])


def _blank(value: Any, path: str) -> Iterator[str]:
    """Each text of the format has to have more than white space."""
    if isinstance(value, str) and not value.strip():
        yield path
    entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, one in entries:
        yield from _blank(one, f"{path}.{name}")
