"""The digest of what tenants get of a source: two sources with the same deploy the same to everybody."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from buildspecs.saas.reaching_files import reaching
from lambdas.common.cloud_assembly import ASSETS, STACK, artifacts_in, assemblies_in, inside, read_json
from lambdas.saas.model.contract import CONTRACT

# In CI/CD's assembly: the digest of the sample tenants' templates and assets.
NOTE = "tenants.sha256"
# The property that names the file of an artifact.
_SAID = {STACK: "templateFile", ASSETS: "file"}
# Of an artifact of an assembly, what is deployed; the rest tells where in the source it comes from.
_DEPLOYED = ("type", "environment", "properties", "dependencies", "displayName")


def of_assembly(assembly: Path) -> str:
    """The digest of all stacks of an assembly and of the assemblies in it: templates, assets, how they are deployed.

    Raises:
        OSError, KeyError, ValueError: it is no whole assembly.
    """
    return _digest({f"{folder.relative_to(assembly)}": dict(_stacks(folder)) for folder in assemblies_in(assembly)})


def of_release(templates: str, archive: bytes) -> str:
    """The digest of a source, from that of its sample tenants and its archive; empty when nobody can tell."""
    if not templates:
        return ""
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    try:
        return _digest({"templates": templates, "files": reaching(files), "contract": CONTRACT})
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        print(f"what tenants get of this source cannot be told, so it goes to all of them: {error}", flush=True)
        return ""


def _stacks(assembly: Path) -> Iterator[tuple[str, Any]]:
    for name, artifact in artifacts_in(assembly).items():
        if file := _SAID.get(artifact["type"]):
            said = read_json(inside(assembly, artifact["properties"][file]))
            yield name, [{key: artifact.get(key) for key in _DEPLOYED}, said]


def _digest(what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
