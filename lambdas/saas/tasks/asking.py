"""Whether a task that a pipeline asks for is run; pure."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.saas.model.asking import refusal as why_not_asked
from lambdas.saas.model.status import Outcome, Status
from lambdas.saas.model.tasks import Asked


@dataclass(frozen=True, kw_only=True)
class Execution:
    """An execution of a tenant's pipeline, as CodePipeline knows it; `over` is its state if no job of it is waited for.

    One that has failed may be retried.
    """

    revision: str = ""
    rollback: bool = False
    over: str = ""


def refusal(asked: Asked, status: Status | None) -> str:
    """Tell why a pipeline may not ask for this: it is none of the tenant's; empty when it may."""
    return why_not_asked(
        status,
        deployment=asked.deployment,
        kind=asked.type,
        place=(asked.account, asked.region),
        stacks=(asked.stack, asked.of),
    )


def why_not(status: Status | None, execution: Execution) -> str:
    """Tell why a task is not run: tasks are of what a deployment goes to, and of no way back; empty when it is."""
    if execution.rollback:
        return "CodePipeline rolls the stage back"
    if status and status.release_outcome == Outcome.ROLLING_BACK and execution.revision == status.revision_wanted:
        return f"the release takes {status.id} back to {status.revision_wanted}"
    return ""
