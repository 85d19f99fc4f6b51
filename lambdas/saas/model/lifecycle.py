"""A deployment's whole life: which phase may follow which, and who has to act on a row; pure.

The table is enforced by conditional writes (`status_writes`): whatever comes late, twice or out of order cannot lead a
deployment where it must not go.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from lambdas.saas.model.component_stacks import left_behind
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, Wanted, in_words
from lambdas.saas.model.status import Phase, Status

# Nothing is deployed, and nothing is known to be left.
ENDED = frozenset({Phase.RETIRED, Phase.RETIRED_WITH_WARNINGS})
# What a look at the pipeline may not change: these tell what comes next, or that the pipeline is out of use.
NOT_THE_PIPELINES = frozenset({Phase.INVALID, Phase.PENDING, Phase.SUSPENDED, Phase.RETIRING, Phase.MOVING, *ENDED})

# Where a build may lead or take up a deployment; a phase may always be written again.
_ALIVE = frozenset({Phase.PENDING, Phase.PROVISIONING, Phase.ACTIVE, Phase.UPDATING, Phase.FAILED, Phase.INVALID})
_ANYWHERE = _ALIVE | {Phase.MOVING, Phase.SUSPENDED, Phase.RETIRING}
TRANSITIONS: Mapping[Phase, frozenset[Phase]] = {
    Phase.PENDING: _ANYWHERE - {Phase.ACTIVE, Phase.UPDATING},
    Phase.PROVISIONING: _ANYWHERE,
    Phase.ACTIVE: _ANYWHERE,
    Phase.UPDATING: _ANYWHERE,
    Phase.FAILED: _ANYWHERE,
    Phase.INVALID: _ANYWHERE,
    # A move that failed may be tried again, or given up by putting the old place back into the row.
    Phase.MOVING: _ANYWHERE - {Phase.UPDATING, Phase.SUSPENDED},
    # Brought back as its pipeline stands; a row that has changed meanwhile is then taken up like any other.
    Phase.SUSPENDED: frozenset({Phase.ACTIVE, Phase.UPDATING, Phase.FAILED, Phase.RETIRING}),
    # Only within the grace period may a deployment come back.
    Phase.RETIRING: ENDED | {Phase.ACTIVE, Phase.UPDATING, Phase.FAILED, Phase.SUSPENDED},
    # The end. The id is free again when the tombstone is gone, and whoever puts a new row removes it.
    Phase.RETIRED: frozenset(),
    Phase.RETIRED_WITH_WARNINGS: frozenset(),
}


def allowed(before: Phase | None, after: Phase) -> bool:
    """Whether a deployment may go from one phase to another; None is a deployment that is not known yet."""
    return before is None or before is after or after in TRANSITIONS[before]


def sources(after: Phase) -> list[Phase]:
    """The phases from which a deployment may come to be in `after`, itself among them."""
    return [before for before in Phase if allowed(before, after)]


class Course(StrEnum):
    """Who has to act on a valid row."""

    PROVISION = "provision"  # builds, if what is applied is not what is wished for
    LIFECYCLE = "lifecycle"  # the lifecycle machine: suspend, bring back, retire
    NOTHING = "nothing"


def course(wish: DeploymentRecord, status: Status | None) -> Course:
    """Tell who has to act, from the row and what is known of the deployment."""
    phase = status.phase if status else None
    if wish.state == Wanted.RETIRED:
        return Course.NOTHING if phase in ENDED else Course.LIFECYCLE
    if wish.state == Wanted.SUSPENDED:
        # A deployment that was retired is not brought to life to be suspended.
        nothing = phase in ENDED or (status and phase is Phase.SUSPENDED and not row_was_amiss(status))
        return Course.NOTHING if nothing else Course.LIFECYCLE
    machines = status and (stands_still(status) or is_elsewhere(wish.revision, status))
    return Course.LIFECYCLE if machines else Course.PROVISION


def row_was_amiss(status: Status) -> bool:
    """Whether the reason tells what was wrong with the row: of one that is valid, it is to be written anew."""
    return bool(status.row_problem) or status.row_removed


def retirement_failed(status: Status) -> bool:
    """Whether the deployment was being retired, and that failed: it goes on, or its row brings it back."""
    return status.phase is Phase.FAILED and bool(status.retire_after)


def ends(status: Status) -> bool:
    """Whether the deployment is on its way out, though that may have failed for now."""
    return status.phase is Phase.RETIRING or retirement_failed(status)


def pipeline_failed(status: Status) -> bool:
    """Whether an execution of the pipeline has failed the deployment, and not a build, or its retirement."""
    return status.phase is Phase.FAILED and bool(status.execution_id) and not (status.retry or status.retire_after)


def stands_still(status: Status) -> bool:
    """Whether the pipeline is out of use, and only the lifecycle machine puts it to use again."""
    return status.phase is Phase.SUSPENDED or ends(status)


def is_elsewhere(pin: str, status: Status) -> bool:
    """Whether a deployment that stands is to be placed at the release that its row pins (empty: at none).

    It was not yet, or somebody has moved it since. One that failed there has a reason, and waits for a person.
    """
    if not pin or not status.revision_deployed or status.pipeline_stack is None:
        return False
    if status.phase not in (Phase.ACTIVE, Phase.FAILED, Phase.INVALID):
        return False  # somebody is at work on it, or will be
    return status.pinned != pin or (status.phase is Phase.ACTIVE and status.revision_deployed != pin)


def waits(wish: DeploymentRecord, status: Status) -> bool:
    """Whether the status says already that the row, as it is, waits for a build."""
    told = status.phase is Phase.PENDING and status.wanted_digest == wish.digest()
    return told and not (status.claimed_by or status.row_removed or status.retry)


def moves(wish: DeploymentRecord, status: Status | None) -> bool:
    """Whether the row asks for other places than the component stands in."""
    places = status.places if status and status.phase not in ENDED else ()
    return places not in ((), wish.places)


def change_problem(wish: DeploymentRecord, status: Status | None) -> str | None:
    """Tell why a valid row asks for a change that is not made, and what to do; None when it may be made."""
    if status is None or status.phase in ENDED or not status.placed or wish.state == Wanted.RETIRED:
        return None
    before = status.placed_type
    if before != wish.type and ends(status):
        return (
            f"the {before} {wish.id} is being retired, and the {wish.type} is built when that is over; "
            f"to keep it, put {before} back"
        )
    if before != wish.type:
        return (
            f"type cannot change from {before} to {wish.type}: names are made of it; put {before} back, "
            "or retire the deployment and put another id"
        )
    if moves(wish, status) and not wish.allow_move:
        leaves = set(status.places) - set(wish.places)
        what = "a move, which leaves its data behind" if leaves else "a change of place"
        back = "place" if len(status.placed) == 1 else "places"
        return (
            f"the component stands in {in_words(status.places)}, and the row names {in_words(wish.places)}: that is "
            f'{what}; put the old {back} back, or add "allow_move": {{"BOOL": true}}'
        )
    return None


def checked(wish: DeploymentRecord | InvalidRow, status: Status | None) -> DeploymentRecord | InvalidRow:
    """The row as what is known of the deployment allows it: `change_problem` makes it an invalid one.

    A row of another type is not about what is being retired: that goes on to its end, as it does without a row.
    """
    if isinstance(wish, InvalidRow):
        return wish
    problem = change_problem(wish, status)
    if not problem:
        return wish
    other = status is not None and ends(status) and bool(status.placed) and status.placed_type != wish.type
    return InvalidRow(id=wish.id, reasons=(problem,), state=Wanted.RETIRED.value if other else "")


def moved(status: Status) -> bool:
    """Whether a move has deployed the new place, so that what it has left behind can go.

    It may have failed on its way, and a release or another execution have brought the component there.
    """
    return status.phase in (Phase.MOVING, Phase.ACTIVE) and bool(status.component_stacks and left_behind(status))
