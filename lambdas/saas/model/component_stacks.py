"""Which stacks belong to a deployment's component, through changes, failures and moves; pure.

CDK Pipelines never deletes a stack that a revision has dropped, and an execution that failed may have made one:
whatever an execution has touched stays known until it is deleted, or it would be an orphan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lambdas.saas.model.names import component_stack_name
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Observation, StackRef, Status

Places = Collection[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class ComponentStacks:
    """A deployment's stacks in workload accounts.

    `component` are those of the newest revision that was deployed, `further` those that may stand beside them, `former`
    what a move leaves behind.
    """

    component: tuple[StackRef, ...] = ()
    further: tuple[StackRef, ...] = ()
    former: tuple[StackRef, ...] = ()

    @classmethod
    def of(cls, status: Status) -> ComponentStacks:
        """As they are recorded."""
        return cls(component=status.component_stacks, further=status.further_stacks, former=status.former_stacks)

    def attributes(self) -> dict[str, tuple[StackRef, ...]]:
        """As a status has them."""
        return {
            "component_stacks": self.component,
            "further_stacks": self.further,
            "former_stacks": self.former,
        }

    def all(self) -> tuple[StackRef, ...]:
        """Each once, in the order in which they may be deleted.

        Last deployed first; what the newest revision does not have comes before: it may use what that has, not the
        other way round.
        """
        return tuple(reversed(dict.fromkeys((*self.former, *self.component, *self.further))))


def to_delete(status: Status) -> tuple[StackRef, ...]:
    """What goes when the deployment ends, in that order: what the standby is fed by goes last.

    Of a component that left no record in a place, the stack is looked for by its name: CloudFormation takes that for
    an id.
    """
    known = ComponentStacks.of(status).all()
    places = status.places or ((status.account, status.region),)
    there = {ref.place for ref in known}
    if status.placed_type and (status.pipeline_stack or status.execution_id):
        missing = (place for place in places if place not in there)
        known = (*(by_name(status.placed_type, status.id, place) for place in missing), *known)
    return tuple(sorted(known, key=lambda ref: ref.place not in places[1:]))


def after_claim(wish: DeploymentRecord, status: Status) -> ComponentStacks:
    """Sort what is known: what stands in the places that the row names, and what a move leaves behind.

    Where something is left behind, and other stacks are the component's than before, they count as such when an
    execution has deployed them without the rest: until then, nothing is cleared up.
    """
    known = ComponentStacks.of(status)
    if known == ComponentStacks():
        # A first deployment that failed may have left a stack.
        named = (by_name(status.placed_type, status.id, place) for place in status.places)
        known = ComponentStacks(component=tuple(named))
    component, gone = _split((*known.component, *known.former), wish)
    further, also_gone = _split(known.further, wish)
    former = tuple(dict.fromkeys((*gone, *also_gone)))
    if former and component != known.component:
        component, further = (), tuple(dict.fromkeys((*component, *further)))
    return ComponentStacks(component=component, further=further, former=former)


def left_behind(status: Status, *, named: Places = ()) -> tuple[StackRef, ...]:
    """What a move has left behind, and may be deleted while the deployment lives; `named` are the row's places.

    A move that failed leaves the pipeline where it was, and a release may deploy the old place again: what is a stack
    of the component, or stands where the pipeline deploys, is no former one, whatever was written of it.
    """
    component, kept = {_key(ref) for ref in status.component_stacks}, {*status.places, *named}
    return tuple(ref for ref in status.former_stacks if _key(ref) not in component and ref.place not in kept)


def further_after(status: Status, seen: Observation) -> tuple[StackRef, ...]:
    """The further stacks after a look at the pipeline: what was deployed and is no more, and what failures touched."""
    component = seen.stacks or status.component_stacks
    # Of one stack what was seen last counts: its name may have been all that was known of it.
    found = {_key(ref): ref for ref in (*status.component_stacks, *status.further_stacks, *seen.touched)}
    settled = {_key(ref) for ref in (*component, *status.former_stacks)}
    return tuple(ref for key, ref in found.items() if key not in settled)


def stack_name(ref: StackRef) -> str:
    """Name of a stack; where the id is unknown, the name stands in its place."""
    parts = ref.stack_id.split("/")
    return parts[1] if len(parts) > 1 else ref.stack_id


def _key(ref: StackRef) -> tuple[str, str, str]:
    return *ref.place, stack_name(ref)


def by_name(kind: str, deployment_id: str, place: tuple[str, str]) -> StackRef:
    """The stack of a component of which no id is known, in the place where it is to stand."""
    name = component_stack_name(kind, deployment_id)
    return StackRef(kind="component", stack_id=name, account=place[0], region=place[1])


def _split(refs: Iterable[StackRef], wish: DeploymentRecord) -> tuple[tuple[StackRef, ...], tuple[StackRef, ...]]:
    known = tuple(dict.fromkeys(refs))
    here = tuple(ref for ref in known if ref.place in wish.places)
    return here, tuple(ref for ref in known if ref not in here)
