"""What a provisioning build does about one deployment, from its row and its status; pure."""

from __future__ import annotations

from enum import StrEnum

from lambdas.common.record import DeploymentRecord, InvalidRow
from lambdas.common.status import Phase, Status

_SETTLED = frozenset({Phase.PROVISIONING, Phase.ACTIVE, Phase.UPDATING})


class Step(StrEnum):
    """What to do next."""

    PROVISION = "provision"
    SAY_INVALID = "say invalid"
    SAY_REMOVED = "say removed"
    SKIP = "skip"


def decide(wish: DeploymentRecord | InvalidRow | None, status: Status | None) -> Step:
    """Compare the row, read just now, with what was applied last."""
    if wish is None:
        return Step.SAY_REMOVED if status else Step.SKIP
    if isinstance(wish, InvalidRow):
        return Step.SAY_INVALID
    if status is None or status.row_removed or status.claimed_by:
        return Step.PROVISION  # a claim is refused while its build lives; of a dead build's work nothing is known
    settled = status.phase in _SETTLED and status.applied_digest == wish.digest()
    return Step.SKIP if settled else Step.PROVISION
