"""A world in which the lifecycle machine runs: one deployment, its stacks, and time that passes when it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lambdas.common.clock import moment, stamp
from lambdas.common.component_stacks import ComponentStacks, stack_name
from lambdas.common.status import Phase, StackRef, Status
from lambdas.saas.lifecycle.facts import Memory, Pipeline
from lambdas.saas.lifecycle.goal import Policy
from lambdas.saas.lifecycle.step import Home, Lifecycle
from tests.unit.lambdas.fakes import FakeClock, FakeDeployments
from tests.unit.lambdas.lifecycle_fakes import (
    HOME,
    POLICY,
    REGION,
    TARGETS,
    TOOLCHAIN,
    WORKLOAD,
    DiedError,
    FakeArchives,
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
        self.archives = FakeArchives(fate=fate)
        self.copies = FakeCopies(fate=fate)
        self.lifecycle = Lifecycle(
            deployments=self.deployments,
            statuses=self.statuses,
            pipelines=self.pipelines,
            stacks=self.stacks,
            archives=self.archives,
            copies=self.copies,
            targets=TARGETS,
            policy=policy,
            home=Home(account=TOOLCHAIN, region=HOME),
            prefix="granary",
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

    def machine(self, deployment_id: str = "acme") -> Machine:
        """Start an execution."""
        self.machines += 1
        return Machine(world=self, name=f"{deployment_id}-{self.machines}", deployment_id=deployment_id)

    @property
    def acme(self) -> Status:
        return self.statuses.items["acme"]

    def phase(self) -> Phase:
        """The phase now."""
        return self.acme.phase

    @property
    def pipeline(self) -> Pipeline:
        return self.pipelines.look("silo-acme-pipeline")

    def wants_deletion(self) -> bool:
        """Whether acme may be deleted: it was retired, and nobody has taken that back."""
        row = self.deployments.items.get("acme")
        return row is None or row.get("state") == "retired"

    def _check_deletion(self, one: StackRef) -> None:
        assert "other" not in stack_name(one), "another deployment's stack"
        former = one in self.acme.former_stacks
        assert former or self.wants_deletion(), f"{one} is deleted, and the row does not ask for it"
        assert former or self.clock() >= moment(self.acme.retire_after), "the grace period is not over"
        if one.kind == "pipeline":
            left = [stack for stack in ComponentStacks.of(self.acme).all() if self.stacks.stands(stack)]
            named = [stack for stack in left if any(stack.stack_id in warning for warning in self.acme.warnings)]
            assert left == named, "the pipeline goes before its component"

    def _flip(self) -> None:
        """A person is quicker than the step that is under way: the row changes between two reads of it."""
        if state := self.flips.pop(0) if self.flips else "":
            self.row(state=state)

    def _lose_pipeline(self, name: str) -> None:
        self.pipelines.items.pop(name, None)
