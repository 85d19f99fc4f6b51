"""Onboarding among fakes, and what its stream says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lambdas.common.dynamo import read_item, write_value
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Phase, Status
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.onboard.onboarding import Onboarding
from lambdas.saas.onboard.plan import Look
from tests.unit.lambdas.saas.fakes import (
    FakeBuilds,
    FakeClock,
    FakeDeployments,
    FakeLifecycles,
    FakePins,
    FakeReleases,
    FakeStatuses,
)
from tests.unit.lambdas.saas.strategies import POLICY


@dataclass
class World:
    """Onboarding among fakes."""

    deployments: FakeDeployments = field(default_factory=FakeDeployments)
    statuses: FakeStatuses = field(default_factory=FakeStatuses)
    builds: FakeBuilds = field(default_factory=FakeBuilds)
    releases: FakeReleases = field(default_factory=FakeReleases)
    pins: FakePins = field(default_factory=FakePins)
    clock: FakeClock = field(default_factory=FakeClock)
    dead: list[tuple[Look, str]] = field(default_factory=list)
    lifecycles: FakeLifecycles = field(default_factory=FakeLifecycles)
    size: int = 25
    policy: TargetPolicy = POLICY

    @property
    def onboarding(self) -> Onboarding:
        return Onboarding(
            policy=self.policy,
            deployments=self.deployments,
            statuses=self.statuses,
            builds=self.builds,
            releases=self.releases,
            pins=self.pins,
            lifecycles=self.lifecycles,
            max_ids_per_build=self.size,
            dead_letter=lambda look, reason: self.dead.append((look, reason)),
            clock=self.clock,
        )

    def insert(self, *ids: str) -> list[dict[str, Any]]:
        """Put a row each; answers what the stream says of that."""
        return [self.put(number, row(deployment_id)) for number, deployment_id in enumerate(ids)]

    def put(self, number: int, item: dict[str, Any]) -> dict[str, Any]:
        """Put a row; answers the stream's record with that number."""
        self.deployments.items[item["id"]] = item
        return record(number, item["id"], item)

    def phase(self, deployment_id: str) -> Phase:
        return self.statuses.items[deployment_id].phase


def row(deployment_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "id": deployment_id,
        "type": "silo",
        "account": "222222222222",
        "region": "eu-west-1",
        **changed,
    }


def record(number: int, deployment_id: str, image: dict[str, Any] | None) -> dict[str, Any]:
    change: dict[str, Any] = {"Keys": {"id": {"S": deployment_id}}, "SequenceNumber": f"{number:06}"}
    if image is None:
        return {"eventName": "REMOVE", "dynamodb": change}
    typed = {name: write_value(value) for name, value in image.items()}
    return {"eventName": "INSERT", "dynamodb": {**change, "NewImage": typed}}


def put_sample(rows: dict[str, dict[str, Any]], sample: Callable[[str], Any]) -> None:
    """Make the rows what the sample's records left behind."""
    for change in (entry["dynamodb"] for entry in sample("deployments_stream")["Records"]):
        if "NewImage" in change:
            rows[change["Keys"]["id"]["S"]] = read_item(change["NewImage"])


def claimed_status(deployment_id: str) -> Status:
    """A status that a build holds."""
    statuses = FakeStatuses()
    wish = DeploymentRecord(**row(deployment_id))
    statuses.claim(wish, build_id="b", revision="r", now=FakeClock()())
    return statuses.items[deployment_id]
