"""The lifecycle machine, whatever rows, services, deaths and duplicates do: nothing is lost, orphaned or taken wrongly.

The world itself checks each deletion: never against the row, never before its time, never the pipeline first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.clock import moment
from lambdas.saas.model.lifecycle import ENDED, moved
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import Phase, StackRef
from tests.unit.lambdas.saas.lifecycle.world import Machine, World
from tests.unit.lambdas.saas.lifecycle_fakes import OTHER, POLICY, TOOLCHAIN, WORKLOAD, active, ref

FORMER = ref("component", "silo-acme-resources", account=OTHER)
DROPPED = ref("component", "silo-acme-queue")
SUPPORT = ref("support", "silo-acme-pipeline-support-eu-west-1", account=TOOLCHAIN)
TABLE = Stateful(kind="dynamodb-table", name="silo-acme-orders")

actions = st.one_of(
    st.tuples(st.just("row"), st.sampled_from(["active", "suspended", "retired", "removed", "unclear"])),
    st.tuples(st.just("step"), st.integers(min_value=0, max_value=3)),
    st.tuples(st.just("steps"), st.integers(min_value=0, max_value=3)),
    st.tuples(st.just("machine"), st.just(0)),
    st.tuples(st.just("hours"), st.sampled_from([1, 24, 200])),
    st.tuples(st.just("reach"), st.booleans()),
    st.tuples(st.just("gone"), st.just(0)),
    st.tuples(st.just("busy"), st.booleans()),
    st.tuples(st.just("touched"), st.integers(min_value=0, max_value=2)),
    st.tuples(st.just("old place"), st.booleans()),
    st.tuples(st.just("deployed again"), st.just(0)),
    st.tuples(st.just("look"), st.sampled_from([Phase.ACTIVE, Phase.UPDATING, Phase.FAILED])),
)


class Story:
    """What happens, one thing after another; afterwards all is quiet, and the row asks for one thing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.machines: list[Machine] = [world.machine()]
        self.recorded: set[StackRef] = set(self._recorded())

    def _recorded(self) -> list[StackRef]:
        status = self.world.acme
        return [
            *status.component_stacks,
            *status.further_stacks,
            *status.former_stacks,
            *status.support_stacks,
            *filter(None, (status.pipeline_stack,)),
        ]

    def happen(self, what: str, how: Any) -> None:
        stacks = self.world.stacks
        happenings: dict[str, Callable[[], object]] = {
            "row": lambda: self._put_row(how),
            "step": lambda: self._step(how, times=1),
            "steps": lambda: self._step(how, times=8),
            "machine": lambda: self.machines.append(self.world.machine()),
            "hours": lambda: self.world.clock.pass_time(hours=how),
            "reach": lambda: self._reach(WORKLOAD, how),
            "old place": lambda: self._reach(OTHER, how),
            "gone": lambda: stacks.items.pop(("silo-acme-resources", WORKLOAD, "eu-west-1"), None),
            "busy": lambda: self._run_pipeline(running=how),
            "touched": lambda: self._fail_with_a_stack(ref("component", f"silo-acme-{how}")),
            "deployed again": self._deploy_the_old_place_again,
            "look": lambda: self.world.look_at_pipeline(how),
        }
        happenings[what]()

    def _step(self, which: int, *, times: int) -> None:
        machine = self.machines[which % len(self.machines)]
        for _ in range(times):
            self.world.clock.pass_time(seconds=20)
            machine.step()

    def _reach(self, account: str, answers: bool) -> None:
        self.world.stacks.unreachable -= {account}
        self.world.stacks.unreachable |= set() if answers else {account}

    def _deploy_the_old_place_again(self) -> None:
        """A move to another place fails, and a release deploys the place where the pipeline still is."""
        status = self.world.acme
        if status.phase is Phase.ACTIVE:
            former = tuple(dict.fromkeys((*status.former_stacks, *status.component_stacks)))
            self.world.statuses.items["acme"] = replace(status, former_stacks=former)

    def _fail_with_a_stack(self, made: StackRef) -> None:
        """An execution fails and leaves a stack, which a look at the pipeline finds, whoever holds the deployment."""
        status = self.world.acme
        if self.world.pipeline.exists and status.phase not in ENDED and made not in status.further_stacks:
            self.world.stacks.put(made)
            self.world.statuses.items["acme"] = replace(status, further_stacks=(*status.further_stacks, made))
            self.recorded.add(made)

    def _put_row(self, wants: str) -> None:
        if wants == "removed":
            self.world.deployments.items.pop("acme", None)
        else:
            self.world.row(state="retierd" if wants == "unclear" else wants)

    def _run_pipeline(self, *, running: bool) -> None:
        if self.world.pipeline.exists:
            self.world.pipelines.items["silo-acme-pipeline"] = replace(
                self.world.pipeline,
                running=("e9",) if running else (),
                newest="InProgress" if running else "Succeeded",
            )

    def settle(self, *, state: str) -> None:
        self.world.fate.deaths = []
        self.world.stacks.failures = []
        self.world.flips = []
        self._run_pipeline(running=False)
        self.world.row(state=state)
        self.machines.append(self.world.machine())
        for machine in reversed(self.machines):
            machine.run(steps=500)
        self._sweep()

    def _sweep(self) -> None:
        """Start a machine for a retirement that is due, or failed and may be retried: theirs may have died.

        And for what a move has left behind, when what came in between is over.
        """
        status = self.world.acme
        if status.phase is Phase.RETIRING or (status.phase is Phase.FAILED and status.retire_after and status.retry):
            self.world.clock.moment = max(self.world.clock(), moment(status.retire_after))
            self.world.machine().run(steps=500)
        elif moved(status):
            self.world.machine().run(steps=500)


def play(
    story: list[tuple[str, object]],
    deaths: list[bool],
    failures: list[bool],
    *,
    moving: bool,
    stateful: bool,
    flips: list[str],
) -> Story:
    status = active(support_stacks=(SUPPORT,), further_stacks=(DROPPED,), former_stacks=(FORMER,) if moving else ())
    world = World(status=status)
    if stateful:
        one = world.acme.component_stacks[0]
        world.stacks.put(one, stateful=(TABLE,))
    world.fate.deaths, world.stacks.failures, world.flips = list(deaths), list(failures), list(flips)
    played = Story(world)
    for what, how in story:
        played.happen(what, how)
    return played


stories = given(
    story=st.lists(actions, max_size=30),
    deaths=st.lists(st.booleans(), max_size=40),
    failures=st.lists(st.booleans(), max_size=4),
    moving=st.booleans(),
    stateful=st.booleans(),
    flips=st.lists(st.sampled_from(["", "", "active", "suspended", "retired"]), max_size=12),
    reachable=st.booleans(),
)


@stories
def test_a_retirement_ends_and_nothing_is_orphaned(
    *,
    story: list[tuple[str, object]],
    deaths: list[bool],
    failures: list[bool],
    moving: bool,
    stateful: bool,
    flips: list[str],
    reachable: bool,
) -> None:
    """Given any history, when the row asks for the end and stays so, then all is gone, or named."""
    played = play(story, deaths, failures, moving=moving, stateful=stateful, flips=flips)
    world = played.world
    other = world.statuses.items["other"]
    world.stacks.unreachable = set() if reachable else {WORKLOAD}
    played.settle(state="retired")
    status = world.acme
    assert status.phase in ENDED
    assert status.expires_at > world.clock().timestamp()
    assert status.claimed_by == ""
    for one in played.recorded:
        named = any(one.stack_id in warning for warning in status.warnings)
        assert named or not world.stacks.stands(one), f"{one} is orphaned"
    assert bool(status.warnings) == (status.phase is Phase.RETIRED_WITH_WARNINGS)
    assert not world.pipeline.exists
    assert world.statuses.items["other"] == other
    assert world.stacks.stands(other.component_stacks[0])
    deleted, archives = list(world.stacks.deleted), dict(world.archives.items)
    played.settle(state="retired")
    assert (world.acme, world.stacks.deleted, world.archives.items) == (status, deleted, archives)


@stories
def test_a_deployment_comes_back_or_has_ended(
    *,
    story: list[tuple[str, object]],
    deaths: list[bool],
    failures: list[bool],
    moving: bool,
    stateful: bool,
    flips: list[str],
    reachable: bool,
) -> None:
    """Given any history, when the row asks for an active deployment, then it is not left out of use and unnoticed."""
    played = play(story, deaths, failures, moving=moving, stateful=stateful, flips=flips)
    world = played.world
    world.stacks.unreachable = set() if reachable else {WORKLOAD, OTHER}
    played.settle(state="active")
    status = world.acme
    for one in played.recorded:
        assert one in world.known() or not world.stacks.stands(one), f"{one} is forgotten"
    if status.phase is Phase.ACTIVE and world.stacks.stands(FORMER) and moving:
        assert "what the move left behind" in status.reason
    assert status.claimed_by == ""
    assert status.phase not in (Phase.SUSPENDED, Phase.RETIRING)
    if status.phase in (Phase.ACTIVE, Phase.UPDATING):
        assert world.pipeline.exists
        assert world.pipeline.enabled
    elif status.phase is Phase.FAILED:
        assert status.reason


@stories
def test_what_is_stateful_is_never_deleted_without_an_archive(
    *,
    story: list[tuple[str, object]],
    deaths: list[bool],
    failures: list[bool],
    moving: bool,
    stateful: bool,
    flips: list[str],
    reachable: bool,
) -> None:
    played = play([("row", "retired"), *story], deaths, failures, moving=moving, stateful=True, flips=flips)
    gone_by_itself = any(what == "gone" for what, _ in story)
    played.settle(state="retired")
    component = played.world.stacks.items.get(("silo-acme-resources", WORKLOAD, "eu-west-1"))
    if component is None and not gone_by_itself:
        assert TABLE in played.world.archives.items.values()
        assert played.world.acme.archives


def test_the_grace_period_is_whole_again_after_a_return() -> None:
    world = World()
    world.row(state="retired")
    world.machine().run(until=timedelta(hours=100))
    world.row()
    world.machine().run()
    world.row(state="retired")
    again = world.clock()
    world.machine().run()
    assert world.clock() >= again + POLICY.grace
