"""A provisioning build whose pipelines, synth and pre-flight are in memory and fail on demand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from buildspecs.saas.provision.pipelines import Deployed
from buildspecs.saas.provision.provisioning import Provisioning
from buildspecs.synthesis import SynthesisError
from lambdas.common.errors import GranaryError
from lambdas.saas.model.contract import contract_needed
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.releases import Release
from lambdas.saas.model.status import StackRef
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.store.takeovers import NOTHING_FOUND, Found
from tests.unit.lambdas.saas.fakes import RELEASE, FakeClock, FakeDeployments, FakeStatuses
from tests.unit.lambdas.saas.strategies import POLICY

BUILD = "granary-provisioning:1"
SYNTH_ERROR = SynthesisError("synth failed: KeyError: 'no such image'")
STACK_ERROR = GranaryError("stack silo-a-pipeline could not be deployed: Role (AWS::IAM::Role): denied")
FAULT = ConnectionError("reset by peer")


def row(deployment_id: str, **attributes: Any) -> dict[str, Any]:
    """A good row, or one that `attributes` spoil."""
    return {
        "id": deployment_id,
        "type": "silo",
        "account": "222222222222",
        "region": "eu-west-1",
        **attributes,
    }


@dataclass
class Rows(FakeDeployments):
    """The deployments table; `unreadable` ids raise on every read, as a fault of the service would."""

    unreadable: frozenset[str] = frozenset()

    def get(self, deployment_id: str) -> dict[str, Any] | None:
        if deployment_id in self.unreadable:
            raise FAULT
        return super().get(deployment_id)


@dataclass
class FakePipelines:
    """Pipelines that are deployed by being remembered; `faults` are raised in (step, id)."""

    region: str = "us-east-1"
    faults: dict[tuple[str, str], Exception] = field(default_factory=dict)
    stacks: dict[str, DeploymentRecord] = field(default_factory=dict)
    pinned: dict[str, Release] = field(default_factory=dict)
    deployed: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    on_deploy: dict[str, Callable[[], Any]] = field(default_factory=dict)

    def outdated(self, record: DeploymentRecord) -> bool:
        return record.id in self.pinned and self.pinned[record.id].contract < contract_needed(None, vars(record))

    def pin(self, record: DeploymentRecord, release: Release, *, fresh: bool = False) -> None:
        self._step("pin", record)
        if fresh:
            self.pinned.pop(record.id, None)
        self.pinned.setdefault(record.id, release)

    def deploy(self, record: DeploymentRecord, *, assembly: Path, say: Callable[[str], None]) -> Deployed:
        self._step("deploy", record)
        assert assembly.parent.is_dir()
        changed = self.stacks.get(record.id) != record
        self.stacks[record.id] = record
        self.deployed.append(record.id)
        self.on_deploy.pop(record.id, lambda: None)()
        return Deployed(stack=stack_of(record.id), changed=changed)

    def run(self, record: DeploymentRecord, *, deployed: Deployed, token: str, again: bool = False) -> str | None:
        self._step("run", record)
        self.tokens.append(token)
        return None if deployed.changed or again else f"execution-{record.id}"

    def _step(self, name: str, record: DeploymentRecord) -> None:
        if fault := self.faults.get((name, record.id)):
            raise fault


def stack_of(deployment_id: str) -> StackRef:
    return StackRef(kind="pipeline", stack_id=f"arn:{deployment_id}", account="111111111111", region="us-east-1")


@dataclass
class World:
    """All that a build meets: tables, pipelines, synth and pre-flight."""

    deployments: Rows = field(default_factory=Rows)
    statuses: FakeStatuses = field(default_factory=FakeStatuses)
    pipelines: FakePipelines = field(default_factory=FakePipelines)
    clock: FakeClock = field(default_factory=FakeClock)
    synths: list[tuple[str, ...]] = field(default_factory=list)
    unsynthesizable: dict[str, Exception] = field(default_factory=dict)
    lacking: dict[str, str | Exception] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    counted: list[str] = field(default_factory=list)
    asked: list[DeploymentRecord] = field(default_factory=list)
    moving: set[str] = field(default_factory=set)
    found: dict[str, Found] = field(default_factory=dict)
    looked: list[tuple[DeploymentRecord, bool]] = field(default_factory=list)
    gone: set[StackRef] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    concurrency: int = 2
    policy: TargetPolicy = POLICY

    def put(self, *rows: dict[str, Any]) -> None:
        self.deployments.items.update({row["id"]: row for row in rows})

    def build(self, build_id: str = BUILD) -> Provisioning:
        return Provisioning(
            build_id=build_id,
            release=RELEASE,
            policy=self.policy,
            deployments=self.deployments,
            statuses=self.statuses,
            pipelines=self.pipelines,
            missing=self._missing,
            gone=lambda ref: ref in self.gone,
            refusals=self._refusals,
            adopt=self._adopt,
            synthesize=self._synthesize,
            concurrency=self.concurrency,
            clock=self.clock,
            say=self.told.append,
        )

    def _missing(self, account: str, region: str) -> str | None:
        lacking = self.lacking.get(account) or self.lacking.get(region)
        if isinstance(lacking, Exception):
            raise lacking
        return lacking

    def _refusals(self, records: Sequence[DeploymentRecord], moving: Collection[str]) -> dict[str, str]:
        self.counted += [record.id for record in records]
        self.asked += records
        self.moving |= set(moving)
        return {record.id: self.refused[record.id] for record in records if record.id in self.refused}

    def _adopt(self, record: DeploymentRecord, assembly: Path, *, moving: bool) -> Found:
        assert assembly.is_dir()
        self.looked.append((record, moving))
        return self.found.get(record.id, NOTHING_FOUND)

    def _synthesize(self, records: Sequence[DeploymentRecord], out: Path) -> None:
        self.synths.append(tuple(record.id for record in records))
        for record in records:
            if error := self.unsynthesizable.get(record.id):
                raise error
        out.mkdir()
