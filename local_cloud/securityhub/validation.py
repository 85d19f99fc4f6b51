"""What Security Hub refuses a finding for: a table of the format's limits.

https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html and its neighbours
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from local_cloud.securityhub.hubs import NORMALIZED

MOST_BYTES = 240_000
_TYPE = re.compile(
    r"(Software and Configuration Checks|TTPs|Effects|Unusual Behaviors|Sensitive Data Identifications)"
    r"(/[^/]+){0,2}"
)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})")
_LABELS = set(NORMALIZED)

Check = Callable[[Any], bool]


def _text(most: int) -> Check:
    return lambda value: isinstance(value, str) and 0 < len(value) <= most and bool(re.search(r"\S", value))


def _is(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def _time(value: Any) -> bool:
    try:
        return bool(_TIME.fullmatch(value)) and bool(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return False


def _one_of(*values: str) -> Check:
    return lambda value: value in values


def _map(keys: int, longest: int) -> Check:
    text, name = _text(longest), _text(128)
    return lambda value: len(value) <= keys and all(name(key) and text(each) for key, each in value.items())


def _list(least: int, most: int, each: Check = lambda _: True) -> Check:
    return lambda value: least <= len(value) <= most and all(map(each, value))


# By path; an entry of a list is `[]`. What is not there passes: botocore's model says what has to be.
_CHECKS: Mapping[str, Check] = {
    "SchemaVersion": _one_of("2018-10-08"),
    "Id": _text(512),
    "ProductArn": _text(2048),
    "GeneratorId": _text(512),
    "AwsAccountId": _is(re.compile(r"\d{12}")),
    "Title": _text(256),
    "Description": _text(1024),
    **dict.fromkeys(("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"), _time),
    "Severity.Label": _one_of(*_LABELS),
    "Severity.Normalized": lambda value: 0 <= value <= 100,  # noqa: PLR2004 - the scale's end
    "FindingProviderFields.Severity.Label": _one_of(*_LABELS),
    "FindingProviderFields.Severity.Original": _text(64),
    "Types": _list(0, 50, _is(_TYPE)),
    "FindingProviderFields.Types": _list(0, 50, _is(_TYPE)),
    "Resources": _list(1, 32),
    "Resources.[].Type": _text(256),
    "Resources.[].Id": _text(512),
    "Resources.[].Partition": _one_of("aws", "aws-cn", "aws-us-gov", "aws-us-iso", "aws-us-iso-b"),
    "Resources.[].Details.Other": _map(50, 1024),
    "ProductFields": _map(50, 2048),
    "UserDefinedFields": _map(50, 1024),
    "Remediation.Recommendation.Text": _text(512),
    "Confidence": lambda value: 0 <= value <= 100,  # noqa: PLR2004 - the same
    "Criticality": lambda value: 0 <= value <= 100,  # noqa: PLR2004 - the same
    "Compliance.Status": _one_of("PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"),
    "RecordState": _one_of("ACTIVE", "ARCHIVED"),
    "Workflow.Status": _one_of("NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"),
    "Vulnerabilities.[].Id": _text(1024),
}


def problems(finding: Mapping[str, Any]) -> list[str]:
    """What is wrong with a finding, as the service says it."""
    found = [
        f"data.{path} is invalid"
        for path, check in _CHECKS.items()
        for value in _at(finding, path.split("."))
        if not check(value)
    ]
    if "Label" not in str(finding.get("FindingProviderFields", {}).get("Severity", finding.get("Severity", ""))):
        found.append("data should have required property 'FindingProviderFields.Severity'")
    if len(json.dumps(finding)) > MOST_BYTES:
        found.append("data should NOT be larger than 240 KB")
    return [*found, *(f"data{path} is an empty text" for path in _blank(finding, ""))]


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == "[]":
        for one in value:
            yield from _at(one, path[1:])
    elif path[0] in value:
        yield from _at(value[path[0]], path[1:])


def _blank(value: Any, path: str) -> Iterator[str]:
    """Each text of the format has to have more than white space."""
    if isinstance(value, str):
        if not value.strip():
            yield path
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _blank(one, f"{path}.{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _blank(one, f"{path}[{number}]")
