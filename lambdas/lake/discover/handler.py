"""Lambda function `lake-discover`: looks at the catalog of an account and Region, and writes a plan, or a report."""

from __future__ import annotations

from functools import partial
from typing import Any

from lambdas.lake.model.governance.notices import report_notice
from lambdas.lake.model.governance.page import page
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.model.governance.report import AppliedPlan, Report, expiring, month_before, readers
from lambdas.lake.store.governance import Governance
from lambdas.lake.store.plans import Applied
from lambdas.lake.store.reports import Reports
from lambdas.lake.store.uncollected import uncollected

# What follows takes so much; the plan and its page have all of it.
_TOLD = 20
_LAST = "last"


def discover(governance: Governance) -> dict[str, Any]:
    """Plan, and keep the plan; answers what it demands, and whether the last one has demanded that `again`."""
    last = governance.plans.last()
    plan = governance.plan(last).plan.after(last)
    if governance.findings and (last is None or _drift(plan) != _drift(last)):
        governance.findings.put(plan, now=governance.clock())
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


def _drift(plan: Plan) -> tuple[object, ...]:
    """What is reported of a plan, once a day."""
    return plan.day, plan.drift, plan.unseen


def report(governance: Governance, month: str) -> dict[str, Any]:
    """Write the report of a month, or of the last one; answers with the notice. One that was made stays as it is."""
    plans, today = governance.plans, governance.today
    month = month_before(today) if month == _LAST else month
    reports = Reports(s3=plans.s3, bucket=plans.bucket, place=plans.place)
    made = reports.read(month)
    if made is None:
        seen = governance.observe()
        made = Report(
            catalog=governance.account,
            region=governance.region,
            month=month,
            day=today,
            applied=tuple(map(partial(_applied, governance), plans.applied(month))),
            readers=readers(governance.policy, seen, partition=governance.partition, today=today),
            expiring=expiring(governance.policy, today=today),
            unsigned=tuple(name for name, signed in reports.months() if name < month and not signed),
            unseen=seen.unseen,
        )
    reports.keep(made)
    return report_notice(made, bucket=plans.bucket)


def _applied(governance: Governance, one: Applied) -> AppliedPlan:
    outcome = f"FAILED: {one.failed[0]}" if one.failed else f"{one.left} steps left" if one.left else "applied"
    changes = governance.plans.read(one.plan).changes
    return AppliedPlan(plan=one.plan, at=one.at, approved_by=one.approved_by, outcome=outcome, changes=changes)


@uncollected()
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take `account` and `region`; answer with the plan's digest, whether it is empty, and what is to be approved.

    With `report`, a month (`2026-11`) or `last`, answer with what people are told of its report.
    """
    governance = Governance.of(event)
    return report(governance, event["report"]) if "report" in event else discover(governance)
