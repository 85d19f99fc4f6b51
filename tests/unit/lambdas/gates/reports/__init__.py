"""A report of each format, written for these tests, and what has to be found in it.

None is a copy of a real one. Wherever a tool shows what it has found, the text `PLANTED` stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from lambdas.gates.model.formats import formats
from lambdas.gates.model.reports import Report, read_report

PLANTED = "planted-5ecret"
_FOLDER = Path(__file__).parent

# Of each file: its findings, how many of them are open, and what it says was scanned.
EXPECTED: Mapping[str, tuple[int, int, int | None]] = {
    "anchore_engine.json": (2, 2, None),
    "asff.json": (4, 2, None),
    "bandit.json": (3, 3, 7),
    "cdk_validation.json": (5, 4, 2),
    "cfn_guard.json": (3, 3, 3),
    "cfn_lint.json": (2, 2, None),
    "cfn_nag.json": (3, 3, 2),
    "cfn_policy_validator.json": (3, 3, None),
    "checkov.json": (4, 3, 8),
    "conformity.json": (2, 2, 3),
    "dependency_check.xml": (4, 3, 3),
    "detect_secrets.json": (3, 2, None),
    "ecr.json": (3, 3, None),
    "git_secrets.txt": (2, 2, None),
    "gitleaks.json": (3, 3, None),
    "grype.json": (3, 2, None),  # one of its four is told twice
    "inspector.json": (3, 2, None),
    "junit.xml": (2, 2, 2),  # of its three one is said to be skipped
    "kics.json": (3, 3, 2),
    "kingfisher.json": (2, 2, 2),
    "npm_audit.json": (3, 3, 3),
    "npm_audit_6.json": (1, 1, 3),
    "ocsf.json": (3, 2, None),
    "pip_audit.json": (2, 2, 2),
    "prowler.json": (2, 2, None),
    "sarif.sarif": (6, 4, None),
    "semgrep.json": (3, 2, 1),
    "snyk.json": (4, 4, 12),
    "terraform_compliance.json": (2, 2, 4),
    "terrascan.json": (3, 2, 607),
    "tfsec.json": (3, 2, None),
    "trivy.json": (5, 5, 4),
    "vision_one.json": (2, 2, 3),
    "wapiti.json": (3, 3, 3),
    "zap.xml": (3, 3, 3),
}
JSON = tuple(sorted(file for file in EXPECTED if file.endswith((".json", ".sarif"))))


def format_of(file: str) -> str:
    """The name of the format that a file is a report of."""
    return file.partition(".")[0].replace("_", "-").removesuffix("-6")


def content(file: str) -> bytes:
    """What a file holds."""
    return (_FOLDER / file).read_bytes()


def known(file: str) -> Any:
    """The JSON of a file; Kingfisher writes something behind it."""
    return json.JSONDecoder().raw_decode(content(file).decode())[0]


def at(data: Any, path: tuple[Any, ...]) -> Any:
    """The value at a place."""
    for key in path:
        data = data[key]
    return data


def lists_of_records(file: str) -> list[tuple[Any, ...]]:
    """Where a report has lists of records that are not empty, by the patterns of its format."""
    data = known(file)
    patterns = [pattern for shape in formats()[format_of(file)].shapes for pattern in shape.records]
    found = [path for pattern in patterns for path in _matching(data, _names(pattern), ())]
    return [path for path in dict.fromkeys(found) if at(data, path)]


def _names(pattern: str) -> list[str]:
    names = pattern.replace("[]", ".[]").split(".")
    return [name.strip("?~+!") for name in names if name.strip("?~+!")]


def _matching(data: Any, names: list[str], path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    name, *rest = names
    fits = isinstance(data, list if name == "[]" else dict)
    if fits and not rest:
        yield from [path] if name in ("[]", "*") else []
    elif fits:
        every = range(len(data)) if name == "[]" else data if name == "*" else [name] if name in data else []
        for key in every:
            yield from _matching(data[key], rest, (*path, key))


def dump(data: Any) -> bytes:
    """A report of that JSON."""
    return json.dumps(data).encode()


def parse(data: bytes, name: str) -> Report:
    """What a report says."""
    return read_report(BytesIO(data), name=name)
