"""What is to be made of a deployment, from its row and its status; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from lambdas.saas.model.component_stacks import left_behind
from lambdas.saas.model.contract import contract_needed
from lambdas.saas.model.lifecycle import ENDED, ends, is_elsewhere, pipeline_failed, stands_still
from lambdas.saas.model.record import InvalidRow, Wanted
from lambdas.saas.model.status import Phase, Status
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.model.wishes import Refuses, wish_of


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The configuration: how long a retired deployment may come back, and what is kept of it.

    `archive` is `snapshot` or `none`, `on_row_removed` is `keep` or `retire`.
    """

    grace: timedelta
    tombstone: timedelta
    archive: str = "snapshot"
    on_row_removed: str = "keep"

    @property
    def archives(self) -> bool:
        """Whether what is stateful is kept."""
        return self.archive != "none"


class Wants(StrEnum):
    """What a row asks for."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    RETIRED = "retired"
    REMOVED = "removed"  # there is no row
    UNCLEAR = "unclear"  # the row is not to be acted on: nothing is done by it


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a row asks for and where, at which release if it pins one, and which contract that needs by itself."""

    wants: Wants
    places: tuple[tuple[str, str], ...] = ()
    revision: str = ""
    needs: int = 0


def read_wish(
    row: Mapping[str, Any] | None, policy: TargetPolicy, status: Status | None, *, now: str, refuses: Refuses
) -> Wish:
    """Read what a row asks for, as `wish_of` has it.

    That it asks for the end is clear whatever else is wrong with it: its account may be one that rows may no longer
    name.
    """
    if row is None:
        return Wish(wants=Wants.REMOVED)
    record = wish_of(row, status, policy, now=now, refuses=refuses)
    if record.state == Wanted.RETIRED:
        return Wish(wants=Wants.RETIRED)
    if isinstance(record, InvalidRow):
        return Wish(wants=Wants.UNCLEAR)
    return Wish(
        wants=Wants(record.state),
        places=record.places,
        revision=record.revision,
        needs=contract_needed(None, row),
    )


class Goal(StrEnum):
    """What is to be made of a deployment."""

    NOTHING = "nothing"
    SUSPEND = "suspend"
    BRING_BACK = "bring back"  # or to the release that its row pins
    RETIRE = "retire"
    CLEAR_UP = "clear up after the move"
    MAKE_ANEW = "make anew what never stood"


def goal(wish: Wish, status: Status | None, policy: Policy, *, counted: bool = False) -> Goal:
    """Tell what is to be made of a deployment.

    Of one whose row is gone a retirement only begins when that was `counted`: it might be one of too many.
    """
    if status is None or status.phase in ENDED:
        return Goal.NOTHING
    match wish.wants:
        case Wants.RETIRED:
            return Goal.RETIRE
        case Wants.REMOVED:
            goes_on = ends(status) or (counted and policy.on_row_removed == "retire")
            return Goal.RETIRE if goes_on else Goal.NOTHING
        case Wants.SUSPENDED:
            return _suspension(status)
        case Wants.ACTIVE:
            return _activity(wish, status)
        case _:
            return Goal.NOTHING


def _suspension(status: Status) -> Goal:
    if status.phase is Phase.MOVING:
        # A move is finished first: what it leaves behind would be forgotten.
        return Goal.CLEAR_UP
    return Goal.SUSPEND


def _activity(wish: Wish, status: Status) -> Goal:
    if stands_still(status) or is_elsewhere(wish.revision, status):
        return Goal.BRING_BACK
    placed = status.places == wish.places
    if placed and pipeline_failed(status):
        return Goal.MAKE_ANEW
    left = status.phase is Phase.MOVING or (status.phase is Phase.ACTIVE and left_behind(status))
    return Goal.CLEAR_UP if left and placed else Goal.NOTHING
