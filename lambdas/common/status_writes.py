"""Writing the status table: every change of phase under the condition that the table of transitions allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from lambdas.common import dynamo
from lambdas.common.clock import stamp
from lambdas.common.lifecycle import sources
from lambdas.common.status import Phase

UNCLAIMED = "( attribute_not_exists( #claimed_by ) OR #claim_expires_at < :now )"


def write_status(
    client: Any,
    *,
    table: str,
    deployment_id: str,
    now: datetime,
    condition: str = "",
    values: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    removes: Sequence[str] = (),
    increments: Sequence[str] = (),
    **attributes: Any,
) -> bool:
    """Write attributes of a status; False when the condition, or the table of transitions, did not allow it.

    `condition`, `values` and `defaults` are those of `dynamo.update`. Phases, dataclasses and tuples are written as
    DynamoDB takes them.
    """
    update = status_update(now=now, condition=condition, values=values, **attributes)
    return dynamo.update(
        client, table=table, key=deployment_id, defaults=defaults, removes=removes, increments=increments, **update
    )


def status_update(
    *, now: datetime, condition: str = "", values: Mapping[str, Any] | None = None, **attributes: Any
) -> dict[str, Any]:
    """The `sets`, `condition` and `values` of an update; for writes that are a part of a transaction."""
    bound = {name: _plain(value) for name, value in (values or {}).items()}
    conditions = [f"( {condition} )"] if condition else []
    if isinstance(phase := attributes.get("phase"), Phase):
        names = [f"before{index}" for index, _ in enumerate(sources(phase))]
        bound |= dict(zip(names, map(str, sources(phase)), strict=True))
        allowed = ", ".join(f":{name}" for name in names)
        conditions.append(f"( attribute_not_exists( #phase ) OR #phase IN ( {allowed} ) )")
    return {
        "sets": {**{name: _plain(value) for name, value in attributes.items()}, "updated_at": stamp(now)},
        "condition": " AND ".join(conditions),
        "values": bound,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    return value
