"""A world in which the lifecycle machine runs: one deployment, its stacks, and time that passes when it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.clock import moment, stamp
from lambdas.saas.lifecycle.facts import Memory, Pipeline
from lambdas.saas.lifecycle.goal import Policy
from lambdas.saas.lifecycle.perform import Perform
from lambdas.saas.lifecycle.step import Home, Lifecycle
from lambdas.saas.model.component_stacks import ComponentStacks, stack_name
from lambdas.saas.model.status import Observation, Phase, StackRef, Status
from tests.unit.lambdas.saas.fakes import FakeBuilds, FakeClock, FakeDeployments, FakePins, FakeStatuses
from tests.unit.lambdas.saas.leftover_fakes import FakeArchives, FakeBuildLogs
from tests.unit.lambdas.saas.lifecycle_fakes import (
    HOME,
    POLICY,
    REGION,
    TARGETS,
    TOOLCHAIN,
    WORKLOAD,
    DiedError,
    FakeCopies,
    FakeLifecycleStatuses,
    FakePipelines,
    FakeStacks,
    Fate,
    active,
)


@dataclass
class Machine:
    """An execution of the state machine: what it remembers, and when it goes on."""

    world: World
    name: str
    deployment_id: str
    memory: Memory = field(default_factory=Memory)
    done: bool = False
    wakes: datetime = field(init=False)
    started: str = field(init=False)

    def __post_init__(self) -> None:
        self.wakes = self.world.clock()
        self.started = stamp(self.wakes)

    def step(self) -> None:
        """Take one step when it is time to; a step that dies is taken again."""
        if self.done or self.world.clock() < self.wakes:
            return
        try:
            answer = self.world.lifecycle.step(
                self.deployment_id, execution=self.name, started=self.started, memory=self.memory
            )
        except DiedError:
            return
        self.memory, self.done = answer.memory, answer.done
        self.wakes = self.world.clock() + timedelta(seconds=answer.seconds)

    def run(self, *, until: timedelta | None = None, steps: int = 200) -> None:
        """Run to its end, in simulated time; or for some time of it."""
        end = self.world.clock() + until if until is not None else None
        for _ in range(steps):
            if self.done or (end and self.wakes > end):
                return
            self.world.clock.moment = max(self.world.clock.moment, self.wakes)
            self.step()
        raise AssertionError(f"{self.name} does not end: {self.world.statuses.items.get(self.deployment_id)}")


class World:
    """One deployment, `acme`, another that nothing concerns, and the machine's ports."""

    def __init__(self, *, policy: Policy = POLICY, status: Status | None = None) -> None:
        fate = self.fate = Fate()
        self.clock = FakeClock()
        self.deployments = FakeDeployments()
        self.statuses = FakeLifecycleStatuses(fate=fate)
        self.pipelines = FakePipelines(fate=fate)
        self.stacks = FakeStacks(fate=fate, on_delete=self._check_deletion, on_gone=self._lose_pipeline)
        self.archives = FakeArchives(clock=self.clock, fate=fate)
        self.copies = FakeCopies(fate=fate)
        self.logs = FakeBuildLogs(fate=fate)
        self.builds = FakeBuilds()
        self.pins = FakePins()
        self.lifecycle = Lifecycle(
            deployments=self.deployments,
            perform=Perform(
                statuses=self.statuses,
                pipelines=self.pipelines,
                stacks=self.stacks,
                archives=self.archives,
                copies=self.copies,
                logs=self.logs,
                prefix="granary",
            ),
            builds=self.builds,
            pins=self.pins,
            targets=TARGETS,
            policy=policy,
            home=Home(account=TOOLCHAIN, region=HOME),
            clock=self.clock,
        )
        self.stacks.on_look = self._flip
        self.flips: list[str] = []
        self.machines = 0
        for one in (status or active(), active("other")):
            self.add(one)

    def add(self, status: Status) -> None:
        """Have a deployment stand as its status says."""
        self.statuses.items[status.id] = status
        stacks = (*ComponentStacks.of(status).all(), *status.support_stacks)
        for one in filter(None, (*stacks, status.pipeline_stack)):
            self.stacks.put(one)
        if status.pipeline_stack:
            name = stack_name(status.pipeline_stack)
            self.pipelines.items[name] = Pipeline(gate="Build", newest="Succeeded")
        self.copies.items["silo", status.id] = status.revision_deployed
        self.row(status.id)

    def row(self, deployment_id: str = "acme", **attributes: Any) -> None:
        """Put the row of a deployment."""
        known = {"id": deployment_id, "type": "silo", "account": WORKLOAD, "region": REGION}
        self.deployments.items[deployment_id] = {**known, **attributes}

    def machine(self, deployment_id: str = "acme", *, counted: bool = False) -> Machine:
        """Start an execution."""
        self.machines += 1
        name, memory = f"{deployment_id}-{self.machines}", Memory(counted=counted)
        return Machine(world=self, name=name, deployment_id=deployment_id, memory=memory)

    @property
    def acme(self) -> Status:
        return self.statuses.items["acme"]

    def phase(self) -> Phase:
        """The phase now."""
        return self.acme.phase

    @property
    def pipeline(self) -> Pipeline:
        return self.pipelines.look("silo-acme-pipeline")

    def known(self) -> tuple[StackRef, ...]:
        """All stacks that acme's status tells of."""
        stacks = ComponentStacks.of(self.acme).all()
        return (*stacks, *self.acme.support_stacks, *filter(None, (self.acme.pipeline_stack,)))

    def look_at_pipeline(self, phase: Phase) -> None:
        """Have the watch write what the pipeline tells."""
        watch = FakeStatuses(items=self.statuses.items)
        seen = Observation(phase=phase, reason="no" if phase is Phase.FAILED else "", execution_id="e9")
        watch.observed("acme", seen, now=self.clock())

    def remove_row(self) -> None:
        """Remove acme's row, which onboard says."""
        del self.deployments.items["acme"]
        FakeStatuses(items=self.statuses.items).removed("acme", now=self.clock())

    def refuse_row(self, reason: str) -> bool:
        """Say that acme's row cannot be acted on, as onboard does."""
        return FakeStatuses(items=self.statuses.items).invalid("acme", reason=reason, now=self.clock())

    def wants_deletion(self) -> bool:
        """Whether acme may be deleted: it was retired, and nobody has taken that back; a pool's row is not its own."""
        row = self.deployments.items.get("acme")
        return row is None or row.get("state") == "retired" or row["type"] != "silo"

    def _check_deletion(self, one: StackRef) -> None:
        assert "other" not in stack_name(one), "another deployment's stack"
        if self.stacks.items[stack_name(one), one.account, one.region].status == "ROLLBACK_COMPLETE":
            return  # it holds nothing
        former = one in self.acme.former_stacks and not self._is_current(one)
        assert former or self.wants_deletion(), f"{one} is deleted, and the row does not ask for it"
        assert former or self.clock() >= moment(self.acme.retire_after), "the grace period is not over"
        self._check_archives(one)
        if one.kind == "pipeline":
            left = [stack for stack in ComponentStacks.of(self.acme).all() if self.stacks.stands(stack)]
            named = [stack for stack in left if any(stack.stack_id in warning for warning in self.acme.warnings)]
            assert left == named, "the pipeline goes before its component"

    def _is_current(self, one: StackRef) -> bool:
        """Whether a stack is the component's now, or stands where its pipeline deploys."""
        current = {(*ref.place, stack_name(ref)) for ref in self.acme.component_stacks}
        return one.place in self.acme.places or (*one.place, stack_name(one)) in current

    def _check_archives(self, one: StackRef) -> None:
        """What is deleted was archived for this end of it: neither for an earlier one, nor days ago."""
        stack = self.stacks.items.get((stack_name(one), one.account, one.region))
        if stack is None or not self.lifecycle.policy.archives:
            return
        since = self.clock() - timedelta(days=1)
        if self.phase() is Phase.RETIRING:
            since = max(since, moment(self.acme.retire_after))
        for stateful in stack.stateful:
            taken = [self.archives.taken[name] for name, kept in self.archives.items.items() if kept == stateful]
            assert any(when >= since for when in taken), f"{stateful} is lost"

    def _flip(self) -> None:
        """A person is quicker than the step that is under way: the row changes between two reads of it."""
        if state := self.flips.pop(0) if self.flips else "":
            self.row(state=state)

    def _lose_pipeline(self, name: str) -> None:
        self.pipelines.items.pop(name, None)
