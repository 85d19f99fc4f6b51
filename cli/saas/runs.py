"""The releases and runs that a person may start, follow or resume; decisions, pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from cli.common.errors import ConflictError, NotFoundError
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Ring, RingState, Run, RunState

# Where a ring's token was spoilt: the execution alone knows it, and a run that goes on with it asks with another.
ASK_ANEW = (
    "stop the execution of the run (Step Functions, StopExecution); the next round of the sweep stops the run, and "
    "`granary resume` asks again"
)


class Start(StrEnum):
    """What `release` does about the newest release."""

    BEGIN = "begin"
    FOLLOW = "follow"
    DONE = "done"
    SHOW = "show"  # it was stopped


def newest(releases: Iterable[Release]) -> Release:
    """The release that was published last.

    Raises:
        NotFoundError: none was.
    """
    found = max(releases, key=lambda release: release.published_at, default=None)
    if found is None:
        raise NotFoundError("no release has been published yet: push the source, and let CI/CD pass it")
    return found


def start_of(release: Release, run: Run | None, *, everyone: bool = False) -> Start:
    """Tell what to do about the newest release, from the run that is in force.

    Raises:
        ConflictError: its run was stopped, and it is asked to start one for `everyone`.
    """
    if run is None or run.revision != release.revision:
        return Start.BEGIN
    if run.state == RunState.STOPPED and not everyone:
        return Start.SHOW
    if run.state == RunState.STOPPED:
        raise ConflictError(
            f"release {run.revision} was stopped ({run.reason}): remove the cause, then run `granary resume`, or "
            "publish a newer release"
        )
    return Start.FOLLOW if run.state == RunState.RUNNING else Start.DONE


def resumable(run: Run | None, *, left: int = 0) -> Run:
    """The run, when it can be gone on with; `left` is how many deployments one that SUCCEEDED has left behind.

    Raises:
        NotFoundError: there is no run.
        ConflictError: it goes on, or nothing is left of it.
    """
    if run is None:
        raise NotFoundError("no release has been started yet: `granary release` starts the newest one")
    if run.state == RunState.STOPPED or (run.state == RunState.SUCCEEDED and left):
        return run
    if run.state == RunState.RUNNING:
        raise ConflictError(f"run {run.run} is RUNNING: wait for it, `granary release` follows it")
    if run.state == RunState.SUCCEEDED:
        raise ConflictError(f"run {run.run} SUCCEEDED, and nothing is left of it: there is nothing to resume")
    raise ConflictError(f"run {run.run} is {run.state}: `granary release` starts or follows the newest release")


def how_to(release: Release, run: Run | None, *, left: int) -> str:
    """Tell how a plan of a release with so many deployments comes to be, from the run that is in force."""
    if run is None or run.revision != release.revision or run.state == RunState.SUPERSEDED:
        return "`granary release` starts the newest release; one that is older than the one in force never starts"
    if run.state == RunState.RUNNING:
        return f"run {run.run} is under way: `granary release` follows it"
    if run.state == RunState.SUCCEEDED and not left:
        return f"nothing: run {run.run} SUCCEEDED, and nothing is left of it"
    return f"`granary resume` goes on with run {run.run}, which is {run.state}"


def waiting_ring(rings: Iterable[Ring], name: str) -> Ring:
    """The ring that waits for an approval; with a name, only that one.

    Raises:
        ConflictError: none waits.
    """
    asking = [ring for ring in rings if ring.state == RingState.APPROVAL and name in ("", ring.name)]
    if found := next((ring for ring in asking if ring.approval_token), None):
        return found
    which = f"ring {name} does not wait" if name else "no ring waits"
    never = f"; if ring {asking[0].name} has not asked within minutes, {ASK_ANEW}" if asking else ""
    raise ConflictError(f"{which} for an approval now: `granary release` shows where the release stands{never}")
