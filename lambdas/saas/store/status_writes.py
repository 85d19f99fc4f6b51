"""Writing the status table: every change of phase under the condition that the table of transitions allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lambdas.common import dynamo
from lambdas.common.clock import stamp
from lambdas.common.versioned_json import plain
from lambdas.saas.model.component_stacks import ComponentStacks
from lambdas.saas.model.lifecycle import sources
from lambdas.saas.model.status import Observation, Phase, StackRef

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
    bound = {name: plain(value) for name, value in (values or {}).items()}
    conditions = [f"( {condition} )"] if condition else []
    if isinstance(phase := attributes.get("phase"), Phase):
        names = [f"before{index}" for index, _ in enumerate(sources(phase))]
        bound |= dict(zip(names, map(str, sources(phase)), strict=True))
        allowed = ", ".join(f":{name}" for name in names)
        conditions.append(f"( attribute_not_exists( #phase ) OR #phase IN ( {allowed} ) )")
    return {
        "sets": {**{name: plain(value) for name, value in attributes.items()}, "updated_at": stamp(now)},
        "condition": " AND ".join(conditions),
        "values": bound,
    }


def seen_facts(seen: Observation) -> dict[str, Any]:
    """What a look at the pipeline has seen, as it is written beside the phase."""
    facts: dict[str, Any] = {"execution_id": seen.execution_id, "execution_url": seen.execution_url}
    if seen.revision:
        facts["revision_deployed"] = seen.revision
    if seen.stacks:
        facts["component_stacks"] = seen.stacks
    if seen.further is not None:
        facts["further_stacks"] = seen.further
    return facts


def stacks_are(stacks: ComponentStacks, when: str) -> tuple[str, dict[str, tuple[StackRef, ...]]]:
    """The condition, and its values, that no look at the pipeline has found others; `when` keeps two such apart."""
    conditions: list[str] = []
    values: dict[str, tuple[StackRef, ...]] = {}
    for name, refs in stacks.attributes().items():
        same = f"#{name} = :{when}_{name}"
        conditions.append(same if refs else f"( attribute_not_exists( #{name} ) OR {same} )")
        values[f"{when}_{name}"] = refs
    return " AND ".join(conditions), values
