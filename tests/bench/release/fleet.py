"""A fleet that was provisioned some time ago: rows as people put them, and statuses as the factory wrote them."""

from __future__ import annotations

from typing import Any

from lambdas.common.clock import stamp
from lambdas.saas.model.names import component_stack_name, pipeline_name
from lambdas.saas.model.record import DeploymentRecord, parse_row
from lambdas.saas.model.status import Phase
from lambdas.saas.model.target_policy import TargetPolicy
from tests.unit.lambdas.saas.fakes import START

HOME, ACCOUNT, REGION = "111111111111", "222222222222", "eu-west-1"
POLICY = TargetPolicy(partition="aws", regions=frozenset({REGION}), accounts=frozenset({ACCOUNT}))
# What the fleet has, and what is released to it.
OLD, NEW = "0a1b2c3d", "4e5f6a7b"
_STACK = "arn:aws:cloudformation:{region}:{account}:stack/{name}/00000000-0000-4000-8000-{number:012d}"
# So many of a hundred deployments are not taken up by a release.
_SUSPENDED, _INVALID, _NEW = 97, 98, 99


def name_of(number: int) -> str:
    """Id of a deployment, of the length that people choose."""
    return f"customer-{number:05d}"


def row(number: int, *, mixed: bool = False) -> dict[str, Any]:
    """A row with the attributes that are usual; of a `mixed` fleet some are suspended and some are not valid."""
    found: dict[str, Any] = {
        "id": name_of(number),
        "type": "silo" if number % 4 else "pool",
        "account": ACCOUNT,
        "region": REGION,
        "size": ("small", "medium", "large")[number % 3],
        "tags": {"contract": f"C-{number:06d}", "owner": "customer-success", "cost-centre": "4711"},
    }
    if mixed and number % 100 == _SUSPENDED:
        found["state"] = "suspended"
    if mixed and number % 100 == _INVALID:
        found["region"] = "Ireland"
    return found


def status_item(number: int, *, mixed: bool = False) -> dict[str, Any] | None:
    """The item of the status table; None for a row that was just put."""
    if mixed and number % 100 == _NEW:
        return None
    record = parse_row(row(number), POLICY)
    if not isinstance(record, DeploymentRecord):
        raise TypeError(f"row {number} is not valid: {record.reason}")
    phase = Phase.SUSPENDED if mixed and number % 100 == _SUSPENDED else Phase.ACTIVE
    place = {"account": record.account, "region": record.region}
    return {
        "id": record.id,
        "phase": str(phase),
        "reason": "",
        "type": record.type,
        **place,
        "wanted_digest": record.digest(),
        "applied_digest": record.digest(),
        "revision_wanted": OLD,
        "revision_deployed": OLD,
        "build_id": f"granary-provisioning:00000000-0000-4000-8000-{number:012d}",
        "execution_id": f"10000000-0000-4000-8000-{number:012d}",
        "execution_url": f"https://{REGION}.console.aws.amazon.com/codesuite/codepipeline/pipelines/"
        f"{pipeline_name(record.type, record.id)}/executions/10000000-0000-4000-8000-{number:012d}/timeline",
        "retry": False,
        "row_removed": False,
        "attempts": 1,
        "updated_at": stamp(START),
        "observed_at": stamp(START),
        "placed": {"type": record.type, **place},
        "pipeline_stack": _stack("pipeline", pipeline_name(record.type, record.id), HOME, number),
        "component_stacks": [_stack("component", component_stack_name(record.type, record.id), ACCOUNT, number)],
    }


def _stack(kind: str, name: str, account: str, number: int) -> dict[str, str]:
    stack_id = _STACK.format(region=REGION, account=account, name=name, number=number)
    return {"kind": kind, "stack_id": stack_id, "account": account, "region": REGION}
