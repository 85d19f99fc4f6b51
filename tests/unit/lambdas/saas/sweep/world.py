"""The sweep among fakes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from lambdas.common.errors import GranaryError
from lambdas.saas.model.names import DEPLOYMENT_TYPES, pipeline_name
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, parse_row
from lambdas.saas.model.status import Observation, Phase, StackRef, Status
from lambdas.saas.sweep.brake import Brake
from lambdas.saas.sweep.catch_up import CatchUp
from lambdas.saas.sweep.sweep import Sweep
from tests.unit.lambdas.saas.execution_fakes import FakeReleaseExecutions
from tests.unit.lambdas.saas.fakes import (
    RELEASE,
    FakeBuilds,
    FakeClock,
    FakeDeployments,
    FakeLifecycles,
    FakePins,
    FakeReleases,
    FakeStatuses,
)
from tests.unit.lambdas.saas.release_fakes import FakeRuns
from tests.unit.lambdas.saas.strategies import POLICY

STACK = StackRef(kind="pipeline", stack_id="arn:p", account="111111111111", region="eu-west-1")
NOTHING = dict.fromkeys(
    ("started", "invalid", "removed", "looked", "waiting", "lifecycle", "stopped", "caught_up", "unreadable"), 0
)

COMPONENT = replace(STACK, kind="component")


@dataclass
class World:
    """The sweep among fakes."""

    deployments: FakeDeployments = field(default_factory=FakeDeployments)
    statuses: FakeStatuses = field(default_factory=FakeStatuses)
    builds: FakeBuilds = field(default_factory=FakeBuilds)
    releases: FakeReleases = field(default_factory=FakeReleases)
    pins: FakePins = field(default_factory=FakePins)
    clock: FakeClock = field(default_factory=FakeClock)
    lifecycles: FakeLifecycles = field(default_factory=FakeLifecycles)
    looks: list[str] = field(default_factory=list)
    measured: list[int] = field(default_factory=list)
    problems: int = 0
    dead_runs: list[bool | Exception] = field(default_factory=list)
    runs: FakeRuns = field(default_factory=FakeRuns)
    executions: FakeReleaseExecutions = field(default_factory=FakeReleaseExecutions)
    deleted: set[str] = field(default_factory=set)
    unlisted: Exception | None = None
    retire_removed: bool = False
    confirmed: int = 0
    percent: int = 10
    held: int = 0
    size: int = 25

    def run(self) -> dict[str, int]:
        return Sweep(
            policy=POLICY,
            deployments=self.deployments,
            statuses=self.statuses,
            builds=self.builds,
            releases=self.releases,
            pins=self.pins,
            lifecycles=self.lifecycles,
            pipelines=self._pipelines,
            look=self.looks.append,
            measure=self._measure,
            stop_dead_run=lambda _now: self._dead_run(),
            catch_up=CatchUp(runs=self.runs, executions=self.executions),
            retire_removed=self.retire_removed,
            brake=Brake(percent=self.percent, confirmed=self.confirmed),
            max_ids_per_build=self.size,
            clock=self.clock,
        ).run()

    def fails(self) -> str:
        """Do a round in which something fails; answers what is said of it."""
        with pytest.raises(GranaryError, match=r"^all else was done, but these failed: ") as failed:
            self.run()
        return str(failed.value)

    def _pipelines(self) -> frozenset[str]:
        """All pipelines but those that were deleted."""
        if self.unlisted:
            raise self.unlisted
        names = {pipeline_name(kind, name) for kind in DEPLOYMENT_TYPES for name in self.statuses.items}
        return frozenset(names - self.deleted)

    def _measure(self, statuses: Collection[Status], unreadable: Collection[str], _now: datetime, held: int) -> None:
        self.held = held
        self.measured.append(len(statuses))
        self.problems = len(unreadable)

    def _dead_run(self) -> bool:
        found = self.dead_runs.pop(0) if self.dead_runs else False
        if isinstance(found, Exception):
            raise found
        return found

    def put(self, deployment_id: str, **changed: str) -> None:
        row = {"id": deployment_id, "type": "silo", "account": "222222222222", "region": "eu-west-1"}
        self.deployments.items[deployment_id] = {**row, **changed}

    def wish(self, deployment_id: str) -> DeploymentRecord:
        parsed = parse_row(self.deployments.items[deployment_id], POLICY)
        assert not isinstance(parsed, InvalidRow)
        return parsed

    def provision(self, deployment_id: str) -> None:
        """Do what a build and the pipeline's first execution do."""
        wish = self.wish(deployment_id)
        now = self.clock()
        assert self.statuses.claim(wish, build_id="b", revision=RELEASE.revision, now=now)
        assert self.statuses.provisioned(wish, build_id="b", stack=STACK, now=now)
        seen = Observation(phase=Phase.ACTIVE, execution_id="e", revision="r", stacks=(COMPONENT,))
        self.statuses.observed(deployment_id, seen, now=now)
