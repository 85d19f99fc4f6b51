"""What retiring a deployment would delete and keep, in order; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from cli.saas.details import located
from lambdas.common.clock import moment, stamp
from lambdas.saas.model.component_stacks import to_delete
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.releases import tenant_key
from lambdas.saas.model.status import Phase, StackRef, Status, Unreadable, sort_out


@dataclass(frozen=True, kw_only=True)
class Retirement:
    """The plan: stacks in the order of their deletion, support stacks that stay for others, and when it begins."""

    id: str
    begins: str
    archive: str
    stacks: tuple[StackRef, ...]
    kept: tuple[StackRef, ...]
    copy: str
    over: bool = False

    def document(self) -> dict[str, object]:
        return asdict(self)

    def lines(self) -> list[str]:
        """The plan in words, a line a step."""
        if self.over:
            return [f"{self.id} is retired already: nothing would be deleted"]
        lines = [f"1. disable the pipeline of {self.id} and stop its execution", f"2. wait until {self.begins}"]
        lines.append(f"3. archive: {self.archive}")
        steps = [f"delete the {ref.kind} stack {located(ref)}" for ref in self.stacks]
        steps.append(f"delete {self.copy} in the releases bucket")
        lines += [f"{number}. {step}" for number, step in enumerate(steps, start=4)]
        return [*lines, *(f"stays, for others use it: {located(ref)}" for ref in self.kept)]


def plan_retirement(
    status: Status, others: Iterable[Status | Unreadable], *, grace: timedelta, archive: str, now: datetime
) -> Retirement:
    """Tell what would happen if the row's state became `retired` at the moment `now`.

    The component's stacks go first, and what a move has left behind with them: without its pipeline nobody could
    delete them any more. A support stack goes with its last user; what cannot be read may be one.
    """
    known, unreadable = sort_out(others)
    used = {ref.stack_id for other in known.values() if other.id != status.id for ref in other.support_stacks}
    used |= {ref.stack_id for ref in status.support_stacks if unreadable}
    pipeline = (status.pipeline_stack,) if status.pipeline_stack else ()
    support = tuple(ref for ref in status.support_stacks if ref.stack_id not in used)
    started = status.phase is Phase.RETIRING and status.retire_after
    return Retirement(
        id=status.id,
        begins=stamp(moment(status.retire_after) if started else now + grace),
        archive=_ARCHIVES.get(archive, archive),
        stacks=(*to_delete(status), *pipeline, *support),
        kept=tuple(ref for ref in status.support_stacks if ref.stack_id in used),
        copy=tenant_key(status.placed_type, status.id),
        over=status.phase in ENDED,
    )


_ARCHIVES = {
    "snapshot": "a backup or snapshot of everything that the component's stacks declare stateful",
    "none": "nothing (lifecycle.archive is none)",
}
