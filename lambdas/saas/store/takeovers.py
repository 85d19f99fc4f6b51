"""Before a stack is deployed over that is nobody's: what that would change of it, and whether somebody has agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lambdas.common.clock import stamp
from lambdas.common.cloud_assembly import AssembledStack
from lambdas.common.errors import GranaryError
from lambdas.saas.model.adoption import AdoptionPlan, StackChanges, agreed, plan_of, waits_for
from lambdas.saas.model.status import StackRef

Unowned = Sequence[tuple[AssembledStack, Mapping[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What stands under the names of a tenant's component: why it must not be deployed over (with the plan, where a
    person may agree to one), or the stacks that are taken over."""

    refusal: str = ""
    plan: AdoptionPlan | None = None
    adopted: tuple[StackRef, ...] = ()


NOTHING_FOUND = Found()


class AsksChanges(Protocol):
    """Port to what a deployment would change of a stack that stands."""

    def changes(self, stack: AssembledStack, standing: Mapping[str, Any]) -> StackChanges: ...


def take_over(deployment_id: str, consent: str, unowned: Unowned, *, change_sets: AsksChanges, now: datetime) -> Found:
    """Make the plan of taking over stacks, each with how it stands, and compare it with a row's `consent`."""
    try:
        told = [change_sets.changes(stack, standing) for stack, standing in unowned]
    except GranaryError as error:
        return Found(refusal=str(error))
    plan = plan_of(told, at=stamp(now))
    if not agreed(consent, plan):
        names = [f"stack {one.name} in {one.region}" for one in told]
        return Found(refusal=waits_for(deployment_id, consent, plan, names), plan=plan)
    return Found(adopted=tuple(map(_ref, told)))


def _ref(one: StackChanges) -> StackRef:
    return StackRef(kind="component", stack_id=one.stack_id, account=one.account, region=one.region)
