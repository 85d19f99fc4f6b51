"""Versions of the command-line tools that builds install, each kept in one place."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent / "package.json"


@cache
def cdk_cli() -> str:
    """Version of the CDK CLI; `latest` on npm is an accidental 3.0.0 that cannot read today's assemblies."""
    version: str = json.loads(_PACKAGE.read_text(encoding="utf-8"))["devDependencies"]["aws-cdk"]
    return version
