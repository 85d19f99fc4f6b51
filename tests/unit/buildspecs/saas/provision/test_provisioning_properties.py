"""Whatever rows, statuses and failures meet: every deployment ends in a phase that tells the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.saas.model.lifecycle import checked
from lambdas.saas.model.record import DeploymentRecord, parse_row
from lambdas.saas.model.status import Phase
from lambdas.saas.store.tables import CLAIM_LEASE
from tests.unit.buildspecs.saas.provision.fakes import (
    BUILD,
    FAULT,
    STACK_ERROR,
    SYNTH_ERROR,
    World,
    row,
)
from tests.unit.lambdas.saas.strategies import POLICY

IDS = ("a", "b", "c", "d")
OTHER_BUILD = "granary-provisioning:0"
UNFIT = "333333333333"

some_row = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["silo", "pool", "tenant"]),
            "account": st.sampled_from(["222222222222", UNFIT]),
            "region": st.sampled_from(["eu-west-1", "us-east-1", "eu-north-1"]),
            "allow_move": st.booleans(),
        }
    ),
)
histories = st.sampled_from(["new", "provisioned", "failed", "invalid", "removed", "held", "dead"])
errors = st.sampled_from([SYNTH_ERROR, STACK_ERROR, FAULT])


@dataclass(frozen=True, kw_only=True)
class Case:
    """A deployment: its row before and during the build, what was known of it, and what fails."""

    before: Mapping[str, Any] | None
    during: Mapping[str, Any] | None
    changes: bool
    history: str
    faults: Mapping[str, Exception]


cases = st.builds(
    Case,
    before=some_row,
    during=some_row,
    changes=st.booleans(),
    history=histories,
    faults=st.dictionaries(st.sampled_from(["pin", "deploy", "run", "synth"]), errors, max_size=2),
)


def set_row(world: World, deployment_id: str, attributes: Mapping[str, Any] | None) -> None:
    if attributes is None:
        world.deployments.items.pop(deployment_id, None)
    else:
        world.put(row(deployment_id, **attributes))


def remember(world: World, deployment_id: str, history: str) -> None:
    """Bring the status table to where earlier builds left it."""
    if history == "new":
        return
    if history == "provisioned":
        world.put(row(deployment_id))
        world.build(OTHER_BUILD).run([deployment_id])
        return
    record, now = DeploymentRecord(**row(deployment_id)), world.clock()
    began = now - 2 * CLAIM_LEASE if history == "dead" else now
    world.statuses.claim(record, build_id=OTHER_BUILD, revision="r", now=began)
    if history in ("failed", "invalid", "removed"):
        world.statuses.failed(deployment_id, build_id=OTHER_BUILD, reason="of old", retry=True, now=now)
    if history == "invalid":
        world.statuses.invalid(deployment_id, reason="of old", now=now)
    if history == "removed":
        world.statuses.removed(deployment_id, now=now)


def meet(case_by_id: Mapping[str, Case]) -> World:
    world = World(lacking={UNFIT: "it is not bootstrapped"})
    for deployment_id, case in case_by_id.items():
        remember(world, deployment_id, case.history)
        set_row(world, deployment_id, case.before)
    for deployment_id, case in case_by_id.items():
        for step, error in case.faults.items():
            if step == "synth":
                world.unsynthesizable[deployment_id] = error
            else:
                world.pipelines.faults[step, deployment_id] = error
        if case.changes:
            world.pipelines.on_deploy[deployment_id] = partial(set_row, world, deployment_id, case.during)
    return world


@settings(deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(IDS, cases)))
def test_every_deployment_ends_in_a_phase_that_tells_the_truth(case_by_id: dict[str, Case]) -> None:
    world = meet(case_by_id)
    world.build().run(IDS)
    for deployment_id, case in case_by_id.items():
        check(world, deployment_id, case)


def check(world: World, deployment_id: str, case: Case) -> None:
    status = world.statuses.get(deployment_id)
    found = world.deployments.get(deployment_id)
    wish = None if found is None else checked(parse_row(found, POLICY), status)
    if status is None:
        assert wish is None
        return
    assert status.claimed_by != BUILD
    if wish is None:
        assert status.row_removed
    elif not isinstance(wish, DeploymentRecord):
        assert (status.phase, status.reason) == (Phase.INVALID, wish.reason)
    elif case.history == "held":
        assert status.claimed_by == OTHER_BUILD
    elif status.build_id == BUILD and (case.faults or wish.account == UNFIT):
        assert status.phase is Phase.FAILED
        assert status.reason not in ("", "of old")
        assert status.wanted_digest == wish.digest()
    else:
        assert status.phase in (Phase.PROVISIONING, Phase.ACTIVE, Phase.MOVING)
        assert (status.phase is Phase.MOVING) == bool(status.former_stacks), "a move is known by what it leaves behind"
        assert status.reason == ""
        assert status.applied_digest == wish.digest()
        assert world.pipelines.stacks[deployment_id].digest() == wish.digest()


@settings(deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(IDS, cases)))
def test_a_second_build_after_the_faults_are_gone_settles_all_that_is_not_held(
    case_by_id: dict[str, Case],
) -> None:
    world = meet(case_by_id)
    world.build().run(IDS)
    world.pipelines.faults.clear()
    world.unsynthesizable.clear()
    world.lacking.clear()
    world.build("granary-provisioning:2").run(IDS)
    settled = dict(world.statuses.items)
    synths = len(world.synths)
    world.build("granary-provisioning:3").run(IDS)
    assert len(world.synths) == synths, "a third build finds nothing to do"
    assert {key: status.phase for key, status in settled.items()} == {
        key: status.phase for key, status in world.statuses.items.items()
    }
    assert not [key for key, status in settled.items() if status.phase is Phase.FAILED and not status.row_removed]
