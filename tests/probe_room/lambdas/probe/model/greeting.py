"""What a tenant is told; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def greeting(word: str, tenant: Mapping[str, Any]) -> str:
    """One sentence about the tenant, from what saas knows of it."""
    run = f"run {tenant['run']} in ring {tenant['ring']}" if tenant.get("run") else "no release"
    return f"{word}, {tenant['deployment']} in {tenant['region']}: {run}"
