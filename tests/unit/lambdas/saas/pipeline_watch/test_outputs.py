"""What the watch keeps of a component's public outputs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.versioned_json import plain
from lambdas.saas.model.public_outputs import PUBLIC_PREFIX
from lambdas.saas.model.status import Phase, StackRef, Status
from lambdas.saas.pipeline_watch.outputs import outputs_after
from tests.unit.lambdas.saas.pipeline_watch.pipelines import failed_deploy, succeeded, summary
from tests.unit.lambdas.saas.pipeline_watch.test_standby import PRIMARY, STANDBY, standby
from tests.unit.lambdas.saas.pipeline_watch.world import World

ADDRESS = f"{PUBLIC_PREFIX}Address"
HERE, THERE = ({region: {"Address": f"https://{region}"}} for region in (PRIMARY.region, STANDBY.region))
BOTH = [standby("Succeeded", {"externalExecutionId": STANDBY.stack_id}), *succeeded()]


def declared(world: World, *regions: str, **more: str) -> None:
    world.facts.outputs = {region: {ADDRESS: f"https://{region}", "Endpoint": "secret", **more} for region in regions}


def test_both_places_of_a_tenant_are_told_and_only_what_is_public(world: World) -> None:
    declared(world, PRIMARY.region, STANDBY.region)
    world.execute(summary("e1", "InProgress", revision="a"), succeeded())
    assert world.status.outputs == {}
    world.execute(summary("e1", "Succeeded", revision="a"), BOTH)
    assert world.status.outputs == {**HERE, **THERE}


def test_without_any_nothing_is_written(world: World) -> None:
    world.facts.outputs = {PRIMARY.region: {"Endpoint": "https://acme"}}
    world.execute(summary("e1", "Succeeded", revision="a"), succeeded())
    assert world.status.phase is Phase.ACTIVE
    assert "outputs" not in plain(world.status)
    assert outputs_after(world.status, (PRIMARY,), facts=world.facts) is None


@pytest.mark.parametrize("known", [{}, HERE, {**HERE, **THERE}])
def test_what_cannot_be_read_stays_and_the_look_goes_on(world: World, known: dict[str, dict[str, str]]) -> None:
    world.statuses.items["silo1"] = replace(world.status, outputs=known)
    world.facts.outputs = {PRIMARY.region: None, STANDBY.region: None}
    assert world.execute(summary("e1", "Succeeded", revision="a"), BOTH) is Phase.ACTIVE
    assert world.status.outputs == known


def test_what_fails_in_one_place_keeps_that_and_tells_the_other(world: World) -> None:
    world.statuses.items["silo1"] = replace(world.status, outputs={**HERE, STANDBY.region: {"Address": "old"}})
    world.facts.outputs = {PRIMARY.region: None, STANDBY.region: {ADDRESS: f"https://{STANDBY.region}"}}
    world.execute(summary("e1", "Succeeded", revision="a"), BOTH)
    assert world.status.outputs == {**HERE, **THERE}


def test_an_execution_that_failed_changes_nothing(world: World) -> None:
    world.statuses.items["silo1"] = replace(world.status, outputs=HERE)
    declared(world, PRIMARY.region, Address2="x")
    world.execute(summary("e1", "Failed", revision="a"), failed_deploy())
    assert world.status.outputs == HERE


def test_a_place_that_was_left_goes_when_an_execution_has_deployed_without_it(world: World) -> None:
    world.statuses.items["silo1"] = replace(world.status, outputs={**HERE, **THERE})
    world.facts.outputs = {PRIMARY.region: None}
    world.execute(summary("e1", "Succeeded", revision="a"), succeeded())
    assert world.status.outputs == HERE


def test_an_output_that_is_declared_no_more_goes(world: World) -> None:
    world.statuses.items["silo1"] = replace(world.status, outputs=HERE)
    world.execute(summary("e1", "Succeeded", revision="a"), succeeded())
    assert world.status.outputs == {}


def test_what_is_known_of_another_account_does_not_stay(world: World) -> None:
    """Given a move within a Region whose new stack cannot be read, then no address of the old one is told."""
    left = replace(PRIMARY, account="333333333333")
    world.statuses.items["silo1"] = replace(world.status, phase=Phase.MOVING, former_stacks=(left,), outputs=HERE)
    world.facts.outputs = {PRIMARY.region: None}
    world.execute(summary("e1", "Succeeded", revision="a"), succeeded())
    assert world.status.outputs == {}


def test_what_is_too_much_is_told_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    declared(world, PRIMARY.region, GranaryPublicLong="x" * 513)
    world.execute(summary("e1", "Succeeded", revision="a"), succeeded())
    assert world.status.outputs == HERE
    assert "in account 222222222222, eu-west-1 the component declares public what is not told: Long. At" in caplog.text


@dataclass
class Stacks:
    """Outputs by the id of a stack; what is not there cannot be read."""

    known: dict[str, dict[str, str]]
    asked: list[str] = field(default_factory=list)

    def stack_outputs(self, stack: StackRef) -> dict[str, str] | None:
        self.asked.append(stack.stack_id)
        return self.known.get(stack.stack_id)


refs = st.builds(
    lambda name, region: replace(PRIMARY, stack_id=f"{region}{name}", region=region),
    st.sampled_from("abc"),
    st.sampled_from([PRIMARY.region, STANDBY.region]),
)
values = st.dictionaries(st.sampled_from([ADDRESS, f"{PUBLIC_PREFIX}Console", "Endpoint"]), st.sampled_from("xy"))


@given(st.lists(refs, max_size=4, unique=True), st.data())
def test_a_place_is_told_whole_or_stays_as_it_was(stacks: list[StackRef], data: st.DataObject) -> None:
    """Whatever can be read, in whatever order the stacks were deployed."""
    known = data.draw(st.dictionaries(st.sampled_from([ref.stack_id for ref in stacks] or ["-"]), values))
    status = Status(id="acme", phase=Phase.ACTIVE, outputs={**HERE, "eu-central-1": {"Address": "left"}})
    facts = Stacks(known)
    told = outputs_after(status, stacks, facts=facts)
    assert told == outputs_after(status, stacks[::-1], facts=Stacks(known))
    assert len(facts.asked) == len(set(facts.asked))
    if not stacks:
        assert told is None
        return
    after = status.outputs if told is None else told
    for region in {ref.region for ref in stacks}:
        here = [ref.stack_id for ref in stacks if ref.region == region]
        if all(name in known for name in here):
            keys = {key for name in here for key in known[name] if key.startswith(PUBLIC_PREFIX)}
            assert {PUBLIC_PREFIX + name for name in after.get(region, {})} == keys
        else:
            assert after.get(region) == status.outputs.get(region)
    assert set(after) <= {ref.region for ref in stacks}
