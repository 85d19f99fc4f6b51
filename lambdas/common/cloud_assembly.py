"""A cloud assembly, which a synthesis has left: the stages and stacks that its manifests have; reads files.

Each function raises OSError, KeyError or ValueError for what is no whole assembly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# https://docs.aws.amazon.com/cdk/api/v2/docs/@aws-cdk_cloud-assembly-schema.ArtifactType.html
STACK, STAGE, ASSETS = "aws:cloudformation:stack", "cdk:cloud-assembly", "cdk:asset-manifest"


@dataclass(frozen=True, kw_only=True)
class AssembledStack:
    """A stack's name, place and template (a file), and the tags and parameters that it is deployed with.

    `key` is its id in the manifest, `after` are the ids of what is deployed before it.
    """

    key: str
    name: str
    account: str
    region: str
    template: Path
    tags: Mapping[str, str]
    parameters: Mapping[str, str]
    after: frozenset[str]

    @property
    def place(self) -> tuple[str, str]:
        return self.account, self.region

    @property
    def body(self) -> dict[str, Any]:
        """The template."""
        return _read(self.template)

    def content(self) -> str:
        """Fingerprint of everything that is deployed."""
        told = json.dumps([dict(self.tags), dict(self.parameters)], sort_keys=True)
        return hashlib.sha256(self.template.read_bytes() + told.encode()).hexdigest()


def artifacts_in(assembly: Path) -> dict[str, Any]:
    """What a manifest lists, by its ids."""
    found: dict[str, Any] = _read(assembly / "manifest.json")["artifacts"]
    return found


def stages_in(assembly: Path) -> Iterator[tuple[str, Path]]:
    """The stages of an assembly: their paths in the tree of constructs (`silo-acme-pipeline/Deploy`), and folders."""
    for one in artifacts_in(assembly).values():
        if one["type"] == STAGE:
            yield one["properties"]["displayName"], assembly / one["properties"]["directoryName"]


def stacks_in(assembly: Path, *, nested: bool = True) -> Iterator[AssembledStack]:
    """The stacks of an assembly, and those `nested` in its stages, in the order of the manifests."""
    for key, one in artifacts_in(assembly).items():
        if one["type"] == STAGE and nested:
            yield from stacks_in(assembly / one["properties"]["directoryName"])
        elif one["type"] == STACK:
            yield _stack(assembly, key, one)


def stacks_of_pipeline(pipeline: str, assembly: Path) -> tuple[AssembledStack, ...]:
    """The stacks in the stages of one pipeline's stack, in the order in which the assembly has them."""
    ours = (folder for path, folder in stages_in(assembly) if path.startswith(f"{pipeline}/"))
    return tuple(stack for folder in ours for stack in stacks_in(folder))


def _stack(assembly: Path, key: str, artifact: Mapping[str, Any]) -> AssembledStack:
    properties = artifact["properties"]
    account, region = artifact["environment"].removeprefix("aws://").split("/")
    return AssembledStack(
        key=key,
        name=properties.get("stackName", key),
        account=account,
        region=region,
        template=assembly / properties["templateFile"],
        tags=properties.get("tags", {}),
        parameters=properties.get("parameters", {}),
        after=frozenset(artifact.get("dependencies", ())),
    )


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
