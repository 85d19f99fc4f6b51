"""What the cold import of each Lambda handler costs, beside the libraries that it cannot do without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial

from buildspecs.synthesis import ROOT
from tests.bench.figures import Figure, Section, at_most
from tests.bench.measure import interleaved

RATIO_LIMIT = 1.3
HANDLERS = (
    "onboard",
    "sweep",
    "pipeline_watch",
    "lifecycle_publish",
    "release",
    "release_advance",
    "lifecycle",
)
LIBRARIES = ("boto3", "botocore.config", "boto3.dynamodb.types")
_ROUNDS_EACH = 3  # an import is over so soon that more of them are needed than of the synths

_PROBE = """
from time import perf_counter
began = perf_counter()
import {modules}
print(perf_counter() - began)
"""


def measure(rounds: int) -> Section:
    """Import each handler and the libraries, in turn, each in a process of its own, with warm bytecode caches."""
    rounds *= _ROUNDS_EACH
    subjects: dict[str, Callable[[], float]] = {"libraries": partial(_import, *LIBRARIES)}
    subjects |= {job: partial(_import, f"lambdas.saas.{job}.handler") for job in HANDLERS}
    samples = interleaved(subjects, rounds=rounds)
    libraries = samples["libraries"]
    how = f"{rounds} interleaved rounds"
    figures = [Figure(name=", ".join(LIBRARIES), value=libraries.show(digits=3), how=how)]
    for job in HANDLERS:
        ratio = samples[job].over(libraries)
        figures.append(
            at_most(
                f"{job} over the libraries",
                ratio.median,
                limit=RATIO_LIMIT,
                shown=ratio.show(unit=""),
                how=f"median of the rounds' ratios; {samples[job].show(digits=3)}",
            )
        )
    return Section(title="Cold import of the Lambda handlers", figures=tuple(figures))


def _import(*modules: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _PROBE.format(modules=", ".join(modules))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)
