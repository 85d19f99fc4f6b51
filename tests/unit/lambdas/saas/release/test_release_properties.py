"""Releases under every interleaving: events that are lost, late and doubled, functions that are invoked again, builds
that come between, newer releases and runs that are resumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.common.clock import stamp
from lambdas.saas.model.release_turns import UNDER_WAY
from lambdas.saas.model.rings import ReleasePolicy, RingPolicy
from lambdas.saas.model.runs import Ring, RunState
from lambdas.saas.model.status import RELEASE_CLAIM, Phase
from tests.examples import examples
from tests.unit.lambdas.saas.release.world import Machine, World, provisioned, release_of, row

_RELEASES, _RESUMES = 3, 2
Act = Callable[[], object]


@dataclass
class Chaos:
    """A world in which what may happen next is chosen by numbers."""

    world: World
    machines: list[Machine] = field(default_factory=list)
    resumed: int = 0

    def acts(self) -> list[Act]:
        """Everything that may happen now."""
        acts: list[Act] = [lambda: self.world.clock.pass_time(seconds=7)]
        for machine in self.machines:
            acts += self._acts_of(machine)
        for pipeline, execution in self.world.histories.running():
            ends = ("Succeeded", "Succeeded", "Failed", "Stopped")
            acts += [partial(self._finish, pipeline, execution.id, end) for end in ends]
            acts.append(partial(self._mutate, pipeline, execution.id, execution.revision))
        for deployment_id in self.world.statuses.items:
            acts.append(partial(self.world.look, deployment_id))
            acts.append(partial(self._build, deployment_id))
        if len(self.machines) - self.resumed < _RELEASES:
            acts.append(self._publish)
        stopped = [m for m in self.machines if m.ended == "stop" and self.world.runs.current() == m.name]
        if stopped and self.resumed < _RESUMES:
            acts.append(lambda: self._resume(stopped[0]))
        return acts

    def _acts_of(self, machine: Machine) -> list[Act]:
        acts: list[Act] = [machine.take_answers]
        if machine.may_step:
            acts += [machine.step, lambda: self._step_twice(machine)]
        if machine.may_begin:
            acts += [machine.begin_item, lambda: machine.begin_item(twice=True), lambda: self._in_trouble(machine)]
        if machine.waiting:
            acts.append(machine.time_out)
        return acts

    def _publish(self) -> None:
        number = len(self.machines) - self.resumed + 1
        self.machines.append(Machine(self.world, f"run{number}", release_of(number)))

    def _resume(self, stopped: Machine) -> None:
        self.resumed += 1
        name = f"{stopped.name}-{self.resumed}"
        self.machines.append(Machine(self.world, name, stopped.release, resumes=stopped.name))

    def _step_twice(self, machine: Machine) -> None:
        before = machine.move
        machine.step()
        if before is not None and machine.move and machine.move["action"] != "wait":
            first, machine.move, machine.ended, machine.pending = machine.move, before, "", []
            machine.step()
            same = first if self.world.runs.current() == machine.name else machine.move
            assert machine.move == same, (before, first, machine.move)

    def _in_trouble(self, machine: Machine) -> None:
        self.world.pipelines.trouble = [ConnectionError("gone")]
        machine.begin_item()
        self.world.pipelines.trouble = []

    def _finish(self, pipeline: str, execution_id: str, status: str) -> None:
        self.world.histories.finish(pipeline, execution_id, status)

    def _mutate(self, pipeline: str, execution_id: str, revision: str) -> None:
        self.world.histories.finish(pipeline, execution_id, "Cancelled")
        deployment_id = pipeline.removeprefix("silo-").removesuffix("-pipeline")
        self.world.histories.begin(deployment_id, revision, f"{execution_id}+")

    def _build(self, deployment_id: str) -> None:
        """A build takes a deployment that is free, or gives it back."""
        status, items = self.world.statuses.items[deployment_id], self.world.statuses.items
        if status.claimed_by == "build":
            items[deployment_id] = replace(status, claimed_by="", claim_expires_at="")
        elif not status.claimed_by:
            items[deployment_id] = replace(
                status, claimed_by="build", claim_expires_at=stamp(self.world.clock() + timedelta(days=1))
            )

    def settle(self) -> None:
        """Let everything come to its end: what runs succeeds, builds give back, every pipeline is looked at."""
        for _ in range(400):
            for status in list(self.world.statuses.items.values()):
                if status.claimed_by == "build":
                    self._build(status.id)
            for machine in self.machines:
                machine.take_answers()
                if machine.may_step:
                    machine.step()
                while machine.may_begin:
                    machine.begin_item()
            for pipeline, execution in self.world.histories.running():
                self._finish(pipeline, execution.id, "Succeeded")
            for deployment_id in self.world.statuses.items:
                self.world.look(deployment_id)
            busy = any(not machine.ended for machine in self.machines)
            if not busy and not self.world.histories.running():
                return
        raise AssertionError(f"no end: {[(m.name, m.move, m.waiting) for m in self.machines if not m.ended]}")


@st.composite
def chaoses(draw: st.DrawFn) -> Chaos:
    size = draw(st.integers(0, 8))
    rings = tuple(
        RingPolicy(
            name=name,
            percent=draw(st.integers(0, 60)),
            minimum=draw(st.integers(0, 2)),
            max_failures=draw(st.integers(0, 2)),
            concurrency=draw(st.integers(1, 3)),
        )
        for name in ("canary", "early", "general")
    )
    world = World(policy=ReleasePolicy(concurrency=2, rings=rings))
    world.settle(*(f"t{number}" for number in range(size)))
    if draw(st.booleans()):
        world.deployments.items["asleep"] = row("asleep", state="suspended")
        world.statuses.items["asleep"] = replace(provisioned("asleep"), phase=Phase.SUSPENDED)
    return Chaos(world)


@settings(max_examples=examples(300), deadline=None)
@given(chaos=chaoses(), length=st.integers(0, 300), chance=st.randoms(use_true_random=False))
def test_no_tenant_is_lost_doubled_or_orphaned(chaos: Chaos, length: int, chance: Random) -> None:
    chaos._publish()
    for _ in range(length):
        chance.choice(chaos.acts())()
    chaos.settle()
    _nothing_is_held(chaos.world)
    for machine in chaos.machines:
        _each_is_in_one_ring(chaos.world, machine)
        for ring in chaos.world.rings(machine.name):
            _the_budget_holds(ring)
            _is_counted(chaos.world, machine, ring)
        _the_other_rings_are_untouched(chaos.world, machine)
    _the_release_in_force_has_arrived(chaos.world)
    if "asleep" in chaos.world.statuses.items:
        assert chaos.world.statuses.items["asleep"] == replace(provisioned("asleep"), phase=Phase.SUSPENDED)


def _nothing_is_held(world: World) -> None:
    for status in world.statuses.items.values():
        assert not status.claimed_by.startswith(RELEASE_CLAIM), status
        assert not status.task_token, status
        assert status.release_outcome not in UNDER_WAY, status


def _each_is_in_one_ring(world: World, machine: Machine) -> None:
    rings = [world.shelf.objects[ring.items] for ring in world.rings(machine.name) if ring.items]
    ids = [item.id for items in rings for item in items]
    assert len(ids) == len(set(ids)) == world.run(machine.name).deployments or not rings


def _the_budget_holds(ring: Ring) -> None:
    assert ring.failed <= ring.allowed_failures + ring.concurrency
    assert ring.done <= ring.total
    assert ring.rolled_back + ring.rollback_failed <= ring.failed


def _is_counted(world: World, machine: Machine, ring: Ring) -> None:
    """A ring that was gone through has an outcome of each of its deployments, exactly one."""
    if machine.ended != "superseded" and ring.state in ("DONE", "FAILED"):
        assert ring.done == ring.total


def _the_other_rings_are_untouched(world: World, machine: Machine) -> None:
    touched = {one for one, _, _ in world.pipelines.started}
    if world.run(machine.name).state == RunState.STOPPED and len(world.runs.runs) == 1:
        for ring in world.rings(machine.name):
            if ring.state == "WAITING" and ring.items:
                assert ring.done == 0
                assert not touched & {item.id for item in world.shelf.objects[ring.items]}


def _the_release_in_force_has_arrived(world: World) -> None:
    run = world.run(world.runs.current())
    assert run.state in (RunState.SUCCEEDED, RunState.STOPPED)
    if run.state == RunState.SUCCEEDED:
        assert world.shelf.current[-1].revision == run.revision
        behind = [s for s in world.statuses.items.values() if s.id != "asleep" and s.revision_deployed != run.revision]
        assert len(behind) <= sum(ring.failed + ring.skipped for ring in world.rings(run.run)), behind
        assert all(status.revision_deployed for status in behind)
