"""What rows wish for: a row that the program itself fails at leaves everybody else's as they are; pure."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lambdas.common.isolation import fault
from lambdas.common.log import about
from lambdas.saas.model.contract import contract_needed
from lambdas.saas.model.lifecycle import ENDED, checked
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, Wanted, name_of, parse_row, pin_of
from lambdas.saas.model.status import Phase, Status, Unreadable
from lambdas.saas.model.target_policy import TargetPolicy

logger = logging.getLogger(__name__)

Wishes = dict[str, DeploymentRecord | InvalidRow]
# Why no deployment may be placed at a release, by its revision and the contract that is needed; empty when one may.
Refuses = Callable[[str, int], str]


def no_refusal(_revision: str, _needs: int) -> str:
    """For who places nobody: to releases, a pin only says whom they leave alone."""
    return ""


def wish_of(
    row: Mapping[str, Any], status: Status | None, policy: TargetPolicy, *, now: str, refuses: Refuses
) -> DeploymentRecord | InvalidRow:
    """What a row wishes for at the moment `now` (a stamp), as what is known of the deployment allows it.

    A pin whose release is refused makes it invalid, beside whatever else is wrong with it. What was placed at its
    release stays: a verdict that has expired since moves nobody.
    """
    wish, pin = checked(parse_row(row, policy, now=now), status), pin_of(row, now)
    if not pin or wish.state not in ("", Wanted.ACTIVE) or _was_placed(pin, status):
        return wish
    why = refuses(pin, contract_needed(status, row))
    if not why:
        return wish
    reasons = wish.reasons if isinstance(wish, InvalidRow) else ()
    return InvalidRow(id=wish.id, reasons=(*reasons, why), state=wish.state)


def _was_placed(pin: str, status: Status | None) -> bool:
    if status is None or status.phase in ENDED or status.pinned != pin:
        return False
    return status.phase is not Phase.ACTIVE or status.revision_deployed == pin


def read_wishes(
    rows: Iterable[Mapping[str, Any]],
    statuses: Mapping[str, Status],
    policy: TargetPolicy,
    *,
    now: str,
    refuses: Refuses = no_refusal,
) -> tuple[Wishes, dict[str, Unreadable]]:
    """All rows by id, as `wish_of` has them, and apart from them what nobody can read."""
    wishes: Wishes = {}
    unreadable: dict[str, Unreadable] = {}
    for row in rows:
        name = name_of(row)
        try:
            wishes[name] = wish_of(row, statuses.get(name), policy, now=now, refuses=refuses)
        except Exception as error:
            with about(deployment=name):
                logger.exception("the row of %s could not be read", name)
            unreadable[name] = Unreadable(id=name, why=fault(error), fault=True)
    return wishes, unreadable
