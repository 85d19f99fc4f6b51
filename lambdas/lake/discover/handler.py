"""Lambda function `lake-discover`: looks at the catalog of an account and Region, and writes a plan."""

from __future__ import annotations

from typing import Any

from lambdas.lake.model.governance.page import page
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.store.governance import Governance

# What follows takes so much; the plan and its page have all of it.
_TOLD = 20


def discover(governance: Governance) -> dict[str, Any]:
    """Plan, and keep the plan; answers what it demands, and whether the last one has demanded that `again`."""
    last = governance.plans.last()
    plan = governance.plan(last).plan.after(last)
    governance.plans.keep(plan, page(plan, governance.policy, last))
    return {
        "plan": plan.digest,
        "empty": plan.empty,
        "approvals": list(plan.approvals[:_TOLD]),
        "refused": len(plan.refused),
        "drift": len(plan.drift),
        "unseen": list(plan.unseen[:_TOLD]),
        "again": last is not None and _asks(plan) == _asks(last),
    }


def _asks(plan: Plan) -> tuple[object, ...]:
    """What people are told of a plan, once a day."""
    return plan.day, plan.approvals, plan.refused, plan.unseen


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take `account` and `region`; answer with the plan's digest, whether it is empty, and what is to be approved."""
    return discover(Governance.of(event))
