"""What the synth of a tenant's pipeline costs, beside that of an empty app and of the public sample's design."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter

from buildspecs.synthesis import synthesize
from stacks.saas.plan import TenantsPlan
from tests.bench.apps.run import run_app, run_app_through_cli
from tests.bench.figures import Figure, Section, at_most
from tests.bench.measure import Sample, interleaved
from tests.bench.tenants import plan_of, tenant

RATIO_LIMIT = 1.3
FURTHER_LIMIT_SECONDS = 0.1
MANY = 26


def measure(rounds: int) -> Section:
    """Synthesize an empty app, one tenant, many and the sample's one, in turn, each in a process of its own."""
    record = asdict(tenant())
    with tempfile.TemporaryDirectory(prefix="granary-bench-") as folder:
        fresh = partial(_fresh, Path(folder), count())
        samples = interleaved(
            {
                "empty": partial(_timed, lambda: run_app("empty", out=fresh())),
                "cli": partial(_timed, lambda: run_app_through_cli("empty", out=fresh())),
                "sample": partial(_timed, lambda: run_app("sample", out=fresh(), context={"record": record})),
                "one": partial(_timed, _synth(plan_of(tenant()), fresh)),
                "many": partial(_timed, _synth(plan_of(*map(tenant, range(1, MANY + 1))), fresh)),
            },
            rounds=rounds,
        )
    return Section(
        title="Synth of tenants' pipelines in a fresh process",
        figures=_figures(samples, rounds),
        notes=("Each figure: median (lowest to highest). Ratios and differences are taken within a round.",),
    )


def _figures(samples: dict[str, Sample], rounds: int) -> tuple[Figure, ...]:
    ratio = samples["one"].over(samples["empty"])
    with_cli = samples["one"].over(samples["cli"])
    beside = samples["one"].over(samples["sample"])
    further = samples["many"].less(samples["one"], per=MANY - 1)
    how = f"{rounds} interleaved rounds"
    return (
        Figure(name="Empty app (one empty stack)", value=samples["empty"].show(), how=f"python empty.py, {how}"),
        Figure(name="One tenant", value=samples["one"].show(), how=f"synthesize(), as provisioning builds do, {how}"),
        Figure(name=f"{MANY} tenants", value=samples["many"].show(), how=f"synthesize(), one synth, {how}"),
        at_most(
            "One tenant over the empty app, both without the CLI",
            ratio.median,
            limit=RATIO_LIMIT,
            shown=ratio.show(unit=""),
            how="median of the rounds' ratios",
        ),
        at_most(
            "One tenant over `cdk synth` of the empty app",
            with_cli.median,
            limit=RATIO_LIMIT,
            shown=with_cli.show(unit=""),
            how=f"the CLI, which provisioning builds do without, took {samples['cli'].show()}",
        ),
        Figure(
            name="One tenant over the sample's design",
            value=beside.show(unit=""),
            how=f"CDK Pipelines' defaults in Python, the same stage: {samples['sample'].show()}",
        ),
        at_most(
            "Each further tenant",
            further.median,
            limit=FURTHER_LIMIT_SECONDS,
            unit=" s",
            shown=further.show(digits=3),
            how=f"({MANY} tenants - one) / {MANY - 1}, median of the rounds",
        ),
    )


def _synth(plan: TenantsPlan, fresh: Callable[[], Path]) -> Callable[[], None]:
    return lambda: synthesize(plan, out=fresh())


def _fresh(folder: Path, numbers: count[int]) -> Path:
    return folder / f"assembly-{next(numbers)}"


def _timed(work: Callable[[], None]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began
