"""Whether a task that a pipeline asks for is run; pure."""

from __future__ import annotations

from dataclasses import dataclass

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
    if status is None or status.placed_type != asked.type:
        return f"there is no {asked.type} {asked.deployment}"
    wished = [(status.account, status.region), (status.account, status.standby_region)]
    if (asked.account, asked.region) not in (*status.places, *wished):
        return f"{asked.deployment} does not stand in account {asked.account} in {asked.region}"
    name = f"{asked.type}-{asked.deployment}-"
    if not (asked.stack.startswith(name) and asked.of.startswith(name)):
        return f"stacks {asked.stack} and {asked.of} are not {asked.deployment}'s"
    return ""


def why_not(status: Status | None, execution: Execution) -> str:
    """Tell why a task is not run: tasks are of what a deployment goes to, and of no way back; empty when it is."""
    if execution.rollback:
        return "CodePipeline rolls the stage back"
    if status and status.release_outcome == Outcome.ROLLING_BACK and execution.revision == status.revision_wanted:
        return f"the release takes {status.id} back to {status.revision_wanted}"
    return ""
