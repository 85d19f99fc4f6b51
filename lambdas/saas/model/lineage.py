"""The run in force, and the runs that a run goes on with: of the same release or of one that is the same; pure."""

from __future__ import annotations

from typing import Protocol

from lambdas.saas.model.runs import Run

# More than anybody resumes; a chain that came to be a ring ends here.
_LIMIT = 100


class KnowsRuns(Protocol):
    """What is needed of the port to the releases table."""

    def current(self) -> str: ...
    def run(self, run: str) -> Run | None: ...


def name_in_force(runs: KnowsRuns) -> tuple[str, Run | None]:
    """The name of the run in force, empty before the first one, and the run, None while it is not written yet."""
    name = runs.current()
    return name, runs.run(name) if name else None


def in_force(runs: KnowsRuns) -> Run | None:
    """The run in force; None before the first one, and while it is not written yet."""
    return name_in_force(runs)[1]


def lineage(runs: KnowsRuns, run: Run) -> tuple[str, ...]:
    """Names of a run and of those that it goes on with, the newest first.

    What failed in a release has failed in one that is the same for tenants, too.
    """
    names, known = [run.run], run
    while (former := known.resumes or known.same_as) and len(names) < _LIMIT:
        names.append(former)
        before = runs.run(former)
        if before is None:
            break
        known = before
    return tuple(names)
