"""Which lifecycle events a change in one of the tables asks for; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.saas.lifecycle_publish.deployments import Factory, deployment_events
from lambdas.saas.lifecycle_publish.events import LifecycleEvent
from lambdas.saas.lifecycle_publish.runs import ReadsRuns, ring_events, run_events
from lambdas.saas.model.runs import ring_id, run_id

_RUN = run_id("")
_RING = ring_id("", 0).removesuffix("/0")


def status_table_events(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, *, factory: Factory
) -> list[LifecycleEvent]:
    """The events of a change in the status table."""
    return deployment_events(old, new, factory=factory)


def releases_table_events(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, *, runs: ReadsRuns
) -> list[LifecycleEvent]:
    """The events of a change in the releases table; releases themselves, and which run is current, tell nothing."""
    key = str((new or old or {})["id"])
    if key.startswith(_RUN):
        return run_events(old, new, runs=runs)
    if key.startswith(_RING):
        return ring_events(old, new, runs=runs)
    return []
