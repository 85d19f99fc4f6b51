"""What a provisioning build does about one deployment, from its row and its status; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lambdas.saas.model.component_stacks import ComponentStacks, by_name
from lambdas.saas.model.lifecycle import ENDED, Course, course, moves
from lambdas.saas.model.record import DeploymentRecord, InvalidRow
from lambdas.saas.model.status import Phase, StackRef, Status

_SETTLED = frozenset({Phase.PROVISIONING, Phase.ACTIVE, Phase.UPDATING, Phase.MOVING})


class Step(StrEnum):
    """What to do next."""

    PROVISION = "provision"
    SAY_INVALID = "say invalid"
    SAY_REMOVED = "say removed"
    SKIP = "skip"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A deployment that the build has claimed.

    `new` has no pipeline, so it counts towards quotas; of one that is `moving` its component does, which nothing stands
    of in the row's place. `fresh` has never deployed a revision, so nothing is lost when its copy of the release is
    replaced. `component` are the stacks that its component was deployed in, in the row's place; where the status knows
    none, because it was lost itself, the one that bears its name.
    """

    record: DeploymentRecord
    new: bool = True
    moving: bool = False
    fresh: bool = True
    component: tuple[StackRef, ...] = ()


def decide(wish: DeploymentRecord | InvalidRow | None, status: Status | None) -> Step:
    """Compare the row, read just now, with what was applied last."""
    if wish is None:
        return Step.SAY_REMOVED if status else Step.SKIP
    if isinstance(wish, InvalidRow):
        return Step.SAY_INVALID
    if course(wish, status) is not Course.PROVISION:
        return Step.SKIP  # suspending, bringing back and retiring are the lifecycle machine's
    if status is None or status.phase in ENDED or status.row_removed or status.claimed_by:
        return Step.PROVISION  # a claim is refused while its holder lives; of a dead build's work nothing is known
    settled = status.phase in _SETTLED and status.applied_digest == wish.digest()
    return Step.SKIP if settled else Step.PROVISION


def job(record: DeploymentRecord, status: Status | None) -> Job:
    """What is known, at the claim, of a deployment that is to be provisioned."""
    named = (by_name(record.type, record.id, account=record.account, region=record.region),)
    known = status if status and status.phase not in ENDED else None
    if known is None:
        return Job(record=record, component=named)
    new, place = known.pipeline_stack is None, (record.account, record.region)
    stands = any((ref.account, ref.region) == place for ref in ComponentStacks.of(known).all())
    component = tuple(ref for ref in known.component_stacks if (ref.account, ref.region) == place)
    return Job(
        record=record,
        new=new,
        moving=not new and not stands and moves(record, known),
        fresh=not known.revision_deployed,
        component=component or named,
    )
