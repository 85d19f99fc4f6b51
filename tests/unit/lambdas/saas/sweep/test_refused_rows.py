"""Rows that the functions take, and that the source of the release that they are built from calls invalid."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lambdas.saas.model.status import Phase, Status
from tests.unit.buildspecs.saas.provision.fakes import Rows, row
from tests.unit.buildspecs.saas.provision.fakes import World as Source
from tests.unit.lambdas.saas.fakes import RELEASE
from tests.unit.lambdas.saas.strategies import POLICY
from tests.unit.lambdas.saas.sweep.world import World

ROW = row("a", region="us-east-1")
NEXT = replace(RELEASE, revision="next")


@dataclass
class Factory:
    """A sweep that knows more Regions than the source whose builds it starts."""

    sweep: World = field(default_factory=World)
    built: int = 0

    def __post_init__(self) -> None:
        self.source = Source(
            deployments=Rows(items=self.sweep.deployments.items),
            statuses=self.sweep.statuses,
            clock=self.sweep.clock,
            policy=replace(POLICY, regions=frozenset({"eu-west-1"})),
        )

    def put(self, **changed: Any) -> None:
        self.sweep.deployments.items["a"] = {**ROW, **changed}

    def round(self) -> Status:
        """A round of the sweep, and the build that it starts."""
        self.sweep.run()
        for ids in self.sweep.builds.started[self.built :]:
            self.built += 1
            self.source.build(f"granary-provisioning:{self.built}").run(ids)
        self.sweep.clock.pass_time(minutes=5)
        return self.sweep.statuses.items["a"]

    def day(self) -> int:
        """How many builds a day of rounds starts."""
        before = self.built
        for _ in range(24 * 12):
            assert self.round().phase is Phase.INVALID
        return self.built - before


@pytest.fixture
def factory() -> Factory:
    factory = Factory()
    factory.put()
    return factory


def test_builds_are_tried_less_and_less_often_and_at_once_with_the_next_release(factory: Factory) -> None:
    assert factory.day() <= 12
    status = factory.round()
    assert "us-east-1" in status.reason
    assert (status.refused_by, status.retry) == (RELEASE.revision, False)
    factory.source.policy, factory.sweep.releases.release = POLICY, NEXT
    status = factory.round()
    assert (status.phase, status.refused_by, status.attempts) == (Phase.PROVISIONING, "", 0)


def test_under_a_pin_no_other_release_has_it_tried(factory: Factory) -> None:
    factory.sweep.pins.published = {RELEASE.revision: RELEASE}
    factory.put(revision=RELEASE.revision)
    assert factory.day() <= 12
    factory.sweep.releases.release = NEXT
    assert factory.day() <= 5


def test_another_row_is_tried_at_once(factory: Factory) -> None:
    factory.day()
    before = factory.built
    factory.put(size="large")
    assert factory.round().phase is Phase.INVALID
    factory.put(region="eu-west-1")
    assert factory.round().phase is Phase.PROVISIONING
    assert factory.built == before + 2


def test_what_the_functions_refuse_and_take_again_is_tried_at_once(factory: Factory) -> None:
    """Given a row that its release refuses, when it is spoilt for the functions too, then mended, a build looks."""
    factory.day()
    before = factory.built
    factory.put(region="mars-1")
    status = factory.round()
    assert (status.refused_by, factory.built) == ("", before)
    factory.put()
    assert factory.round().refused_by == RELEASE.revision
    assert factory.built == before + 1
