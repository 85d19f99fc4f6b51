"""Tasks after which nothing leads back: what is kept of them, and what that forbids; pure."""

from __future__ import annotations

from lambdas.saas.model.next_steps import FORWARD_ONLY
from lambdas.saas.model.status import ForwardOnly, Status
from lambdas.saas.model.tasks import Asked


def mark(status: Status, asked: Asked, *, revision: str) -> ForwardOnly:
    """What is kept when such a task has succeeded in an execution of a revision.

    One of the revision that is deployed already leaves what earlier ones have said of the way back.
    """
    earlier = status.forward_only.before if status.forward_only else ""
    before = earlier if revision == status.revision_deployed else status.revision_deployed
    return ForwardOnly(task=asked.label, execution=asked.execution, revision=revision, before=before)


def no_way_back(status: Status, before: str) -> str:
    """Tell why a deployment may not be moved back to a revision; empty when nothing forbids it."""
    kept = status.forward_only
    if kept is None or not before or kept.before != before:
        return ""
    return f"{kept.task} of release {kept.revision} {FORWARD_ONLY}: push a release that goes forward"


def and_not_back(status: Status, reason: str, execution: str) -> str:
    """The reason of an execution that failed, and, if such a task had run in it, that it is not rolled back."""
    kept = status.forward_only
    if kept is None or kept.execution != execution or not execution:
        return reason
    return f"{reason}; not rolled back: {kept.task} {FORWARD_ONLY}: push a release that goes forward"
