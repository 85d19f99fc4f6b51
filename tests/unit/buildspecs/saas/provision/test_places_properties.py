"""Whatever rows ask for and whatever fails, no stack is deleted where a tenant lives, and none that stands forgotten.

The real build, the real lifecycle machine and what the watch writes, around a pipeline that deploys what it was defined
for, stage by stage. That the right things are deleted is not read from a status: the world knows what the row names,
what the pipeline deploys, and what its last execution has deployed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from buildspecs.saas.provision.pipelines import Deployed
from lambdas.saas.lifecycle.facts import Pipeline
from lambdas.saas.model.component_stacks import further_after, left_behind, stack_name
from lambdas.saas.model.lifecycle import ENDED, checked, moved
from lambdas.saas.model.record import DeploymentRecord, parse_row
from lambdas.saas.model.status import Observation, Phase, StackRef, Status
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.sweep.decide import Action, Round, decide
from tests.unit.buildspecs.saas.provision.fakes import STACK_ERROR, FakePipelines, Rows
from tests.unit.buildspecs.saas.provision.fakes import World as BuildWorld
from tests.unit.lambdas.saas.fakes import RELEASE, FakeStatuses
from tests.unit.lambdas.saas.lifecycle.world import World as LifecycleWorld
from tests.unit.lambdas.saas.lifecycle_fakes import HOME, TOOLCHAIN, WORKLOAD, active, ref

REGIONS = ("eu-west-1", "us-east-1", "eu-north-1")
POLICY = TargetPolicy(partition="aws", regions=frozenset(REGIONS), accounts=frozenset({WORKLOAD}))
NAME = "silo-acme-pipeline"
CHOICES = [(one, other) for one in REGIONS for other in ("", *REGIONS) if one != other]

places = st.sampled_from(CHOICES)
happenings = st.one_of(
    st.tuples(st.just("row"), st.tuples(places, st.sampled_from(["active", "active", "active", "suspended"]))),
    st.tuples(st.just("build"), st.sampled_from(["", "", "deploy", "run"])),
    st.tuples(st.just("change"), places),
    st.tuples(st.just("haste"), places),
    st.tuples(st.just("execution"), st.integers(min_value=0, max_value=3)),
    st.tuples(st.just("execution"), st.just(3)),
    st.tuples(st.just("look"), st.none()),
    st.tuples(st.just("start"), st.none()),
    st.tuples(st.just("machine"), st.integers(min_value=1, max_value=60)),
    st.tuples(st.just("sweep"), st.none()),
)


@dataclass
class DeployedPipelines(FakePipelines):
    """The pipelines of the world of builds, whose definitions begin executions."""

    began: Callable[[], None] = lambda: None
    made: Callable[[StackRef], None] = lambda _ref: None

    def deploy(self, record: DeploymentRecord, *, assembly: Path, say: Callable[[str], None]) -> Deployed:
        deployed = super().deploy(record, assembly=assembly, say=say)
        one = ref("pipeline", NAME, account=TOOLCHAIN, region=HOME)
        self.made(one)
        if deployed.changed:
            self.began()
        return replace(deployed, stack=one)

    def run(self, record: DeploymentRecord, *, deployed: Deployed, token: str, again: bool = False) -> str | None:
        found = super().run(record, deployed=deployed, token=token, again=again)
        if found is None and not deployed.changed:
            self.began()
        return found


@dataclass
class Execution:
    """One execution: what the pipeline was defined for when it began."""

    id: str
    record: DeploymentRecord
    status: str = "InProgress"
    touched: tuple[StackRef, ...] = ()


@dataclass
class Life:
    """One tenant among everything that acts on it."""

    world: LifecycleWorld = field(default_factory=lambda: LifecycleWorld(status=active()))
    executions: list[Execution] = field(default_factory=list)
    due: bool = False
    builds: int = 0

    def __post_init__(self) -> None:
        world = self.world
        world.lifecycle = replace(world.lifecycle, targets=POLICY)
        for items in (world.stacks.items, world.pipelines.items, world.statuses.items, world.deployments.items):
            items.clear()
        self.pipelines = DeployedPipelines(began=self._will_begin, made=self._made)
        self.statuses = FakeStatuses(items=world.statuses.items)
        check, gone = world.stacks.on_delete, world.stacks.on_gone
        world.stacks.on_delete = lambda one: self.check_deletion(one, check)

        def lose(name: str) -> None:
            gone(name)
            if name == NAME:
                self.pipelines.stacks.clear()

        world.stacks.on_gone = lose
        self.put((REGIONS[0], ""))

    @property
    def status(self) -> Status | None:
        return self.world.statuses.items.get("acme")

    @property
    def definition(self) -> DeploymentRecord | None:
        return self.pipelines.stacks.get("acme")

    def put(self, where: tuple[str, str], state: str = "active") -> None:
        standby = {"standby_region": where[1]} if where[1] else {}
        self.world.row(region=where[0], state=state, allow_move=True, **standby)

    def build(self, fault: str = "") -> None:
        self.builds += 1
        self.pipelines.faults = {(fault, "acme"): STACK_ERROR} if fault else {}
        builder = BuildWorld(
            deployments=Rows(items=self.world.deployments.items),
            statuses=self.statuses,
            pipelines=self.pipelines,
            clock=self.world.clock,
        )
        one = replace(
            builder.build(f"b:{self.builds}"), policy=POLICY, gone=lambda ref: not self.world.stacks.stands(ref)
        )
        one.run(["acme"])

    def _made(self, one: StackRef) -> None:
        self.world.stacks.put(one)
        self.world.pipelines.items.setdefault(NAME, Pipeline(gate="Build"))

    def _will_begin(self) -> None:
        """CodePipeline starts what was changed, or asked for, in a moment."""
        self.due = True

    def begin(self, _: Any = None) -> None:
        """A pipeline that is changed takes its running execution with it; what that has made, the watch is told."""
        self.due = False
        if self.definition is None or not self.world.pipeline.exists:
            return
        if self.executions and self.executions[-1].status == "InProgress":
            self.end(stages=0)
        one = Execution(id=f"x{len(self.executions)}", record=self.definition)
        self.executions.append(one)
        self.world.pipelines.items[NAME] = replace(self.world.pipeline, running=(one.id,), newest="InProgress")

    def end(self, stages: int) -> None:
        """The running execution goes through some of its stages: through all, or it fails in the one after them."""
        one = self.executions[-1] if self.executions else None
        if (
            one is None
            or one.status != "InProgress"
            or not self.world.pipeline.exists
            or not self.world.pipeline.enabled
        ):
            return
        regions = [region for _, region in one.record.places]
        one.touched = tuple(ref("component", "silo-acme-resources", region=region) for region in regions[: stages + 1])
        one.status = "Succeeded" if stages >= len(regions) else "Failed"
        for stack in one.touched:
            self.world.stacks.put(stack)
        self.world.pipelines.items[NAME] = replace(self.world.pipeline, running=(), newest=one.status)
        self.look()

    def look(self, _: Any = None) -> None:
        """What `Watch` writes of the newest execution."""
        status = self.status
        if status is None or not self.executions or status.phase in ENDED:
            return
        one, seen = self.executions[-1], Observation(phase=Phase.UPDATING)
        if one.status == "Succeeded":
            seen = Observation(phase=Phase.ACTIVE, revision=RELEASE.revision, stacks=one.touched)
        elif one.status == "Failed":
            seen = Observation(phase=Phase.FAILED, reason="a stage failed", touched=one.touched)
        further = further_after(status, seen)
        seen = replace(seen, execution_id=one.id, further=None if further == status.further_stacks else further)
        self.world.clock.pass_time(seconds=1)
        self.statuses.observed("acme", seen, now=self.world.clock())

    def sweep(self, _: Any = None) -> None:
        now = self.world.clock.pass_time(hours=7)
        status, row = self.status, self.world.deployments.get("acme")
        wish = checked(parse_row(row, POLICY), status) if row else None
        action = decide(wish, status, Round(now=now, ended_builds={f"b:{n}" for n in range(self.builds + 1)}))
        if action is Action.START:
            self.build()
        elif action is Action.LIFECYCLE:
            self.machine(200)
        elif action is Action.LOOK:
            self.look()

    def machine(self, steps: int) -> None:
        one = self.world.machine()
        for _ in range(steps):
            self.world.clock.moment = max(self.world.clock(), one.wakes)
            one.step()

    def happen(self, what: str, how: Any) -> None:
        happened: dict[str, Callable[[Any], object]] = {
            "row": lambda given: self.put(*given),
            "build": self.build,
            "execution": self.end,
            "look": self.look,
            "change": self.change,
            "haste": self.haste,
            "start": self.begin,
            "machine": self.machine,
            "sweep": self.sweep,
        }
        happened[what](how)
        self.check_nothing_is_forgotten()

    def change(self, where: tuple[str, str]) -> None:
        """A row that all goes well with, until what it leaves behind is due."""
        self.put(where)
        self.build()
        self.begin()
        self.end(stages=3)

    def haste(self, where: tuple[str, str]) -> None:
        """A row whose pipeline is provisioned and not begun yet when the machine looks."""
        self.put(where)
        self.build()
        self.machine(60)

    def check_deletion(self, one: StackRef, check: Callable[[StackRef], None]) -> None:
        check(one)
        if one.kind != "component" or self.world.wants_deletion():
            return
        row, status, last = self.world.deployments.items["acme"], self.status, self.executions[-1]
        assert one.region not in (row["region"], row.get("standby_region")), "the row names it"
        assert status is not None
        assert one.place not in status.places, "the status names it"
        assert self.definition is not None
        assert one.place not in self.definition.places, "the pipeline deploys there"
        assert last.status == "Succeeded", "nothing tells that the tenant stands without it"
        assert one.place not in last.record.places, "nothing tells that the tenant stands without it"

    def check_nothing_is_forgotten(self) -> None:
        if self.status is None or self.status.phase in ENDED:
            known = set()
        else:
            known = {(stack_name(one), *one.place) for one in self.world.known()}
        if self.status is None or self.status.build_id:
            forgotten = {key for key in self.world.stacks.items if key[0] != NAME} - known
            assert not forgotten, f"{forgotten} forgotten"

    def settle(self) -> None:
        for _ in range(8):
            self.sweep()
            if self.status and self.status.phase is Phase.FAILED:
                self.build()  # somebody retries it
                self.due = True
            if self.due:
                self.begin()
            self.end(stages=3)
            if self.status and moved(self.status):
                self.machine(200)


stories = given(story=st.lists(happenings, max_size=25), wish=places)


@stories
@settings(deadline=None)
def test_a_tenant_stands_where_its_row_says_and_nowhere_else_in_the_end(
    *, story: list[tuple[str, Any]], wish: tuple[str, str]
) -> None:
    """Given any history of rows, failures, moves, and standbys that came and went, when all works at last, then the
    tenant is active in the places of its row, and what a move or a drop has left is gone."""
    life = Life()
    for what, how in story:
        life.happen(what, how)
    life.put(wish)
    life.settle()
    status = life.status
    assert status is not None
    assert (status.phase, left_behind(status)) == (Phase.ACTIVE, ())
    assert status.places == tuple((WORKLOAD, region) for region in wish if region)
    stand = [key[2] for key in life.world.stacks.items if key[0] != NAME]
    assert sorted(one.region for one in status.component_stacks) == sorted(region for region in wish if region)
    # What an execution of before has made elsewhere, when the row named another place already, goes in the end.
    known = {one.region for one in (*status.component_stacks, *status.further_stacks)}
    assert {region for region in wish if region} <= set(stand) <= known


@stories
@settings(deadline=None)
def test_a_retirement_leaves_nothing_anywhere(*, story: list[tuple[str, Any]], wish: tuple[str, str]) -> None:
    life = Life()
    for what, how in story:
        life.happen(what, how)
    life.put(wish, "retired")
    life.sweep()
    life.machine(300)
    assert life.status is None or life.status.phase in ENDED
    assert life.world.stacks.items == {}
