"""What a provisioning build does about one deployment, from its row and its status; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
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

    `new` has no pipeline, so it counts towards quotas; of one that moves its component does, in the places (`arriving`)
    where nothing stands of it. `fresh` has never deployed a revision, so nothing is lost when its copy of the release
    is replaced. `component` are the stacks that its component was deployed in, in the row's places; where the status
    knows none, because it was lost itself, the one that bears its name.
    """

    record: DeploymentRecord
    new: bool = True
    arriving: tuple[tuple[str, str], ...] = ()
    fresh: bool = True
    component: tuple[StackRef, ...] = ()

    @property
    def asked(self) -> DeploymentRecord:
        """The record in the places where it needs room: of one that moves, those where nothing stands of it."""
        if not self.arriving:
            return self.record
        first, *others = (region for _, region in self.arriving)
        return replace(self.record, region=first, standby_region="".join(others))


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
    named = {place: by_name(record.type, record.id, place) for place in record.places}
    known = status if status and status.phase not in ENDED else None
    if known is None:
        return Job(record=record, component=tuple(named.values()))
    new, stands = known.pipeline_stack is None, {ref.place for ref in ComponentStacks.of(known).all()}
    component = tuple(ref for ref in known.component_stacks if ref.place in named)
    there = {ref.place for ref in component}
    return Job(
        record=record,
        new=new,
        arriving=tuple(place for place in named if place not in stands) if not new and moves(record, known) else (),
        fresh=not known.revision_deployed,
        component=(*component, *(ref for place, ref in named.items() if place not in there)),
    )
