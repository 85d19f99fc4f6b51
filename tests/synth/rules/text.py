"""Rules for the text of templates: partitions, Regions, secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.synth.assembly import Template

_ARN = re.compile(r"arn:aws[a-z-]*:[^\"'\s]*")
_REGION = re.compile(r"\b(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-[a-z]+-\d\b")
_SECRET_NAME = re.compile(r"passw|secret|credential|private_?key|api_?key|token", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN|\bgh[pousr]_\w{20,}|\bxox[abp]-\w+|\beyJ[\w-]{20,}\."
)


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a template, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from strings(inner, f"{path}/{index}")


def no_literal_partition(template: Template) -> list[str]:
    """ARNs take their partition from `AWS::Partition`, except those that the configuration gives."""
    return [
        f"{path}: {arn}"
        for path, text in strings(template.body)
        for arn in _ARN.findall(text)
        if arn not in template.given
    ]


def no_strange_region(template: Template) -> list[str]:
    """No Region but the configured ones is named."""
    return [
        f"{path}: {region}"
        for path, text in strings(template.body)
        for region in _REGION.findall(text)
        if region not in template.place.regions
    ]


def no_secrets(template: Template) -> list[str]:
    """No environment variable or text looks like a secret."""
    found = [f"{path}: looks like a secret" for path, text in strings(template.body) if _SECRET_VALUE.search(text)]
    return found + [
        f"{logical_id}: variable {name} looks like a secret"
        for logical_id, resource in template.resources()
        for name in _plaintext_variables(resource)
        if _SECRET_NAME.search(name)
    ]


def _plaintext_variables(resource: Mapping[str, Any]) -> Iterator[str]:
    environment = resource.get("Properties", {}).get("Environment", {})
    yield from environment.get("Variables", {})
    for variable in environment.get("EnvironmentVariables", []):
        if variable.get("Type", "PLAINTEXT") == "PLAINTEXT":
            yield variable["Name"]
    for stage in resource.get("Properties", {}).get("Stages", []):
        for action in stage["Actions"]:
            variables = json.loads(action.get("Configuration", {}).get("EnvironmentVariables", "[]"))
            yield from (variable["name"] for variable in variables if variable["type"] == "PLAINTEXT")
