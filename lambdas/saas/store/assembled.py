"""The stacks of a tenant's component, as they lie in an assembly: what its pipeline is about to deploy, and where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_STAGE, _STACK = "cdk:cloud-assembly", "aws:cloudformation:stack"


@dataclass(frozen=True, kw_only=True)
class AssembledStack:
    """A stack's name, place and template (a file), and the tags and parameters that it is deployed with."""

    name: str
    account: str
    region: str
    template: Path
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str]:
        return self.account, self.region

    def content(self) -> str:
        """Fingerprint of everything that is deployed."""
        told = json.dumps([dict(self.tags), dict(self.parameters)], sort_keys=True)
        return hashlib.sha256(self.template.read_bytes() + told.encode()).hexdigest()


def assembled_stacks(pipeline: str, assembly: Path) -> tuple[AssembledStack, ...]:
    """The stacks in the stages of one pipeline, in the order in which the assembly has them."""
    stages = (properties for kind, properties in _artifacts(assembly) if kind == _STAGE)
    ours = (one["directoryName"] for one in stages if one.get("displayName", "").startswith(f"{pipeline}/"))
    return tuple(stack for folder in ours for stack in _stacks(assembly / folder))


def _stacks(folder: Path) -> Iterator[AssembledStack]:
    """Those of a stage, and of stages within it."""
    for kind, properties in _artifacts(folder):
        if kind == _STAGE:
            yield from _stacks(folder / properties["directoryName"])
        elif kind == _STACK:
            account, region = properties["environment"].removeprefix("aws://").split("/")
            yield AssembledStack(
                name=properties["stackName"],
                account=account,
                region=region,
                template=folder / properties["templateFile"],
                tags=properties.get("tags", {}),
                parameters=properties.get("parameters", {}),
            )


def _artifacts(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and properties of each artifact; a stack that names itself nothing else is named by its id."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return
    for name, artifact in json.loads(manifest.read_text(encoding="utf-8")).get("artifacts", {}).items():
        properties = {"stackName": name, "environment": artifact.get("environment", "")}
        yield artifact["type"], {**properties, **artifact.get("properties", {})}
