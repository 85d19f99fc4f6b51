"""Lambda function `lake-discover`: looks at the catalog of an account and Region, and writes a plan."""

from __future__ import annotations

from typing import Any

from lambdas.lake.model.governance.page import page
from lambdas.lake.store.governance import Governance

# What follows takes so much; the plan and its page have all of it.
_TOLD = 20


def discover(governance: Governance) -> dict[str, Any]:
    """Plan, and keep the plan; answers what it demands."""
    last = governance.plans.last()
    plan = governance.plan(last).plan
    governance.plans.keep(plan, page(plan, governance.policy, last))
    return {
        "plan": plan.digest,
        "empty": plan.empty,
        "approvals": list(plan.approvals[:_TOLD]),
        "refused": len(plan.refused),
        "drift": len(plan.drift),
        "unseen": list(plan.unseen[:_TOLD]),
    }


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take `account` and `region`; answer with the plan's digest, whether it is empty, and what is to be approved."""
    return discover(Governance.of(event))
