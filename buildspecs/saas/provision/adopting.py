"""Before a pipeline is made: which stacks it would take over, and whether somebody has agreed to that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from buildspecs.saas.provision.strangers import Strangers
from lambdas.common.cloud_assembly import AssembledStack, stacks_of_pipeline
from lambdas.saas.model.names import component_stack_name, pipeline_name
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.store.takeovers import AsksChanges, Found, take_over


@dataclass(frozen=True, kw_only=True)
class Adopting:
    """Looks at all stacks of a component, which only an assembly knows."""

    strangers: Strangers
    change_sets: AsksChanges
    clock: Callable[[], datetime]

    def __call__(self, record: DeploymentRecord, assembly: Path, *, moving: bool) -> Found:
        """Look, for a deployment without a pipeline, or for one that is `moving`, in the record's places."""
        its = stacks_of_pipeline(pipeline_name(record.type, record.id), assembly)
        here = [stack for stack in its if stack.place in record.places and self._is_unseen(record, stack)]
        found = self.strangers.unowned(record, here, moving=moving)
        if found.refusal or not found.unowned:
            return Found(refusal=found.refusal)
        consent, now = record.allow_adopt, self.clock()
        return take_over(record.id, consent, found.unowned, change_sets=self.change_sets, now=now)

    def _is_unseen(self, record: DeploymentRecord, stack: AssembledStack) -> bool:
        """Whether the pre-flight has not refused it by its name already."""
        return bool(record.allow_adopt) or stack.name != component_stack_name(record.type, record.id)
