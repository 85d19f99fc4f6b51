"""The gates that a factory has which copies the example."""

from __future__ import annotations

from typing import Any

import yaml

from local_cloud.cloud import PROJECT_ROOT

_EXAMPLE = PROJECT_ROOT / "config" / "examples" / "all" / "gates.yaml"


def default_gates(osv_url: str) -> dict[str, dict[str, Any]]:
    """All gates of the example by name, which ask this service for advisories; nothing else is changed."""
    gates = {one["name"]: one for one in yaml.safe_load(_EXAMPLE.read_text(encoding="utf-8"))["gates"]}
    gates["dependencies"]["options"]["osv_url"] = osv_url
    return gates
