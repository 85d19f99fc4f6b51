"""Fixtures of the tests that run against a local cloud."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.local.local_cloud_fixtures import cloud, no_faults, workbench
from tests.local.pipeline_support import world

__all__ = ["cloud", "no_faults", "workbench", "world"]

_HERE = Path(__file__).parent


# Before xdist reads the marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Tests that share a local cloud run one after the other: those of a room, of the README, of the cloud itself."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            first = item.path.relative_to(_HERE).parts[0]
            of_the_cloud = first.startswith("test_") and first != "test_readme.py"
            item.add_marker(pytest.mark.xdist_group("engines" if of_the_cloud else first))
