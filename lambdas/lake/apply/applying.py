"""Applying a plan: only what it says and is still needed, written down before it is done, and read back after it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.isolation import fault
from lambdas.lake.model.governance.plan import Plan, remaining
from lambdas.lake.store.changes import Changes, OutOfTimeError
from lambdas.lake.store.governance import Governance
from lambdas.lake.store.plans import Applied

logger = logging.getLogger(__name__)
_TOLD = 20


def approval_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What whoever approves a plan signs."""
    return {name: asked[name] for name in ("account", "region", "plan")}


@dataclass(frozen=True, kw_only=True)
class Applying:
    """Applies plans as the run `run`; `in_time` says whether there is time for another call."""

    governance: Governance
    run: str
    in_time: Callable[[], bool] = lambda: True

    def apply(self, digest: str, *, approved_by: str = "") -> Applied:
        """Apply a plan, or go on with it; nothing is done twice, and what is `left` another run does.

        Raises:
            GranaryError: it is stale, nobody has approved it, or another run is at work.
        """
        plans = self.governance.plans
        plan = plans.read(digest)
        if plan.approvals and not approved_by:
            raise GranaryError(f"plan {digest[:12]} has to be approved: {'; '.join(plan.approvals[:_TOLD])}")
        plans.take(self.run)
        applied = Applied(plan=digest, at=stamp(self.governance.clock()), run=self.run, approved_by=approved_by)
        try:
            applied = self._apply(plan, applied)
        except Exception as error:
            applied = replace(applied, failed=(fault(error),))
            raise
        finally:
            plans.release(applied)
        return applied

    def _apply(self, plan: Plan, applied: Applied) -> Applied:
        plans, planned = self.governance.plans, self.governance.plan()
        left = remaining(plan, planned.plan)
        plans.write_ours(planned.ours, run=self.run)
        changes = Changes(
            lakeformation=self.governance.writer(),
            catalog=self.governance.account,
            in_time=self.in_time,
            patience=self.governance.patience,
        )
        try:
            changes.apply(left)
        except OutOfTimeError:
            logger.warning("there was no time for all of plan %s: the next run goes on with it", plan.digest)
            return replace(applied, failed=tuple(changes.failed[:_TOLD]), left=len(left.lines))
        # What is read back, planned again, needs nothing more.
        planned = planned if left.empty else self.governance.plan()
        plans.write_ours(planned.ours, run=self.run)
        missing = planned.plan.lines
        for line in [*changes.failed[:_TOLD], *missing[:_TOLD]]:
            logger.error("not done: %s", line)
        return replace(applied, failed=tuple(changes.failed[:_TOLD]), left=len(missing))
