"""The brake on mass removal: a table that was emptied, or restored to an earlier time, is no wish of anybody; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lambdas.common.isolation import contained
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.retirable import led_somewhere
from lambdas.saas.model.status import Status
from lambdas.saas.sweep.decide import Round, retires_for_its_row

# So many may always be retired at once: of a small fleet, one is a large share.
_ALWAYS_RETIRED = 5


@dataclass(frozen=True, kw_only=True)
class Brake:
    """How many of the fleet may be retired in one round because their rows are gone; with 0 percent, nobody.

    The fleet are those of whom something may stand: rows that led to nothing, which anybody can put by thousands, make
    it no larger. `confirmed` is how many a person has said may go.
    """

    percent: int
    confirmed: int = 0

    def holds(self, rows: Collection[str], statuses: Iterable[Status], seen: Round) -> int:
        """How many would be retired if that is too many, so that nobody is; 0 when all of them may be.

        `rows` are the ids that have a row.
        """
        fleet = [status for status in statuses if status.phase not in ENDED and led_somewhere(status)]
        gone = 0
        for status in fleet:
            # At whom the program fails, the round fails as well: that one is not retired.
            with contained(f"the retirement of {status.id} could not be counted", deployment=status.id):
                gone += status.id not in rows and retires_for_its_row(status, seen)
        always = _ALWAYS_RETIRED if self.percent else 0
        allowed = max(always, len(fleet) * self.percent // 100, self.confirmed)
        return gone if gone > allowed else 0


def told(held: int) -> str:
    """What is wrong, and what to do."""
    return (
        f"the rows of {held} deployments are gone, and nobody is retired for that: it is more than "
        "lifecycle.max_removed_percent of the fleet. Put the rows back; or, if all of them are to go, confirm it with "
        f'{{"retire_removed": {held}}}: docs/saas/runbooks/stuck-tenant.md has the command, under "The row was removed"'
    )
