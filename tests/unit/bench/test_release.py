"""Releases of small fleets: the simulation loses and adds nothing, and the product's rules hold in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.loader import load
from config.policy import release_policy
from lambdas.saas.model.rings import ReleasePolicy
from lambdas.saas.model.runs import Strategy
from tests.bench import planner
from tests.bench.release.fleet import NEW, OLD
from tests.bench.release.sample import run_sample
from tests.bench.release.scenario import Outcome, Pace, Scenario
from tests.bench.release.world import World

POLICY = replace(release_policy(load()), concurrency=7)


def release(deployments: int, *, policy: ReleasePolicy = POLICY, failing: int = 0) -> Outcome:
    return World(Scenario(deployments=deployments, policy=policy, failing=failing)).run()


@pytest.mark.parametrize("strategy", list(Strategy))
def test_every_deployment_gets_there_and_is_counted_once(strategy: Strategy) -> None:
    outcome = release(40, policy=replace(POLICY, strategy=strategy.value))
    assert outcome.state == "SUCCEEDED"
    assert outcome.revisions == {NEW: 40}
    assert outcome.counted["succeeded"] == sum(outcome.counted.values()) == 40
    assert outcome.most_at_once == (1 if strategy is Strategy.ONE_AT_A_TIME else 7)
    assert outcome.calls.operations["codepipeline", "StartPipelineExecution"] == 40


def test_a_fleet_of_none_is_a_success() -> None:
    outcome = release(0)
    assert (outcome.state, outcome.child_transitions) == ("SUCCEEDED", 0)


def test_the_time_is_that_of_the_pipelines_one_after_the_other() -> None:
    outcome = release(5, policy=replace(POLICY, strategy=Strategy.ONE_AT_A_TIME.value))
    pace = Pace()
    # Begin and two decisions; then each deployment's function, its pipeline and the event of its end.
    assert outcome.seconds == pytest.approx(3 * pace.function + 5 * (pace.function + pace.pipeline + pace.event))


def test_when_all_fail_the_line_stops_within_the_budget_and_everything_goes_back() -> None:
    outcome = release(60, failing=60)
    assert outcome.state == "STOPPED"
    assert outcome.revisions == {OLD: 60}
    assert outcome.counted["failed"] == outcome.counted["rolled_back"] > 0
    assert outcome.beyond_budget <= POLICY.concurrency


def test_the_same_release_is_the_same() -> None:
    one, other = release(30, failing=4), release(30, failing=4)
    assert one.calls.operations == other.calls.operations
    assert (one.seconds, one.counted, one.history) == (other.seconds, other.counted, other.history)


def test_the_history_of_a_run_does_not_grow_with_the_fleet() -> None:
    assert release(100).history == release(200).history


def test_the_sample_polls_one_after_the_other() -> None:
    outcome = run_sample(Scenario(deployments=3, policy=POLICY))
    assert outcome.seconds == 3 * 300
    assert outcome.calls.operations["codepipeline", "GetPipelineExecution"] == 3 * 16


def test_the_planner_tells_what_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    planner.main(["200", POLICY.to_json()])
    printed = capsys.readouterr().out
    assert '"planned": 194' in printed
    assert '"skipped": 6' in printed
