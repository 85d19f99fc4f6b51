"""Fixtures of the tests that run against a local cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.local.first_factory import demoed, reader, readme_cloud, readme_shell, readme_workspace
from tests.local.local_cloud_fixtures import cloud, no_faults, workbench
from tests.local.pipeline_support import world
from tests.local.route53_support import domain

# Of a test with all that is set up for it: a factory may take ten minutes where three runs share two processors.
_HERE, _SECONDS = Path(__file__).parent, 3000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests here the time that they need; each wait in them has an end of its own, and says what for."""
    for item in items:
        if item.path.is_relative_to(_HERE) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_SECONDS))


__all__ = [
    "cloud",
    "demoed",
    "domain",
    "no_faults",
    "reader",
    "readme_cloud",
    "readme_shell",
    "readme_workspace",
    "workbench",
    "world",
]
