"""Lambda function `lake-discover`: looks at the catalog of an account and Region, and writes a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.settings import Document, read_settings
from lambdas.lake.model.governance.page import page
from lambdas.lake.model.governance.policy import Policy
from lambdas.lake.store.governance import Governance
from lambdas.lake.store.plans import Plans


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed; `permissions` is the file, as JSON."""

    governance_table: str
    plans_bucket: str
    permissions: Document


def discover(governance: Governance) -> dict[str, Any]:
    """Plan, and keep the plan; answers what it demands."""
    last = governance.plans.last()
    plan = governance.plan(last).plan
    governance.plans.keep(plan, page(plan, governance.policy, last))
    return {
        "plan": plan.digest,
        "empty": plan.empty,
        "approvals": list(plan.approvals),
        "refused": len(plan.refused),
        "drift": len(plan.drift),
        "unseen": list(plan.unseen),
    }


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take `account` and `region`; answer with the plan's digest, whether it is empty, and what is to be approved."""
    settings = read_settings(Settings)
    account, region = event["account"], event["region"]
    plans = Plans(
        s3=client("s3"),
        dynamodb=client("dynamodb"),
        bucket=settings.plans_bucket,
        table=settings.governance_table,
        place=f"{account}/{region}",
        clock=clock.now,
    )
    return discover(
        Governance(
            policy=Policy.from_json(settings.permissions),
            account=account,
            region=region,
            sts=client("sts"),
            plans=plans,
            clock=clock.now,
        )
    )
