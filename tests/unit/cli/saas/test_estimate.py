"""`plan cost`: estimates for so many tenants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.saas.estimate import Assumptions, estimate
from lambdas.saas.model.rings import RingPolicy
from tests.unit.cli.saas.factory import Factory

RINGS = (
    RingPolicy(name="canary", percent=1, minimum=1, bake_minutes=10, concurrency=50),
    RingPolicy(name="general", concurrency=50),
)


def test_a_release_takes_its_waves_and_its_bake_times() -> None:
    found = estimate(101, RINGS, Assumptions(pipeline_minutes=13))

    # Two in the canary and ten minutes; then 99 in two waves.
    assert found.release_hours * 60 == 13 + 10 + 2 * 13
    assert found.builds_at_a_time == 50


def test_it_names_the_quotas_that_are_too_small() -> None:
    found = estimate(2_500, RINGS, Assumptions())

    assert found.quotas == ("2,500 pipelines of 1,000", "5,000 build projects of 5,000", "2,500 stacks of 2,000")


@given(st.integers(1, 5_000), st.integers(0, 100), st.integers(1, 300))
def test_more_tenants_never_take_less(tenants: int, percent: int, at_a_time: int) -> None:
    rings = (RingPolicy(name="canary", percent=percent, concurrency=at_a_time), RingPolicy(name="general"))
    fewer, more = (estimate(count, rings, Assumptions()) for count in (tenants, tenants + 1))

    assert fewer.month_dollars < more.month_dollars
    assert fewer.release_hours <= more.release_hours + 13 / 60


def test_what_is_shown_is_what_is_reckoned_with(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a price that changes, then the head names it, and each assumption is that of the estimate."""
    monkeypatch.setattr("cli.saas.commands.plan_cost.ACTION_MINUTE", 0.5)
    told = factory.granary("plan", "cost").stdout
    assert "13 minutes, 16 of actions at 0.5 dollars, 5 of builds at 0.0034; 20 releases a month" in told
    document = factory.granary("plan", "cost", "--minutes", "20", "--json").document
    assert document["assumed"] == {
        "pipeline_minutes": 20,
        "build_minutes": 5,
        "releases_a_month": 20,
        "action_minutes": 23,
    }
