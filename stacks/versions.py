"""Versions of the command-line tools that builds install, each kept in one place."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent / "package.json"


@cache
def _pinned() -> dict[str, str]:
    pinned: dict[str, str] = json.loads(_PACKAGE.read_text(encoding="utf-8"))["devDependencies"]
    return pinned


def cdk_cli() -> str:
    """Version of the CDK CLI; `latest` on npm is an accidental 3.0.0 that cannot read today's assemblies."""
    return _pinned()["aws-cdk"]


def cdk_assets_cli() -> str:
    """Version of cdk-assets, which publishes file assets in pipelines."""
    return _pinned()["cdk-assets"]
