"""The examples in the demo's place, with the configuration that their modules ask for."""

from __future__ import annotations

import shutil
from typing import Any

from local_cloud.cloud import PROJECT_ROOT
from local_cloud.factory.workspace import Workspace

BOUNDARY = "landing/boundary"
PLACE = {"vpc": "/landing/vpc", "subnets": "/landing/subnets", "zone": "/landing/zone", "certificate": "/landing/arn"}
# As in the docstrings of their modules.
_NOTES = {
    "limit": {"description": "How many notes are told.", "default": "100", "pattern": "[1-9][0-9]{0,2}"},
    "signing": {"description": "Secret that answers are signed with.", "default": "", "reference": "secret"},
}
_NOTES_TIERS = {"free": {"parameters": {"limit": "10"}}, "gold": {"size": "large", "parameters": {"limit": "999"}}}
_SHOPS = {
    "domain": {"description": "Address of the shop.", "default": "none.example.com", "pattern": "[a-z0-9.-]+"},
    "plan": {"description": "What it may do.", "default": "basic", "choices": ["basic", "full"]},
    "license": {"description": "Secret with its licence.", "default": "", "reference": "secret"},
}
CONFIGURED: dict[str, dict[str, Any]] = {
    "component-serverless": {
        "component": {},
        "permissions_boundary": BOUNDARY,
        "parameters": _NOTES,
        "tiers": _NOTES_TIERS,
    },
    "component-ecs": {
        "component": {},
        "permissions_boundary": BOUNDARY,
        "place": PLACE,
        "parameters": _SHOPS,
        "tiers": {"gold": {"size": "large", "parameters": {"plan": "full", "license": "shop/license"}}},
    },
}


def put_example(workspace: Workspace, name: str, **configured: Any) -> None:
    """Put an example there, and configure it; what is `configured` besides comes first."""
    for folder in ("component", "tests/component"):
        shutil.rmtree(workspace.root / folder)
    shutil.copytree(PROJECT_ROOT / "examples" / name, workspace.root, dirs_exist_ok=True)
    workspace.configure("workloads", CONFIGURED[name] | configured)
