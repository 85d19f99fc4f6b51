"""Which deployments have lost their pipeline: somebody has deleted it, and nothing told the factory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.status import Phase, Status, Unreadable

# Who waits, is suspended or ends needs no pipeline now; each of them gets one, or looks at it, when its turn comes.
_NEEDS_ONE = frozenset({Phase.PROVISIONING, Phase.ACTIVE, Phase.UPDATING, Phase.MOVING, Phase.FAILED})

Standing = Callable[[], Collection[str]]


def standing_pipelines(client: Any) -> frozenset[str]:
    """The names of all pipelines of the account and Region: a call for a thousand of them."""
    pages = client.get_paginator("list_pipelines").paginate()
    return frozenset(pipeline["name"] for page in pages for pipeline in page["pipelines"])


def without_pipeline(statuses: Iterable[Status], standing: Standing) -> frozenset[str]:
    """The ids of those that were given a pipeline, and have none any more; statuses are read before the pipelines."""
    given = {_name(one): one.id for one in statuses if _has(one)}
    there = standing() if given else ()
    return frozenset(deployment_id for name, deployment_id in given.items() if name not in there)


def as_they_stand(statuses: Iterable[Status | Unreadable], standing: Standing) -> list[Status | Unreadable]:
    """The statuses, in which no pipeline is named that somebody has deleted."""
    known = list(statuses)
    lost = without_pipeline((one for one in known if isinstance(one, Status)), standing)
    return [replace(one, pipeline_stack=None) if isinstance(one, Status) and one.id in lost else one for one in known]


def _name(status: Status) -> str:
    return pipeline_name(status.placed_type, status.id)


def _has(status: Status) -> bool:
    ends = bool(status.retire_after)
    return status.pipeline_stack is not None and status.phase in _NEEDS_ONE and not ends
