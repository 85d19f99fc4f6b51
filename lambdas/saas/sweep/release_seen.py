"""What the dashboard shows of releases, as the sweep reads it."""

from __future__ import annotations

from lambdas.common.errors import NotReleasedError
from lambdas.saas.model.lineage import in_force, lineage
from lambdas.saas.store.release_parameter import Releases
from lambdas.saas.store.runs_table import Runs
from lambdas.saas.sweep.fleet import RINGS_LIMIT, ReleaseSeen, wanted_revision


def see_release(runs: Runs, releases: Releases) -> ReleaseSeen:
    """Read the run in force, its rings and the runs that it goes on with, item by item as the sweep's role allows."""
    run = in_force(runs)
    wanted = wanted_revision(run, _current(releases))
    if run is None:
        return ReleaseSeen(wanted=wanted)
    runs.release(run.revision)  # nothing is shown of it; that it cannot be read is told before a rollback needs it
    rings = (runs.ring(run.run, index) for index in range(min(run.rings, RINGS_LIMIT)))
    return ReleaseSeen(wanted=wanted, rings=tuple(ring for ring in rings if ring), lineage=lineage(runs, run))


def _current(releases: Releases) -> str:
    try:
        return releases.current().revision
    except NotReleasedError:
        return ""
