"""What a step of the lifecycle knows: the facts that were read, and what its machine remembers; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.common.stack_states import IN_REVIEW
from lambdas.common.versioned_json import read
from lambdas.saas.model.component_stacks import ComponentStacks, to_delete
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.releases import Release
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import StackRef, Status

GONE = "DELETE_COMPLETE"


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A tenant's pipeline: `gate` is the stage after Source, whose transition is disabled when it is out of use.

    `newest` is the status of the newest execution, empty when there is none.
    """

    exists: bool = True
    gate: str = ""
    enabled: bool = True
    running: tuple[str, ...] = ()
    stopping: bool = False
    newest: str = ""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack as CloudFormation has it; `problem` says why it cannot be reached, `failure` why it failed last."""

    ref: StackRef
    status: str = GONE
    stateful: tuple[Stateful, ...] = ()
    failure: str = ""
    problem: str = ""

    @property
    def gone(self) -> bool:
        """Whether there is no such stack (any more)."""
        return self.status == GONE and not self.problem

    @property
    def busy(self) -> bool:
        """Whether an operation is under way; a stack in review only waits for one."""
        return self.status.endswith("_IN_PROGRESS") and self.status != IN_REVIEW


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that was read for one step; stacks in the order in which they are to be deleted, None: not looked at.

    `release` is what a deployment that is brought back gets (None: it stays as it is), `pin` the revision that its row
    pins, and `behind` says that this is not what is deployed.
    """

    pipeline: Pipeline
    components: tuple[Stack, ...] | None = None
    pipeline_stacks: tuple[Stack, ...] | None = None
    support: tuple[Stack, ...] | None = None
    release: Release | None = None
    pin: str = ""
    behind: bool = False


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What a machine remembers from step to step.

    `tries` counts its waits for what cannot be reached, `asked` are the ids of stacks that it had deleted, `announced`
    says that the grace period is its to wait for, and `counted` that the sweep has started it for a row that is gone:
    no other machine begins a retirement for that.
    """

    tries: int = 0
    announced: bool = False
    counted: bool = False
    asked: frozenset[str] = field(default=frozenset())

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Memory:
        """Read what `to_event` wrote; a machine that begins remembers nothing."""
        return read(cls, event)

    def to_event(self) -> dict[str, Any]:
        """Write the memory for the machine's state."""
        facts = {"tries": self.tries, "announced": self.announced, "asked": sorted(self.asked)}
        return {**facts, "counted": True} if self.counted else facts

    def after_deletion(self, ref: StackRef) -> Memory:
        """Remember that a stack was asked to be deleted."""
        return replace(self, asked=self.asked | {ref.stack_id})


def warning_of(ref: StackRef) -> str:
    """How a warning about a stack begins."""
    return f"stack {ref.stack_id} in account {ref.account}, {ref.region} was not deleted: "


def warned(ref: StackRef, status: Status) -> bool:
    """Whether a stack was given up, and is named in the warnings."""
    return any(warning.startswith(warning_of(ref)) for warning in status.warnings)


def may_have_left(status: Status) -> bool:
    """Whether anybody has made something for the deployment: only then is there anything to lose."""
    recorded = status.pipeline_stack or ComponentStacks.of(status).all()
    return bool(recorded or status.build_id or status.observed_at)


def pipeline_stack_of(status: Status, *, account: str, region: str) -> tuple[StackRef, ...]:
    """The stack of a deployment's pipeline; a build that died may have made one that was never recorded."""
    if status.pipeline_stack:
        return (status.pipeline_stack,)
    kind = status.placed_type
    if not kind or not (status.build_id or status.observed_at):
        return ()
    return (StackRef(kind="pipeline", stack_id=pipeline_name(kind, status.id), account=account, region=region),)


def warnings_elsewhere(status: Status) -> tuple[str, ...]:
    """The warnings about stacks that are not recorded any more: a move has left them, and no retirement finds them."""
    recorded = (*to_delete(status), *status.support_stacks, *filter(None, (status.pipeline_stack,)))
    return tuple(
        warning for warning in status.warnings if not any(warning.startswith(warning_of(ref)) for ref in recorded)
    )
