"""Fixtures of the tests that run against a local cloud."""

from __future__ import annotations

from tests.local.first_factory import demoed, reader, readme_cloud, readme_shell, readme_workspace
from tests.local.local_cloud_fixtures import cloud, no_faults, workbench
from tests.local.pipeline_support import world
from tests.local.route53_support import domain

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
