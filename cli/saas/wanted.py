"""Whether a deployment may be asked to be suspended, retired or active; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cli.saas.advice import Wish
from lambdas.common.clock import stamp
from lambdas.saas.model.lifecycle import ENDED
from lambdas.saas.model.record import InvalidRow, Wanted
from lambdas.saas.model.retirable import led_somewhere
from lambdas.saas.model.status import Phase, Status


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What becomes of asking: refused with a reason, already so, or to be written."""

    refused: str = ""
    already: bool = False


def ask(deployment_id: str, wish: Wish, status: Status | None, *, state: Wanted, now: datetime) -> Ask:
    """Look at the row, as `parse_row` reads it, and the status, before the row's `state` is changed."""
    if wish is None:
        return Ask(refused=f"{deployment_id} has no row: put the row back, with `state` as you want it")
    ends = state is Wanted.RETIRED and led_somewhere(status)  # what was recorded is enough
    if isinstance(wish, InvalidRow) and not ends and any(not reason.startswith("state ") for reason in wish.reasons):
        return Ask(refused=f"the row of {deployment_id} cannot be acted on, correct it first: {wish.reason}")
    if state is not Wanted.RETIRED and (refused := _over(deployment_id, status, now)):
        return Ask(refused=refused)
    return Ask(already=not isinstance(wish, InvalidRow) and wish.state == state)


def _over(deployment_id: str, status: Status | None, now: datetime) -> str:
    if status is None:
        return ""
    if status.phase in ENDED:
        return f"{deployment_id} is {status.phase}: put its row again to have it deployed anew"
    if status.phase is Phase.RETIRING and status.retire_after and status.retire_after <= stamp(now):
        return (
            f"the grace period of {deployment_id} ended at {status.retire_after}, its stacks are being deleted: "
            "wait until it is RETIRED, then put its row again"
        )
    return ""
