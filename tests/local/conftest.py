"""Fixtures of the tests that run against a local cloud."""

from __future__ import annotations

from tests.local.local_cloud_fixtures import cloud, no_faults, workbench
from tests.local.pipeline_support import world

__all__ = ["cloud", "no_faults", "workbench", "world"]
