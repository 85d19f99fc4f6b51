"""What the dashboard shows of releases, as the sweep reads it."""

from __future__ import annotations

from collections.abc import Iterable

from lambdas.common.errors import NotReleasedError
from lambdas.saas.model.lineage import in_force, lineage
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.model.status import Status
from lambdas.saas.store.release_parameter import Releases
from lambdas.saas.store.runs_table import Runs
from lambdas.saas.store.same_releases import SameReleases
from lambdas.saas.sweep.fleet import RINGS_LIMIT, ReleaseSeen, wanted_revision


def see_release(runs: Runs, releases: Releases, statuses: Iterable[Status] = ()) -> ReleaseSeen:
    """Read the run in force, its rings and the runs that it goes on with, item by item as the sweep's role allows.

    Of the revisions that the statuses have, those are read that may be the same as the one that is wanted.
    """
    run, current = in_force(runs), _current(releases)
    wanted = wanted_revision(run, current.revision if current else "")
    same = _same(runs, run, current, statuses) - {wanted}
    if run is None:
        return ReleaseSeen(wanted=wanted, same=same)
    runs.release(run.revision)  # nothing is shown of it; that it cannot be read is told before a rollback needs it
    rings = tuple(ring for index in range(min(run.rings, RINGS_LIMIT)) if (ring := runs.ring(run.run, index)))
    return ReleaseSeen(wanted=wanted, same=same, rings=rings, lineage=lineage(runs, run))


def _same(runs: Runs, run: Run | None, current: Release | None, statuses: Iterable[Status]) -> frozenset[str]:
    """What is the same as the current release; while a run takes another to tenants, nothing is the same as that."""
    other = run is not None and run.state == RunState.RUNNING and not run.same_as
    if current is None or other:
        return frozenset()
    return SameReleases(runs=runs).revisions(current, statuses)


def _current(releases: Releases) -> Release | None:
    try:
        return releases.current()
    except NotReleasedError:
        return None
