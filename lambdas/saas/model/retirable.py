"""What is retired by what was recorded of it alone: its row is gone, or cannot be acted on any more; pure."""

from __future__ import annotations

from lambdas.saas.model.record import InvalidRow, Wanted
from lambdas.saas.model.status import Phase, Status


def led_somewhere(status: Status | None) -> bool:
    """Whether something may be left of a row: a build has taken it up, or its pipeline was seen.

    `StatusTable.removed` deletes the status of a row that led to nothing, by the same rule.
    """
    if status is None:
        return False
    suspended_at_once = status.phase is Phase.SUSPENDED and not status.applied_digest
    never = status.phase in (Phase.INVALID, Phase.PENDING) or suspended_at_once
    return not never or bool(status.build_id or status.observed_at)


def retires(wish: InvalidRow, status: Status | None) -> bool:
    """Whether a row that cannot be acted on asks for the end of something: its account may have left the configuration.

    It goes on asking when that has ended: saying that the row is invalid would take the tombstone away, and the end
    would begin anew.
    """
    return wish.state == Wanted.RETIRED and led_somewhere(status)
