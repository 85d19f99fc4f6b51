"""A fleet in which rows pin releases: everything that moves tenants, on the same tables, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from lambdas.common.clock import stamp
from lambdas.saas.lifecycle.facts import Memory, Pipeline
from lambdas.saas.lifecycle.perform import Perform
from lambdas.saas.lifecycle.step import Home, Lifecycle
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.record import DeploymentRecord, parse_row, pin_of
from lambdas.saas.model.releases import Release
from lambdas.saas.model.rings import ReleasePolicy, RingPolicy
from lambdas.saas.model.status import Observation, Phase, StackRef
from lambdas.saas.onboard.onboarding import Onboarding
from lambdas.saas.sweep.brake import Brake
from lambdas.saas.sweep.catch_up import CatchUp
from lambdas.saas.sweep.sweep import Sweep
from tests.unit.lambdas.saas.execution_fakes import FakeReleaseExecutions
from tests.unit.lambdas.saas.fakes import FakeBuilds, FakeLifecycles, FakePins, FakeReleases
from tests.unit.lambdas.saas.leftover_fakes import FakeArchives, FakeBuildLogs
from tests.unit.lambdas.saas.lifecycle_fakes import POLICY, FakeCopies, FakeLifecycleStatuses, FakeStacks
from tests.unit.lambdas.saas.onboard.world import record
from tests.unit.lambdas.saas.release.world import (
    ACCOUNT,
    HOME,
    OLD,
    REGION,
    TARGETS,
    Histories,
    Machine,
    World,
    provisioned,
    release_of,
    row,
)

# One that fails in each of two rings is within the budget: its run SUCCEEDS without it.
RINGS = ReleasePolicy(
    concurrency=2,
    rings=(RingPolicy(name="canary", percent=30, max_failures=1), RingPolicy(name="general", max_failures=1)),
)


@dataclass
class Pipelines:
    """The tenants' pipelines as the lifecycle machine starts them, with the copies that they have by then."""

    histories: Histories
    copies: FakeCopies
    tokens: dict[str, str] = field(default_factory=dict)

    def look(self, name: str) -> Pipeline:
        known = self.histories.all.get(name, [])
        running = tuple(one.id for one in known if one.status == "InProgress")
        return Pipeline(gate="Build", running=running, newest=known[-1].status if known else "Succeeded")

    def start(self, name: str, *, token: str) -> None:
        if token not in self.tokens:
            self.tokens[token] = f"l{len(self.tokens)}"
            self.begin(name.removeprefix("silo-").removesuffix("-pipeline"), self.tokens[token])

    def begin(self, deployment_id: str, execution_id: str) -> None:
        """Fetch the tenant's copy; a newer execution takes the place of one that runs."""
        name = pipeline_name("silo", deployment_id)
        for one in self.histories.all.get(name, []):
            if one.status == "InProgress":
                self.histories.finish(name, one.id, "Superseded")
        self.histories.begin(deployment_id, self.copies.items["silo", deployment_id], execution_id)

    def disable(self, name: str, *, stage: str, reason: str) -> None:
        raise AssertionError(f"{name} is disabled at {stage}: {reason}")

    def enable(self, name: str, *, stage: str) -> None:
        raise AssertionError(f"{name} is enabled at {stage}")

    def stop(self, name: str, *, execution_id: str, reason: str) -> None:
        raise AssertionError(f"{name}: {execution_id} is stopped: {reason}")


@dataclass
class Builds(FakeBuilds):
    """Provisioning builds that wait for `PinWorld.build`, each with its release."""

    waiting: list[tuple[str, str, Release]] = field(default_factory=list)

    def start(self, ids: Sequence[str], *, release: Release, token: str) -> str:
        build_id = super().start(ids, release=release, token=token)
        self.waiting += [(build_id, one, release) for one in ids]
        return build_id


@dataclass
class Executions(FakeReleaseExecutions):
    """Executions of the release machine, which begin as soon as they are started."""

    on_start: Callable[[str, Mapping[str, Any]], None] = lambda _name, _given: None

    def start(self, name: str, given: Mapping[str, Any]) -> bool:
        new = super().start(name, given)
        if new:
            self.on_start(name, given)
        return new


@dataclass
class PinWorld:
    """Releases, the sweep, onboarding, builds and lifecycle machines; `wrong` tells what was done against a pin."""

    world: World = field(default_factory=lambda: World(policy=RINGS))
    releases: list[Machine] = field(default_factory=list)
    lifecycles: FakeLifecycles = field(default_factory=FakeLifecycles)
    machines: list[tuple[str, str, Memory]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    counter: int = 0

    def __post_init__(self) -> None:
        clock = self.world.clock
        self.pins = FakePins(published={release_of(number).revision: release_of(number) for number in range(4)})
        self.copies = FakeCopies()
        self.pipelines = Pipelines(self.world.histories, self.copies)
        self.builds = Builds()
        self.executions = Executions(on_start=self._begin_run)
        self.statuses = FakeLifecycleStatuses(items=self.world.statuses.items)
        self.stacks = FakeStacks()
        self.world.pipelines.on_start = self._started
        self.lifecycle = Lifecycle(
            deployments=self.world.deployments,
            perform=Perform(
                statuses=self.statuses,
                pipelines=self.pipelines,
                stacks=self.stacks,
                archives=FakeArchives(clock=clock),
                copies=self.copies,
                logs=FakeBuildLogs(),
                prefix="granary",
            ),
            builds=self.builds,
            pins=self.pins,
            targets=TARGETS,
            policy=POLICY,
            home=Home(account=HOME, region=REGION),
            clock=clock,
        )

    def settle_in(self, *ids: str) -> None:
        """Add tenants that stand at the first release."""
        for name in ids:
            ref = StackRef(kind="component", stack_id=f"silo-{name}-resources", account=ACCOUNT, region=REGION)
            self.stacks.put(ref)
            self.world.deployments.items[name] = row(name)
            digest = self.wish(name).digest()
            self.world.statuses.items[name] = replace(
                provisioned(name), applied_digest=digest, wanted_digest=digest, component_stacks=(ref,)
            )
            self.copies.items["silo", name] = OLD

    def wish(self, name: str) -> DeploymentRecord:
        wish = parse_row(self.world.deployments.items[name], TARGETS)
        assert isinstance(wish, DeploymentRecord)
        return wish

    def pin(self, name: str) -> str:
        """What its row pins now."""
        return pin_of(self.world.deployments.items[name], stamp(self.world.clock()))

    def put(self, name: str, revision: str = "", *, seconds: int = 0) -> None:
        """Have a row pin a release, for some time if that is given, or nothing; the stream tells of it."""
        pinned = {"revision": revision} if revision else {}
        if seconds:
            pinned["revision_until"] = stamp(self.world.clock() + timedelta(seconds=seconds))
        self.world.deployments.items[name] = row(name, **pinned)
        self.counter += 1
        self.onboarding.handle([record(self.counter, name, self.world.deployments.items[name])])
        self._take_machines()

    @property
    def onboarding(self) -> Onboarding:
        return Onboarding(
            policy=TARGETS,
            deployments=self.world.deployments,
            statuses=self.world.statuses,
            builds=self.builds,
            releases=self._current,
            pins=self.pins,
            lifecycles=self.lifecycles,
            max_ids_per_build=10,
            dead_letter=lambda look, reason: self.wrong.append(f"{look.id}: {reason}"),
            clock=self.world.clock,
        )

    @property
    def _current(self) -> FakeReleases:
        return FakeReleases(release=self.world.shelf.current[-1] if self.world.shelf.current else release_of(0))

    def sweep(self) -> None:
        """A round of the sweep, some time after the last."""
        self.world.clock.pass_time(minutes=11)
        Sweep(
            policy=TARGETS,
            deployments=self.world.deployments,
            statuses=self.world.statuses,
            builds=self.builds,
            releases=self._current,
            pins=self.pins,
            lifecycles=self.lifecycles,
            pipelines=lambda: {pipeline_name("silo", name) for name in self.world.statuses.items},
            look=self._look,
            measure=lambda _statuses, _unreadable, _now, _held: None,
            stop_dead_run=lambda _now: False,
            catch_up=CatchUp(runs=self.world.runs, executions=self.executions),
            retire_removed=False,
            brake=Brake(percent=10),
            max_ids_per_build=10,
            clock=self.world.clock,
        ).run()
        self._take_machines()

    def _look(self, pipeline: str) -> None:
        self.world.watch.look(pipeline)

    def publish(self) -> None:
        """CI/CD publishes the next release, which starts it."""
        number = len({machine.release.revision for machine in self.releases}) + 1
        release = release_of(number)
        self.executions.start(f"run{number}-00000000", {"release": {"revision": release.revision}})

    def _begin_run(self, name: str, given: Mapping[str, Any]) -> None:
        release = self.pins.published[given["release"]["revision"]]
        resumes, catch_up = given.get("resumes", ""), bool(given.get("catch_up"))
        self.releases.append(Machine(self.world, name, release, resumes=resumes, catch_up=catch_up))

    def _started(self, name: str, revision: str, execution_id: str) -> None:
        """A release starts a tenant's pipeline: never against what its row pins."""
        if (pin := self.pin(name)) not in ("", revision):
            self.wrong.append(f"a release takes {name} to {revision}, and its row pins {pin}")
        self.copies.items["silo", name] = revision
        self.pipelines.begin(name, execution_id)

    def _take_machines(self) -> None:
        for name in self.lifecycles.started:
            self.counter += 1
            self.machines.append((f"m{self.counter}", name, Memory()))
        self.lifecycles.started.clear()

    def step_machine(self, index: int = 0) -> None:
        """Let a lifecycle machine take a step; it begins with the current release."""
        execution, name, memory = self.machines.pop(index)
        self.copies.release = self._current.release
        answer = self.lifecycle.step(name, execution=execution, started=stamp(self.world.clock()), memory=memory)
        if not answer.done:
            self.machines.append((execution, name, answer.memory))

    def build(self) -> None:
        """Let a build provision a deployment as every version of it does, knowing nothing of pins."""
        build_id, name, release = self.builds.waiting.pop(0)
        statuses, now = self.world.statuses, self.world.clock()
        status, wish = statuses.items.get(name), self.wish(name).unpinned()
        self.builds.over.add(build_id)
        fresh = status is None or not status.revision_deployed
        settled = status and status.phase in (Phase.ACTIVE, Phase.UPDATING, Phase.PROVISIONING)
        if settled and status and status.applied_digest == wish.digest() and not status.claimed_by:
            return
        revision = release.revision if fresh or status is None else status.revision_wanted
        if not statuses.claim(wish, build_id=build_id, revision=revision, now=now):
            return
        if fresh:
            self.copies.items["silo", name] = release.revision
        stack = StackRef(kind="pipeline", stack_id=f"arn:{name}", account=HOME, region=REGION)
        newest = self.pipelines.look(pipeline_name("silo", name))
        if newest.newest == "Succeeded" and not fresh:
            statuses.observed(name, Observation(phase=Phase.ACTIVE, execution_id="e"), now=now)
        elif not newest.running:
            self.pipelines.begin(name, f"b{build_id}{name}")
        statuses.provisioned(wish, build_id=build_id, stack=stack, now=now)
