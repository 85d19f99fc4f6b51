"""A release of 1,000 deployments in simulated time, and how what it takes grows from 10 to 10,000."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from config.loader import load
from config.policy import release_policy
from lambdas.saas.model.rings import ReleasePolicy
from lambdas.saas.model.runs import Strategy
from tests.bench.figures import Figure, Section, at_most, exactly
from tests.bench.release.sample import BUILD_LIMIT_SECONDS, run_sample
from tests.bench.release.scenario import DATA_LIMIT, HISTORY_LIMIT, Outcome, Pace, Scenario
from tests.bench.release.world import World

DEPLOYMENTS, CONCURRENCY = 1_000, 50
SIZES = (10, 100, 1_000, 10_000)
FASTER = 30
FAILING = 60
GROWTH_LIMIT = 1.2


def measure(_rounds: int) -> Section:
    """Simulate every release; there is nothing random in them."""
    configured = release_policy(load())
    rings = replace(configured, strategy=Strategy.RINGS.value, concurrency=CONCURRENCY)
    with _quiet():
        sizes = {size: _release(size, rings) for size in SIZES}
        one_by_one = _release(DEPLOYMENTS, replace(configured, strategy=Strategy.ONE_AT_A_TIME.value))
        own = _release(DEPLOYMENTS, replace(configured, strategy=Strategy.RINGS.value))
        failing = _release(DEPLOYMENTS, rings, failing=FAILING)
    figures = [
        *_of_time(sizes[DEPLOYMENTS], one_by_one, own, configured),
        *_of_machine(sizes[DEPLOYMENTS]),
        _of_budget(failing),
        _of_sample(),
        *(_of_size(size, outcome) for size, outcome in sizes.items()),
        *_of_growth(sizes),
    ]
    return Section(
        title=f"A release of {DEPLOYMENTS:,} deployments (simulated)", figures=tuple(figures), notes=_notes(rings)
    )


def _release(deployments: int, policy: ReleasePolicy, *, failing: int = 0) -> Outcome:
    return World(Scenario(deployments=deployments, policy=policy, failing=failing)).run()


def _of_time(ours: Outcome, one_by_one: Outcome, own: Outcome, configured: ReleasePolicy) -> Iterator[Figure]:
    done = ours.counted["succeeded"]
    how = f"of {DEPLOYMENTS:,}, as the rings count them; the run {ours.state}, {ours.most_at_once} under way at most"
    yield exactly("Deployments released once", done, wanted=DEPLOYMENTS, shown=f"{done:,}", how=how)
    yield Figure(
        name=f"rings, {CONCURRENCY} at a time",
        value=_time(ours.seconds),
        how="until the run is over, with the bake times of the configuration",
    )
    yield Figure(name="one-at-a-time", value=_time(one_by_one.seconds), how="the same machine with that strategy")
    ratio = one_by_one.seconds / ours.seconds
    yield Figure(
        name="rings over one-at-a-time",
        value=f"1/{ratio:.1f}",
        target=f"<= 1/{FASTER}",
        met=ratio >= FASTER,
        how="ratio of the two times",
    )
    yield Figure(
        name=f"rings, {configured.concurrency} at a time (as configured)",
        value=_time(own.seconds),
        how=f"1/{one_by_one.seconds / own.seconds:.1f} of one-at-a-time",
    )


def _of_machine(ours: Outcome) -> Iterator[Figure]:
    transitions = ours.transitions + ours.child_transitions
    yield Figure(
        name="State transitions",
        value=f"{transitions:,}",
        how=f"{ours.transitions} of the run, {ours.child_transitions:,} of its children: states entered, and retries",
    )
    yield Figure(
        name="API calls of the functions",
        value=f"{ours.calls.total:,}",
        how=", ".join(ours.calls.told()),
    )
    invocations = ", ".join(f"{name} {number:,}" for name, number in ours.calls.invocations.most_common())
    yield Figure(name="Invocations", value=f"{ours.calls.invocations.total():,}", how=invocations)


def _of_budget(outcome: Outcome) -> Figure:
    counted = outcome.counted
    return at_most(
        f"Failures beyond the budget, when {FAILING} fail",
        outcome.beyond_budget,
        limit=CONCURRENCY,
        how=f"the run {outcome.state} after {_time(outcome.seconds)}: {counted['failed']} failed, "
        f"{counted['rolled_back']} rolled back, {counted['held']} held; the limit is what is under way at a time",
    )


def _of_sample() -> Figure:
    scenario = Scenario(deployments=DEPLOYMENTS, policy=ReleasePolicy())
    theirs = run_sample(scenario)
    limit = f"CodeBuild ends a build after {BUILD_LIMIT_SECONDS / 3600:g} h"
    return Figure(
        name="the sample's design",
        value=_time(theirs.seconds),
        how=f"one build polls every {scenario.pace.poll:g} s, {theirs.calls.total:,} calls; {limit}",
    )


def _of_size(size: int, outcome: Outcome) -> Figure:
    transitions = outcome.transitions + outcome.child_transitions
    return Figure(
        name=f"{size:,} deployments",
        value=f"{outcome.calls.total / size:.2f} calls each",
        how=f"{outcome.calls.total:,} calls, {transitions:,} transitions ({transitions / size:.2f} each), "
        f"{outcome.counted['succeeded']:,} succeeded, {_time(outcome.seconds)}; history of {outcome.history} events, "
        f"of a child {outcome.child_history}; largest state {outcome.largest_bytes:,} bytes",
    )


def _of_growth(sizes: dict[int, Outcome]) -> Iterator[Figure]:
    size, before = SIZES[-1], SIZES[-2]
    large, small = sizes[size], sizes[before]
    how = f"a deployment at {size:,}, over one at {before:,}: linear is 1"
    calls = (large.calls.total / size) / (small.calls.total / before)
    moves = [(one.transitions + one.child_transitions) / number for number, one in ((size, large), (before, small))]
    yield at_most("Growth of calls", calls, limit=GROWTH_LIMIT, shown=f"{calls:.3f}", how=how)
    transitions = moves[0] / moves[1]
    yield at_most("Growth of transitions", transitions, limit=GROWTH_LIMIT, shown=f"{transitions:.3f}", how=how)
    longest = max(max(one.history, one.child_history) for one in sizes.values())
    yield at_most("Longest history", longest, limit=HISTORY_LIMIT, how="events of an execution, at all sizes")
    data = max(one.largest_bytes for one in sizes.values())
    yield at_most("Largest data of a state", data, limit=DATA_LIMIT, how="bytes, the results of a map run among them")


def _notes(policy: ReleasePolicy) -> tuple[str, ...]:
    pace = Pace()
    rings = "; ".join(
        f"{ring.name} {f'{ring.percent} %' if ring.percent else 'the rest'}, {ring.bake_minutes} min"
        for ring in policy.in_force()
    )
    return (
        "The definition of the state machine and the handlers of `release`, `release-advance` and `pipeline-watch` are "
        "the product's; tables, buckets, pipelines and Step Functions are simulated. No deployment "
        "fails, but in the figure that says so.",
        f"Assumed: {pace.pipeline:g} s a pipeline, {pace.event:g} s until an event arrives (one when an execution "
        f"starts, one when it ends), {pace.function:g} s a function in the state machine. Rings and bake times: "
        f"{rings}.",
        "Calls are those that AWS gets: of a scan each page. Not counted: reads of the status table's stream, what "
        "`lifecycle-publish` puts on the bus, and the sweep, which scans both tables every five minutes anyway.",
        "Events of a history by https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html, "
        "limits by https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html.",
    )


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 10_000 else f"{seconds / 60:.1f} min"


@contextmanager
def _quiet() -> Iterator[None]:
    """Thousands of lines of the product's logs would drown the tables."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
