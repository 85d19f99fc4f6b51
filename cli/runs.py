"""The releases and runs that a person may start, follow or resume; decisions, pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from cli.errors import ConflictError, NotFoundError
from lambdas.common.releases import Release
from lambdas.common.runs import Ring, RingState, Run, RunState

_RESUMED = re.compile(r"(?P<first>.+)-r(?P<number>[0-9]+)")


class Start(StrEnum):
    """What `release` does about the newest release."""

    BEGIN = "begin"
    FOLLOW = "follow"
    DONE = "done"


def newest(releases: Iterable[Release]) -> Release:
    """The release that was published last.

    Raises:
        NotFoundError: none was.
    """
    found = max(releases, key=lambda release: release.published_at, default=None)
    if found is None:
        raise NotFoundError("no release has been published yet: push the source, and let CI/CD pass it")
    return found


def start_of(release: Release, run: Run | None) -> Start:
    """Tell what to do about the newest release, from the run that is in force.

    Raises:
        ConflictError: its run was stopped.
    """
    if run is None or run.revision != release.revision:
        return Start.BEGIN
    if run.state == RunState.STOPPED:
        raise ConflictError(
            f"release {run.revision} was stopped ({run.reason}): remove the cause, then run `granary resume`, or "
            "publish a newer release"
        )
    return Start.FOLLOW if run.state == RunState.RUNNING else Start.DONE


def resumable(run: Run | None) -> Run:
    """The run, when it can be gone on with.

    Raises:
        NotFoundError: there is no run.
        ConflictError: it is not stopped.
    """
    if run is None:
        raise NotFoundError("no release has been started yet: `granary release` starts the newest one")
    if run.state != RunState.STOPPED:
        raise ConflictError(f"run {run.run} is {run.state}, only a STOPPED one can be resumed: see `granary release`")
    return run


def waiting_ring(rings: Iterable[Ring], name: str) -> Ring:
    """The ring that waits for an approval; with a name, only that one.

    Raises:
        ConflictError: none waits.
    """
    for ring in rings:
        if ring.state == RingState.APPROVAL and ring.approval_token and name in ("", ring.name):
            return ring
    which = f"ring {name} does not wait" if name else "no ring waits"
    raise ConflictError(f"{which} for an approval now: `granary release` shows where the release stands")


def resumed_name(run: str) -> str:
    """Name of the run that goes on with a stopped one; the same for everybody who resumes it."""
    match = _RESUMED.fullmatch(run)
    return f"{match['first']}-r{int(match['number']) + 1}" if match else f"{run}-r2"
