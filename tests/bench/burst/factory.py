"""Granary under a burst: its own onboarding, sweep and provisioning code, on simulated services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from buildspecs.saas.provision.pipelines import Deployed
from buildspecs.saas.provision.provisioning import Provisioning
from config.loader import load
from constructs_lib.saas.onboarding import ROWS_BATCH_SIZE, ROWS_WINDOW_SECONDS
from lambdas.saas.model.names import pipeline_name
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Status
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.onboard.onboarding import Onboarding
from lambdas.saas.onboard.plan import Look
from lambdas.saas.store.builds import ProvisioningBuilds
from lambdas.saas.store.takeovers import NOTHING_FOUND
from lambdas.saas.sweep.brake import Brake
from lambdas.saas.sweep.catch_up import CatchUp
from lambdas.saas.sweep.sweep import Sweep
from tests.bench.burst.codebuild import Build, CodeBuild
from tests.bench.burst.scenario import ACCOUNT, REGION, Outcome, Pace, Scenario
from tests.bench.burst.simulation import Process, Simulation
from tests.bench.burst.stream import Delivery, Record, Stream
from tests.unit.buildspecs.saas.provision.fakes import FakePipelines
from tests.unit.lambdas.saas.execution_fakes import FakeReleaseExecutions
from tests.unit.lambdas.saas.fakes import (
    RELEASE,
    FakeDeployments,
    FakeLifecycles,
    FakePins,
    FakeReleases,
    FakeStatuses,
)
from tests.unit.lambdas.saas.release_fakes import FakeRuns

POLICY = TargetPolicy(partition="aws", regions=frozenset({REGION}), accounts=frozenset({ACCOUNT}))
# The sweep goes on for so long; by then every scenario is over.
SWEPT_SECONDS = 3 * 3600.0


@dataclass
class PacedDeployments(FakeDeployments):
    """The deployments table, the reading of whose rows takes its time."""

    pause: Callable[[], None] = field(default=lambda: None)

    def get(self, deployment_id: str) -> dict[str, Any] | None:
        self.pause()
        return super().get(deployment_id)


@dataclass
class PacedStatuses(FakeStatuses):
    """The status table, whose most frequent write takes its time."""

    pause: Callable[[], None] = field(default=lambda: None)

    def pending(
        self, record: DeploymentRecord, *, reason: str, now: datetime, build_id: str = "", anew: bool = False
    ) -> bool:
        self.pause()
        return super().pending(record, reason=reason, now=now, build_id=build_id, anew=anew)


@dataclass
class PacedPipelines(FakePipelines):
    """Pipelines whose deployment takes its time."""

    pause: Callable[[], None] = field(default=lambda: None)

    def deploy(self, record: DeploymentRecord, *, assembly: Path, say: Callable[[str], None]) -> Deployed:
        self.pause()
        return super().deploy(record, assembly=assembly, say=say)


class Factory:
    """The factory's functions and builds, and all that they work on."""

    def __init__(self, scenario: Scenario, *, seed: int, pace: Pace) -> None:
        settings = load().toolchain.provisioning
        self._scenario, self._pace = scenario, pace
        self._max_ids, self._concurrency = settings.max_ids_per_build, settings.deploy_concurrency
        self._sweep_seconds = settings.sweep_minutes * 60.0
        self._simulation = Simulation()
        self._deployments = FakeDeployments()
        self._statuses: dict[str, Status] = {}
        self._stacks: dict[str, DeploymentRecord] = {}
        self._deployed: list[str] = []
        self._last = 0.0
        self._looked: list[str] = []  # the watch on pipelines is no part of this
        self._codebuild = CodeBuild(self._simulation, limits=scenario.limits, seed=seed, work=self._provision)
        delivery = Delivery(batch_size=ROWS_BATCH_SIZE, window_seconds=ROWS_WINDOW_SECONDS, times=scenario.deliveries)
        self._stream = Stream(self._simulation, delivery=delivery, function=self._onboard)

    def run(self) -> Outcome:
        """Put the rows, and let time pass until nothing happens any more."""
        for moment, row in self._scenario.arrivals():
            self._simulation.after(moment, partial(self._put, row))
        for number in range(1, int(SWEPT_SECONDS / self._sweep_seconds) + 1):
            self._simulation.after(number * self._sweep_seconds, lambda: self._simulation.start(self._sweep))
        self._simulation.run()
        return Outcome(
            rows=self._scenario.rows,
            provisioned=Counter(self._deployed),
            last_seconds=self._last,
            builds=len(self._codebuild.builds),
            batches=self._stream.batches,
            counts=self._codebuild.counts,
            phases=Counter(status.phase for status in self._statuses.values()),
        )

    def _put(self, row: Mapping[str, str]) -> None:
        self._deployments.items[row["id"]] = dict(row)
        self._stream.put(row)

    def _onboard(self, batch: Sequence[Record], process: Process) -> Sequence[str]:
        return Onboarding(
            policy=POLICY,
            deployments=PacedDeployments(
                items=self._deployments.items, pause=lambda: process.sleep(self._pace.row_read)
            ),
            statuses=self._paced(process),
            builds=self._builds(process),
            releases=FakeReleases(),
            pins=FakePins(),
            lifecycles=FakeLifecycles(),
            max_ids_per_build=self._max_ids,
            dead_letter=_dead_letter,
            clock=self._simulation.clock,
        ).handle(batch)

    def _sweep(self, process: Process) -> None:
        Sweep(
            pipelines=lambda: {pipeline_name(one.type, one.id) for one in self._statuses.values()},
            policy=POLICY,
            deployments=self._deployments,
            statuses=self._paced(process),
            builds=self._builds(process),
            releases=FakeReleases(),
            pins=FakePins(),
            lifecycles=FakeLifecycles(),
            look=self._looked.append,
            measure=lambda _statuses, _unreadable, _now, _held: None,
            brake=Brake(percent=10),
            stop_dead_run=lambda _now: False,
            catch_up=CatchUp(runs=FakeRuns(), executions=FakeReleaseExecutions()),
            retire_removed=False,
            max_ids_per_build=self._max_ids,
            clock=self._simulation.clock,
        ).run()

    def _provision(self, build: Build, process: Process) -> None:
        process.sleep(self._pace.build_start)
        Provisioning(
            gone=lambda _ref: False,
            build_id=build.id,
            release=RELEASE,
            policy=POLICY,
            deployments=self._deployments,
            statuses=FakeStatuses(items=self._statuses),
            pipelines=PacedPipelines(stacks=self._stacks, deployed=self._deployed, pause=lambda: self._deploy(process)),
            missing=lambda _account, _region: None,
            refusals=lambda *_: {},
            adopt=lambda *_, **__: NOTHING_FOUND,
            synthesize=lambda records, out: self._synthesize(records, out, process),
            # One at a time, each in a part of the time, is as fast as several at once, and the same in every run.
            concurrency=1,
            clock=self._simulation.clock,
            say=lambda _text: None,
        ).run(build.ids)

    def _deploy(self, process: Process) -> None:
        process.sleep(self._pace.deploy / self._concurrency)
        self._last = self._simulation.now

    def _synthesize(self, records: Sequence[DeploymentRecord], out: Path, process: Process) -> None:
        process.sleep(self._pace.synth(len(records)))
        out.mkdir()

    def _paced(self, process: Process) -> PacedStatuses:
        return PacedStatuses(items=self._statuses, pause=lambda: process.sleep(self._pace.status_write))

    def _builds(self, process: Process) -> ProvisioningBuilds:
        return ProvisioningBuilds(
            client=self._codebuild.client(process), project="provisioning", releases_bucket="releases"
        )


def _dead_letter(look: Look, reason: str) -> None:
    raise RuntimeError(f"deployment {look.id} came to the dead letters, which no scenario provokes: {reason}")
