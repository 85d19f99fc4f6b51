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
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import LONGEST_CLAIM, Observation, Phase, Placement, StackRef, Status

# `:ahead` is `clock.AHEAD` from now: what somebody has written ahead of that bars no look.
NOT_OUTDATED = "( attribute_not_exists( #observed_at ) OR #observed_at <= :observed_at OR #observed_at > :ahead )"
# `Status.claimed_at`, as a condition; `status_update` binds `:never`. What has no end, or one in far times, is none.
_LIVE = "( #claim_expires_at >= :now AND #claim_expires_at <= :never )"
# What a row may say and a status repeats, when it is said.
_OPTIONAL = ("standby_region", "external_id")
UNCLAIMED = f"( attribute_not_exists( #claimed_by ) OR NOT {_LIVE} )"

# What tells of a pin that was placed: whoever moves a deployment elsewhere removes both.
PINNED = ("pinned", "pinned_at")


def write_status(client: Any, *, table: str, deployment_id: str, **what: Any) -> bool:
    """Write attributes of a status, as `status_update` takes them.

    False when the condition, or the table of transitions, did not allow it.
    """
    return dynamo.update(client, table=table, key=deployment_id, **status_update(**what))


def status_update(
    *,
    now: datetime,
    condition: str = "",
    values: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    removes: Sequence[str] = (),
    increments: Sequence[str] = (),
    **attributes: Any,
) -> dict[str, Any]:
    """What `dynamo.update_request` takes, for an update of its own or of a transaction.

    Phases, dataclasses and tuples are written as DynamoDB takes them.
    """
    bound = plain(values or {})
    conditions = [f"( {condition} )"] if condition else []
    if UNCLAIMED in condition:
        bound["never"] = stamp(now + LONGEST_CLAIM)
    if isinstance(phase := attributes.get("phase"), Phase):
        names = [f"before{index}" for index, _ in enumerate(sources(phase))]
        bound |= dict(zip(names, map(str, sources(phase)), strict=True))
        allowed = ", ".join(f":{name}" for name in names)
        conditions.append(f"( attribute_not_exists( #phase ) OR #phase IN ( {allowed} ) )")
    return {
        "sets": {**plain(attributes), "updated_at": stamp(now)},
        "condition": " AND ".join(conditions),
        "values": bound,
        "defaults": defaults,
        "removes": removes,
        "increments": increments,
    }


def wished(record: DeploymentRecord) -> dict[str, Any]:
    """What a status tells of the row that was looked at last."""
    return {
        "type": record.type,
        "account": record.account,
        "region": record.region,
        "wanted_digest": record.digest(),
        "retry": False,
        "row_removed": False,
        **_given(record),
    }


def not_wished(record: DeploymentRecord) -> tuple[str, ...]:
    """The attributes of which the row says nothing (any more)."""
    return tuple(name for name in _OPTIONAL if name not in _given(record))


def refused(revision: str, *, removes: Sequence[str]) -> dict[str, Any]:
    """What is written beside INVALID: the release whose build has called the row so, or that no build has."""
    if not revision:
        return {"removes": (*removes, "refused_by")}
    return {"removes": removes, "increments": ("attempts",), "refused_by": revision}


def _given(record: DeploymentRecord) -> dict[str, str]:
    return {name: value for name in _OPTIONAL if (value := getattr(record, name))}


def applied(record: DeploymentRecord) -> dict[str, Any]:
    """What the pipeline has been provisioned with; a tier and parameters, if the row gives any.

    One place is written alone, as it always was, several as a list. A version that knows one place only cannot read a
    list, and so does nothing: it would delete what stands in the other places.
    """
    placed = [Placement(type=record.type, account=account, region=region) for account, region in record.places]
    said = {"applied_tier": record.tier, "applied_parameters": dict(record.parameters)}
    return {
        "applied_digest": record.digest(),
        "placed": placed if len(placed) > 1 else placed[0],
        **{name: value for name, value in said.items() if value},
    }


def not_applied(record: DeploymentRecord) -> tuple[str, ...]:
    """The attributes of what it has not been provisioned with (any more)."""
    return tuple(name for name in ("applied_tier", "applied_parameters") if name not in applied(record))


def not_for_one_place(record: DeploymentRecord, before: Status | None) -> dict[str, Any]:
    """What a claim for a standby writes, so that such a version does nothing from here on; `before` stands already."""
    if not record.standby_region:
        return {}
    return {"placed": list(before.placed)} if before else {"defaults": {"placed": []}}


def seen_facts(seen: Observation) -> dict[str, Any]:
    """What a look at the pipeline has seen, as it is written beside the phase."""
    facts: dict[str, Any] = {"execution_id": seen.execution_id, "execution_url": seen.execution_url}
    if seen.revision:
        facts["revision_deployed"] = seen.revision
    if seen.stacks:
        facts["component_stacks"] = seen.stacks
    if seen.further is not None:
        facts["further_stacks"] = seen.further
    if seen.outputs is not None:
        facts["outputs"] = seen.outputs
    return facts


def stacks_unless_claimed(before: Status, after: ComponentStacks) -> tuple[str, dict[str, Any]]:
    """The condition of a build's claim, and its values: the stacks are as read, or this very claim has sorted them."""
    as_read, values = stacks_are(ComponentStacks.of(before), "read")
    as_sorted, sorted_values = stacks_are(after, "sorted")
    return f"( {as_read} ) OR ( #claimed_by = :build_id AND {as_sorted} )", {**values, **sorted_values}


def stacks_are(stacks: ComponentStacks, when: str) -> tuple[str, dict[str, tuple[StackRef, ...]]]:
    """The condition, and its values, that no look at the pipeline has found others; `when` keeps two such apart."""
    conditions: list[str] = []
    values: dict[str, tuple[StackRef, ...]] = {}
    for name, refs in stacks.attributes().items():
        same = f"#{name} = :{when}_{name}"
        conditions.append(same if refs else f"( attribute_not_exists( #{name} ) OR {same} )")
        values[f"{when}_{name}"] = refs
    return " AND ".join(conditions), values
