"""What becomes of a thousand rows that are put at once, in Granary and in the public sample's design."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.bench.burst.codebuild import CALL_SECONDS, Limits
from tests.bench.burst.factory import Factory
from tests.bench.burst.sample import Sample
from tests.bench.burst.scenario import Outcome, Pace, Scenario
from tests.bench.figures import Figure, Section, at_most, exactly

SEEDS = (1, 2, 3, 4, 5)
BUILDS_LIMIT = 50
SCENARIOS = (
    Scenario(name="at once"),
    Scenario(name="within 60 s", spread_seconds=60.0),
    Scenario(name="at once, each batch delivered twice", deliveries=2),
    Scenario(name="at once, 2 builds at a time", limits=Limits(running=2)),
)


def measure(_rounds: int) -> Section:
    """Simulate every scenario with every seed."""
    figures: list[Figure] = []
    with _quiet():
        for scenario in SCENARIOS:
            ours = [Factory(scenario, seed=seed, pace=Pace()).run() for seed in SEEDS]
            theirs = [Sample(scenario, seed=seed, pace=Pace()).run() for seed in SEEDS]
            figures += _of_ours(scenario, ours)
            figures.append(_of_sample(scenario, theirs))
    return Section(title="A burst of 1,000 rows (simulated)", figures=tuple(figures), notes=_notes())


def _of_ours(scenario: Scenario, outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    how = f"{_limits(scenario)}; {_calls(outcomes)}"
    once, lost, doubled, builds = (
        [outcome.once for outcome in outcomes],
        [outcome.lost for outcome in outcomes],
        [outcome.doubled for outcome in outcomes],
        [outcome.builds for outcome in outcomes],
    )
    name = scenario.name
    yield exactly(f"{name}: rows provisioned once", min(once), wanted=scenario.rows, shown=_range(once), how=how)
    yield exactly(f"{name}: rows lost", max(lost), wanted=0, shown=_range(lost), how="never provisioned")
    yield exactly(f"{name}: rows doubled", max(doubled), wanted=0, shown=_range(doubled), how="deployed more than once")
    yield at_most(f"{name}: builds", max(builds), limit=BUILDS_LIMIT, shown=_range(builds), how="started by CodeBuild")
    yield Figure(name=f"{name}: last row", value=_minutes(outcomes), how="simulated time until it was deployed")


def _of_sample(scenario: Scenario, outcomes: Sequence[Outcome]) -> Figure:
    lost, doubled, builds = (
        _range([outcome.lost for outcome in outcomes]),
        _range([outcome.doubled for outcome in outcomes]),
        _range([outcome.builds for outcome in outcomes]),
    )
    return Figure(
        name=f"{scenario.name}: the sample's design",
        value=f"{lost} lost",
        how=f"{doubled} doubled, {builds} builds; {_calls(outcomes)}; last row {_minutes(outcomes)}",
    )


def _notes() -> tuple[str, ...]:
    pace = Pace()
    return (
        f"Seeds {', '.join(map(str, SEEDS))}; ranges are over the seeds, verdicts are on the worst.",
        "Onboarding, sweep and provisioning are the product's code; the tables are in memory, stream and CodeBuild are "
        "simulated.",
        f"Assumed alike for both designs: {pace.build_start:g} s until a build synthesizes, {pace.deploy:g} s for a "
        f"tenant's stack, {pace.first_synth:g} s for the first tenant of a synth, {pace.further_synth:g} s for each "
        f"further one, {pace.row_read * 1000:g} ms for the read of a row, {pace.status_write * 1000:g} ms for a status "
        f"write, {CALL_SECONDS:g} s for a StartBuild call.",
        "A throttled call is one that failed after the SDK's own retries; a refused one found CodeBuild's queue full "
        "(five times the builds at a time).",
    )


def _limits(scenario: Scenario) -> str:
    limits = scenario.limits
    return f"{limits.running} builds at a time, {limits.queued} queued, {limits.throttled:.0%} of calls throttled"


def _calls(outcomes: Sequence[Outcome]) -> str:
    def tell(what: str, count: Callable[[Outcome], int]) -> str:
        return f"{_range([count(outcome) for outcome in outcomes])} {what}"

    return ", ".join(
        [
            tell("StartBuild calls", lambda outcome: outcome.counts.calls),
            tell("throttled", lambda outcome: outcome.counts.throttled),
            tell("refused", lambda outcome: outcome.counts.refused),
            tell("repeated", lambda outcome: outcome.counts.repeated),
        ]
    )


def _minutes(outcomes: Sequence[Outcome]) -> str:
    minutes = [outcome.last_seconds / 60 for outcome in outcomes]
    return f"{min(minutes):.1f} to {max(minutes):.1f} min"


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Thousands of expected warnings of the product would drown the tables."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
