"""The two designs under small bursts: nothing is created or forgotten by the simulation itself."""

from __future__ import annotations

import pytest

from tests.bench.burst.codebuild import Limits
from tests.bench.burst.factory import Factory
from tests.bench.burst.sample import Sample
from tests.bench.burst.scenario import Outcome, Pace, Scenario

Design = type[Factory] | type[Sample]

SCENARIOS = (
    Scenario(name="at once", rows=60),
    Scenario(name="spread", rows=60, spread_seconds=20.0),
    Scenario(name="twice", rows=60, deliveries=2),
    Scenario(name="tight", rows=60, limits=Limits(running=1, throttled=0.4)),
)


def simulate(design: Design, scenario: Scenario, seed: int = 1) -> Outcome:
    return design(scenario, seed=seed, pace=Pace()).run()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("design", [Factory, Sample])
def test_every_row_is_provisioned_or_lost(design: Design, scenario: Scenario) -> None:
    outcome = simulate(design, scenario)
    assert outcome.once + outcome.doubled + outcome.lost == scenario.rows
    assert set(outcome.provisioned) <= {row["id"] for _, row in scenario.arrivals()}
    counts = outcome.counts
    assert counts.calls == outcome.builds + counts.throttled + counts.refused + counts.repeated


@pytest.mark.parametrize("design", [Factory, Sample])
def test_a_seed_decides_everything(design: Design) -> None:
    scenario = SCENARIOS[-1]
    assert simulate(design, scenario, 7) == simulate(design, scenario, 7)
    assert simulate(design, scenario, 7).counts != simulate(design, scenario, 8).counts


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_factory_provisions_every_row_once(scenario: Scenario) -> None:
    outcome = simulate(Factory, scenario)
    assert outcome.once == scenario.rows


def test_the_sample_loses_what_is_throttled_or_refused() -> None:
    outcome = simulate(Sample, SCENARIOS[-1])
    assert outcome.lost == outcome.counts.throttled + outcome.counts.refused > 0
