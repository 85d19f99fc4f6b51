"""The brake on mass removal: a table that was emptied, or restored to an earlier time, is no wish of anybody; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from lambdas.common.clock import stamp
from lambdas.common.isolation import contained
from lambdas.saas.model.lifecycle import ENDED, ends
from lambdas.saas.model.retirable import led_somewhere
from lambdas.saas.model.status import Status
from lambdas.saas.sweep.decide import Round, retires_for_its_row

# So many may always be retired: of a small fleet, one is a large share.
_ALWAYS_RETIRED = 5
# Rows that go one after the other are as many as those that go at once.
_WINDOW = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Brake:
    """How many of the fleet may be retired within a day because their rows are gone; with 0 percent, nobody.

    The fleet are those of whom something may stand, or did that day: rows that led to nothing, which anybody can put by
    thousands, make it no larger. `confirmed` is how many a person has said may go now.
    """

    percent: int
    confirmed: int = 0

    def holds(self, rows: Collection[str], statuses: Iterable[Status], seen: Round) -> int:
        """How many would be retired if that is too many, so that nobody is; 0 when all of them may be.

        `rows` are the ids that have a row.
        """
        lately = stamp(seen.now - _WINDOW)
        known = filter(led_somewhere, statuses)
        fleet = [status for status in known if status.phase not in ENDED or status.removed_at > lately]
        gone = begun = 0
        for status in (one for one in fleet if one.id not in rows):
            # At whom the program fails, the round fails as well: that one is not retired.
            with contained(f"the retirement of {status.id} could not be counted", deployment=status.id):
                gone += retires_for_its_row(status, seen)
                begun += status.removed_at > lately and (ends(status) or status.phase in ENDED)
        always = _ALWAYS_RETIRED if self.percent else 0
        allowed = max(always, len(fleet) * self.percent // 100)
        return gone if gone + begun > allowed and gone > self.confirmed else 0


def told(held: int) -> str:
    """What is wrong, and what to do."""
    return (
        f"the rows of {held} deployments are gone, and nobody is retired for that: with those whose retirement began "
        "within a day, it is more than lifecycle.max_removed_percent of the fleet. Put the rows back; or, if all of "
        f'them are to go, confirm it with {{"retire_removed": {held}}}: docs/saas/runbooks/stuck-tenant.md has the '
        'command, under "The row was removed"'
    )
