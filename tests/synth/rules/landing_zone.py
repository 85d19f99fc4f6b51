"""Rules for what a landing zone demands: what one project or role of a template has, all have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.synth.assembly import Template

_INDEXES = ("PIP_INDEX_URL", "npm_config_registry")
_SECRET = "SECRETS_MANAGER"


def builds_are_alike(template: Template) -> list[str]:
    """No project is left out of the network, nor of the indexes, that others have."""
    found = {logical_id: _place(project) for logical_id, project in template.resources("AWS::CodeBuild::Project")}
    first = next(iter(found.values()), None)
    return [f"{logical_id}: builds in another place than others" for logical_id, one in found.items() if one != first]


def roles_are_bounded_alike(template: Template) -> list[str]:
    """No role is left out of the permissions boundary that others have."""
    found = {logical_id: role["Properties"].get("PermissionsBoundary") for logical_id, role in _roles(template)}
    first = next(iter(found.values()), None)
    return [f"{logical_id}: bounded by another policy than others" for logical_id, one in found.items() if one != first]


def _roles(template: Template) -> Iterator[tuple[str, Any]]:
    yield from template.resources("AWS::IAM::Role")


def _place(project: Any) -> Any:
    properties = project["Properties"]
    variables = properties["Environment"].get("EnvironmentVariables", [])
    return properties.get("VpcConfig"), [one for one in variables if one["Name"] in _INDEXES or one["Type"] == _SECRET]
