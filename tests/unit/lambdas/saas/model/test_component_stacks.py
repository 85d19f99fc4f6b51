"""No stack of a component is forgotten before it is deleted, whatever a tenant goes through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.component_stacks import (
    ComponentStacks,
    after_claim,
    further_after,
    left_behind,
    stack_name,
    to_delete,
)
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Observation, Phase, Placement, StackRef, Status

WISH = DeploymentRecord(id="silo1", type="silo", account="222222222222", region="eu-west-1")
ELSEWHERE = replace(WISH, region="us-east-1")
BOTH = replace(WISH, standby_region="us-east-1")
STATUS = Status(
    id="silo1", phase=Phase.ACTIVE, placed=(Placement(type="silo", account="222222222222", region="eu-west-1"),)
)


def stack(name: str, *, region: str = "eu-west-1", made: str = "1") -> StackRef:
    """A stack with its id; without `made`, only its name is known."""
    stack_id = f"arn:aws:cloudformation:{region}:222222222222:stack/{name}/{made}" if made else name
    return StackRef(kind="component", stack_id=stack_id, account="222222222222", region=region)


HERE, THERE = stack("app"), stack("app", region="us-east-1")


def test_stacks_are_sorted_by_the_place_that_the_row_names() -> None:
    """Given stacks in two places, when the row names one, then the others are left behind; and back again, when an
    execution has yet to tell that they are the component's."""
    status = replace(STATUS, component_stacks=(HERE,))
    assert after_claim(ELSEWHERE, status) == ComponentStacks(former=(HERE,))
    on_the_way = replace(STATUS, component_stacks=(THERE,), former_stacks=(HERE,))
    assert after_claim(ELSEWHERE, on_the_way) == ComponentStacks(component=(THERE,), former=(HERE,))
    assert after_claim(WISH, on_the_way) == ComponentStacks(further=(HERE,), former=(THERE,))


def test_a_move_that_is_given_up_leaves_nothing_in_the_place_that_it_failed_for() -> None:
    """Given a move whose execution failed in the new place, when the old place is put back, then the failure's stack
    is what the move leaves behind."""
    failed = replace(STATUS, phase=Phase.FAILED, former_stacks=(HERE,), further_stacks=(THERE,))
    assert after_claim(WISH, failed) == ComponentStacks(further=(HERE,), former=(THERE,))


def test_what_failed_before_anything_was_recorded_is_known_by_its_name() -> None:
    """Given a first deployment that failed, then its stack is not forgotten when the tenant moves or is retired."""
    by_name = stack("silo-silo1-resources", made="")
    assert after_claim(ELSEWHERE, STATUS) == ComponentStacks(former=(by_name,))
    assert to_delete(replace(STATUS, execution_id="e1")) == (by_name,)
    assert to_delete(STATUS) == (), "no build ever made its pipeline"
    assert to_delete(replace(STATUS, execution_id="e1", former_stacks=(THERE,))) == (by_name, THERE)


@pytest.mark.parametrize(
    ("component", "former", "left"),
    [
        ((), (THERE,), (THERE,)),
        ((HERE,), (HERE, THERE), (THERE,)),
        ((), (HERE,), ()),  # the pipeline deploys there
        ((THERE,), (THERE,), ()),
        ((THERE,), (stack("app", region="us-east-1", made=""),), ()),  # of one stack only the name was known
        ((THERE,), (stack("queue", region="us-east-1"),), (stack("queue", region="us-east-1"),)),
    ],
)
def test_what_is_in_use_was_not_left_behind(
    component: tuple[StackRef, ...], former: tuple[StackRef, ...], left: tuple[StackRef, ...]
) -> None:
    assert left_behind(replace(STATUS, component_stacks=component, former_stacks=former)) == left


def test_what_was_deployed_last_is_deleted_first() -> None:
    network, app, dropped, old = stack("network"), stack("app"), stack("dropped"), stack("app", region="us-east-1")
    status = replace(
        STATUS, component_stacks=(network, app), further_stacks=(dropped,), former_stacks=(old,), execution_id="e1"
    )
    assert to_delete(status) == (dropped, app, network, old)


def test_a_name_gives_way_to_an_id_and_an_old_stack_to_a_new_one() -> None:
    named = replace(STATUS, further_stacks=(stack("app", made=""),))
    again = Observation(phase=Phase.FAILED, touched=(stack("app", made="2"),))
    assert further_after(named, again) == (stack("app", made="2"),)


def test_a_look_while_the_pipeline_runs_changes_nothing() -> None:
    status = replace(STATUS, component_stacks=(HERE,), further_stacks=(stack("dropped"),))
    assert further_after(status, Observation(phase=Phase.UPDATING)) == status.further_stacks


_STACKS = st.lists(st.builds(stack, st.sampled_from("abc"), made=st.sampled_from(["1", "2", ""])), max_size=3)
_EVENTS = st.one_of(
    st.builds(lambda refs: Observation(phase=Phase.ACTIVE, stacks=tuple(refs)), _STACKS),
    st.builds(lambda refs: Observation(phase=Phase.FAILED, touched=tuple(refs)), _STACKS),
    st.sampled_from([WISH, ELSEWHERE, BOTH]),
)


@given(st.lists(_EVENTS, max_size=8))
def test_whatever_was_touched_is_deleted_in_the_end(events: list[Observation | DeploymentRecord]) -> None:
    """Given any order of successes, failures, moves and standbys, then every stack that was ever made is deleted, by
    its name and place, and none is taken for the component's that stands elsewhere, or for a former one here."""
    status, place, made = replace(STATUS, execution_id="e1"), WISH, set[tuple[str, str]]()
    for event in events:
        if isinstance(event, DeploymentRecord):
            place = event
            claimed: dict[str, Any] = {**after_claim(place, status).attributes()}
            status = replace(status, **claimed)
        else:
            # An execution works where the row says.
            seen = replace(
                event,
                stacks=tuple(replace(ref, region=there[1]) for there in place.places for ref in event.stacks),
                touched=tuple(replace(ref, region=there[1]) for there in place.places for ref in event.touched),
            )
            further = further_after(status, seen)
            status = replace(status, component_stacks=seen.stacks or status.component_stacks, further_stacks=further)
            made |= {(ref.region, stack_name(ref)) for ref in (*seen.stacks, *seen.touched)}
        assert all(ref.place in place.places for ref in status.component_stacks)
        assert not any(ref.place in place.places for ref in left_behind(status, named=place.places))
        assert {(ref.region, stack_name(ref)) for ref in to_delete(status)} >= made


@pytest.mark.parametrize(("ref", "name"), [(HERE, "app"), (stack("app", made=""), "app")])
def test_a_stack_has_a_name(ref: StackRef, name: str) -> None:
    assert stack_name(ref) == name


def test_a_standby_is_sorted_as_a_place_of_its_own() -> None:
    """Given both stacks, when the standby goes, then it is left behind, and what stays has yet to be told; a standby
    that comes leaves nothing behind."""
    status = replace(STATUS, component_stacks=(HERE, THERE))
    assert after_claim(WISH, status) == ComponentStacks(further=(HERE,), former=(THERE,))
    assert after_claim(BOTH, replace(STATUS, component_stacks=(HERE,))) == ComponentStacks(component=(HERE,))
    swapped = replace(BOTH, region="us-east-1", standby_region="eu-west-1")
    assert after_claim(swapped, status) == ComponentStacks(component=(HERE, THERE))


def test_of_a_standby_the_name_is_known_too() -> None:
    placed = (*STATUS.placed, replace(STATUS.placed[0], region="us-east-1"))
    status = replace(STATUS, placed=placed, execution_id="e1", component_stacks=(HERE,))
    named = stack("silo-silo1-resources", region="us-east-1", made="")
    assert to_delete(status) == (named, HERE)
    nothing_seen = replace(status, component_stacks=())
    assert to_delete(nothing_seen) == (named, stack("silo-silo1-resources", made=""))
    assert after_claim(replace(WISH, account="333333333333"), nothing_seen).former == (to_delete(nothing_seen)[::-1])
