"""Before a pipeline is made: which stacks it would take over, and whether somebody has agreed to that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from buildspecs.saas.provision.strangers import Strangers
from lambdas.common.clock import stamp
from lambdas.common.cloud_assembly import AssembledStack, stacks_in, stages_in
from lambdas.common.errors import GranaryError
from lambdas.saas.model.adoption import AdoptionPlan, StackChanges, agreed, plan_of, waits_for
from lambdas.saas.model.names import component_stack_name, pipeline_name
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import StackRef


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


@dataclass(frozen=True, kw_only=True)
class Adopting:
    """Looks at all stacks of a component, which only an assembly knows."""

    strangers: Strangers
    change_sets: AsksChanges
    clock: Callable[[], datetime]

    def __call__(self, record: DeploymentRecord, assembly: Path, *, moving: bool) -> Found:
        """Look, for a deployment without a pipeline, or for one that is `moving`, in the record's places."""
        its = component_of(pipeline_name(record.type, record.id), assembly)
        here = [stack for stack in its if stack.place in record.places and self._is_unseen(record, stack)]
        found = self.strangers.unowned(record, here, moving=moving)
        if found.refusal or not found.unowned:
            return Found(refusal=found.refusal)
        try:
            told = [self.change_sets.changes(stack, standing) for stack, standing in found.unowned]
        except GranaryError as error:
            return Found(refusal=str(error))
        plan = plan_of(told, at=stamp(self.clock()))
        if not agreed(record.allow_adopt, plan):
            names = [f"stack {one.name} in {one.region}" for one in told]
            return Found(refusal=waits_for(record.id, record.allow_adopt, plan, names), plan=plan)
        return Found(adopted=tuple(map(_ref, told)))

    def _is_unseen(self, record: DeploymentRecord, stack: AssembledStack) -> bool:
        """Whether the pre-flight has not refused it by its name already."""
        return bool(record.allow_adopt) or stack.name != component_stack_name(record.type, record.id)


def component_of(pipeline: str, assembly: Path) -> tuple[AssembledStack, ...]:
    """The stacks in the stages of one pipeline, in the order in which the assembly has them."""
    ours = (folder for path, folder in stages_in(assembly) if path.startswith(f"{pipeline}/"))
    return tuple(stack for folder in ours for stack in stacks_in(folder))


def _ref(one: StackChanges) -> StackRef:
    return StackRef(kind="component", stack_id=one.stack_id, account=one.account, region=one.region)
