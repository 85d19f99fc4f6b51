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
from lambdas.saas.model.contract import CONTRACT

# In CI/CD's assembly: the digest of the sample tenants' templates and assets.
NOTE = "tenants.sha256"
_STACK, _ASSETS = "aws:cloudformation:stack", "cdk:asset-manifest"
# Of an artifact of an assembly, what is deployed; the rest tells where in the source it comes from.
_DEPLOYED = ("type", "environment", "properties", "dependencies", "displayName")


def of_assembly(assembly: Path) -> str:
    """The digest of all stacks of an assembly and of the assemblies in it: templates, assets, how they are deployed.

    Raises:
        OSError, KeyError, ValueError: it is no whole assembly.
    """
    return _digest({f"{folder.relative_to(assembly)}": dict(_stacks(folder)) for folder in _assemblies(assembly)})


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


def _assemblies(assembly: Path) -> list[Path]:
    found = (manifest.parent for manifest in assembly.rglob("manifest.json"))
    assets = ("asset.", ".")  # whatever files they have
    return sorted(one for one in found if not any(part.startswith(assets) for part in one.relative_to(assembly).parts))


def _stacks(folder: Path) -> Iterator[tuple[str, Any]]:
    artifacts = _read(folder / "manifest.json")["artifacts"]
    for name, artifact in artifacts.items():
        if artifact["type"] not in (_STACK, _ASSETS):
            continue
        properties = artifact["properties"]
        said = _read(folder / properties["templateFile" if artifact["type"] == _STACK else "file"])
        yield name, [{key: artifact.get(key) for key in _DEPLOYED}, said]


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _digest(what: Any) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
