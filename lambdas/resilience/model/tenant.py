"""An item of the room's table: the attempt that holds a tenant, and those of before; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from lambdas.common.clock import Stamp
from lambdas.common.versioned_json import Text
from lambdas.resilience.model.attempt import Attempt, Step, passing

# The index of the tenants that an attempt holds, by the attribute of its name; and what that is then.
INDEX, OPEN = "open", "yes"
_REMEMBERED = 20
_REASON = 300


@dataclass(frozen=True, kw_only=True)
class Past(Text):
    """An attempt that has ended, or an outline of one."""

    id: str
    outcome: str
    reason: str
    mode: str = ""
    experiment: str = ""
    ring: str = ""
    run: str = ""
    revision: str = ""
    began: Stamp = ""
    ended: Stamp = ""

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        """The outline of an attempt."""
        return cls(
            id=attempt.id,
            outcome=attempt.outcome,
            reason=attempt.reason[:_REASON],
            mode=attempt.plan.mode.value,
            experiment=attempt.plan.experiment.name if attempt.plan.experiment else "",
            ring=attempt.ring,
            run=attempt.run,
            revision=attempt.revision,
            began=attempt.began,
            ended=attempt.since if attempt.is_over else "",
        )

    @property
    def said(self) -> str:
        """Its outcome in a sentence."""
        return f"{self.outcome}: {self.reason}"

    @property
    def passes(self) -> bool:
        """Whether the action passes."""
        return passing(self.outcome)


@dataclass(frozen=True, kw_only=True)
class Tenant(Text):
    """A tenant: one attempt at a time holds it, until that has ended; `version` counts the writes of the item."""

    id: str
    version: int = 0
    open: str = ""
    attempt: Attempt | None = None
    past: tuple[Past, ...] = ()

    def ended_before(self, attempt_id: str) -> Past | None:
        """What is remembered of an attempt that has ended."""
        return next((one for one in self.past if one.id == attempt_id), None)

    def with_attempt(self, attempt: Attempt) -> Tenant:
        """The tenant with its attempt as it stands now."""
        if attempt.step is not Step.ENDED:
            return replace(self, attempt=attempt, open=OPEN)
        return replace(self, attempt=None, open="", past=(*self.past, Past.of(attempt))[-_REMEMBERED:])
