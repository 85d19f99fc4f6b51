"""A cloud assembly, which a synthesis has left: the stages and stacks that its manifests have; reads files.

Each function raises OSError, KeyError or ValueError for what is no whole assembly, as one that names files outside it:
what a synthesis has left, code of others has written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol, Self, TypeVar

# https://docs.aws.amazon.com/cdk/api/v2/docs/@aws-cdk_cloud-assembly-schema.ArtifactType.html
STACK, STAGE, ASSETS = "aws:cloudformation:stack", "cdk:cloud-assembly", "cdk:asset-manifest"


class Folder(Protocol):
    """A folder, or a file, of an assembly: on a disk (`Path`), or wherever it has been packed."""

    def __truediv__(self, name: str, /) -> Self: ...
    def read_bytes(self) -> bytes: ...


F = TypeVar("F", bound=Folder)


@dataclass(frozen=True, kw_only=True)
class AssembledStack:
    """A stack's name, place and template (a file), and the tags and parameters that it is deployed with.

    `key` is its id in the manifest, `after` are the ids of what is deployed before it.
    """

    key: str
    name: str
    account: str
    region: str
    template: Folder
    tags: Mapping[str, str]
    parameters: Mapping[str, str]
    after: frozenset[str]

    @property
    def place(self) -> tuple[str, str]:
        return self.account, self.region

    @property
    def body(self) -> dict[str, Any]:
        """The template."""
        return read_json(self.template)

    def content(self) -> str:
        """Fingerprint of everything that is deployed."""
        told = json.dumps([dict(self.tags), dict(self.parameters)], sort_keys=True)
        return hashlib.sha256(self.template.read_bytes() + told.encode()).hexdigest()


def artifacts_in(assembly: Folder) -> dict[str, Any]:
    """What a manifest lists, by its ids."""
    found: dict[str, Any] = read_json(assembly / "manifest.json")["artifacts"]
    return found


def stages_in(assembly: F) -> Iterator[tuple[str, F]]:
    """The stages of an assembly: their paths in the tree of constructs (`silo-acme-pipeline/Deploy`), and folders."""
    for one in artifacts_in(assembly).values():
        if one["type"] == STAGE:
            yield one["properties"]["displayName"], inside(assembly, one["properties"]["directoryName"])


def assemblies_in(assembly: F) -> Iterator[F]:
    """The assembly, and those in it, of stages in stages too."""
    yield assembly
    for _, nested in stages_in(assembly):
        yield from assemblies_in(nested)


def stacks_in(assembly: Folder, *, nested: bool = True) -> Iterator[AssembledStack]:
    """The stacks of an assembly, and those `nested` in its stages, in the order of the manifests."""
    for key, one in artifacts_in(assembly).items():
        if one["type"] == STAGE and nested:
            yield from stacks_in(inside(assembly, one["properties"]["directoryName"]))
        elif one["type"] == STACK:
            yield _stack(assembly, key, one)


def stages_of_pipeline(pipeline: str, assembly: F) -> Iterator[F]:
    """The folders of the stages of one pipeline's stack, in the order in which the assembly has them."""
    return (folder for path, folder in stages_in(assembly) if path.startswith(f"{pipeline}/"))


def stacks_of_pipeline(pipeline: str, assembly: Folder) -> tuple[AssembledStack, ...]:
    """The stacks in the stages of one pipeline's stack, in the order in which the assembly has them."""
    return tuple(stack for folder in stages_of_pipeline(pipeline, assembly) for stack in stacks_in(folder))


def inside(assembly: F, name: str) -> F:
    """The file or folder of a name that an assembly gives; it is below the assembly, or an error."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name!r} is not in the assembly that names it")
    return assembly / str(path)


def read_json(file: Folder) -> dict[str, Any]:
    """What a file of an assembly says."""
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
    except RecursionError as error:
        raise ValueError(f"{file} is nested too deeply") from error
    return found


def _stack(assembly: Folder, key: str, artifact: Mapping[str, Any]) -> AssembledStack:
    properties = artifact["properties"]
    account, region = artifact["environment"].removeprefix("aws://").split("/")
    return AssembledStack(
        key=key,
        name=properties.get("stackName", key),
        account=account,
        region=region,
        template=inside(assembly, properties["templateFile"]),
        tags=properties.get("tags", {}),
        parameters=properties.get("parameters", {}),
        after=frozenset(artifact.get("dependencies", ())),
    )
