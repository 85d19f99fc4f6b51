"""The packages that gates have looked up, as a bill of materials: CycloneDX 1.6; pure.

https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from lambdas.common.evidence.finding import Package
from lambdas.gates.model.gate import Ran

_NAMES = re.compile(r"[-_.]+")


def sbom(gates: Iterable[Ran]) -> str:
    """One bill of all gates' packages; all of them are of Python."""
    looked = [ran for ran in gates if ran.scanned.packages]
    components = {one["purl"]: one for ran in looked for one in map(_component, ran.scanned.packages)}
    tools = {ran.gate.scanner: ran.scanned.tool_version for ran in looked}
    metadata: dict[str, Any] = {
        "tools": {"components": [{"type": "application", "name": name, "version": of} for name, of in tools.items()]}
    }
    if asked := max((ran.scanned.data_of for ran in looked), default=""):
        metadata["timestamp"] = asked
    return json.dumps(
        {
            "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": metadata,
            "components": [components[purl] for purl in sorted(components)],
        }
    )


def _component(one: Package) -> dict[str, Any]:
    # https://github.com/package-url/purl-spec/blob/main/types-doc/pypi-definition.md
    purl = f"pkg:pypi/{_NAMES.sub('-', one.name).lower()}@{quote(one.installed, safe='')}"
    return {"type": "library", "bom-ref": purl, "name": one.name, "version": one.installed, "purl": purl}
