"""A run: one attempt to bring a release to every tenant, ring by ring, as the releases table knows it; pure.

The table has one key, `id`, and these items:

    release/<revision>   the release itself (`Release` as JSON in `release`, and as a `Bundle` in `bundle`), so that it
                         can be gone back to; once written, it never changes
    run/<run>            a run: what it is about, and whether it goes on
    ring/<run>/<index>   one ring of it, with the counts that the budget is checked against
    current              the run that is in force; every other one holds as soon as it looks here
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Protocol

from lambdas.common.clock import Stamp, stamp
from lambdas.common.errors import UnreadableError
from lambdas.common.versioned_json import read
from lambdas.common.written import shown
from lambdas.saas.model.releases import Release

CURRENT = "current"
# What an execution of the release machine is that came to nothing.
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
BROKEN = frozenset({"ABORTED", "FAILED", "TIMED_OUT"})
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
_NAMEABLE = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{0,80}")
# Characters of a revision and of a digest in the name of a run; `-r<number>` of those that are resumed comes on top.
_REVISION_SHOWN = 50
_DIGEST_SHOWN = 8
# A configuration has 20 at most; a later version may allow more.
_RINGS = 1_000
_NAME = re.compile(rf"(?P<revision>.+)-[^-]{{{_DIGEST_SHOWN}}}(-r[0-9]+)?")
_FURTHER = re.compile(r"(?P<first>.+)-r(?P<number>[0-9]+)")


def _believable(rings: int) -> None:
    """A run's rings are read one by one: a number that no configuration has would keep its readers busy for ever."""
    if not 0 <= rings <= _RINGS:
        raise ValueError(f"no run has {rings} rings")


def nameable(run: str) -> None:
    """A run is named as its execution: what is no such name, AWS refuses to tell of, and a table may take for no key.

    Raises:
        ValueError: it is no name of a run.
    """
    if not _NAMEABLE.fullmatch(run):
        raise ValueError(f"{shown(run)} is no name of a run")


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"  # the line was stopped; `resume` goes on
    SUCCEEDED = "SUCCEEDED"
    SUPERSEDED = "SUPERSEDED"


class RingState(StrEnum):
    """Where a ring stands; they follow each other in this order, except that a failed ring is rolled back."""

    WAITING = "WAITING"
    APPROVAL = "APPROVAL"
    ADVANCING = "ADVANCING"
    BAKING = "BAKING"
    ROLLING_BACK = "ROLLING_BACK"
    DONE = "DONE"
    FAILED = "FAILED"


class Strategy(StrEnum):
    """How a release goes about it."""

    ONE_AT_A_TIME = "one-at-a-time"
    RINGS = "rings"
    ALL_AT_ONCE = "all-at-once"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of a release; `reason` says why it stopped, and `rings` how many rings it has.

    `skipped` is how many deployments it leaves out, `skipped_names` the first of them with the reason, and
    `skipped_list` the object (in the releases bucket) with all of them. `gates` is what the release's gates have said,
    and `gate_links` where. `same_as` is the run that was through with the same for tenants: then
    this one takes nobody up. Times are ISO 8601 in UTC.
    """

    run: Annotated[str, nameable]
    revision: str
    state: Annotated[str, RunState]
    strategy: str
    rings: Annotated[int, _believable]
    deployments: int
    skipped: int = 0
    skipped_names: tuple[str, ...] = ()
    skipped_list: str = ""
    gates: str = ""
    gate_links: tuple[str, ...] = ()
    reason: str = ""
    execution: str = ""
    resumes: Annotated[str, nameable] = ""
    same_as: Annotated[str, nameable] = ""
    started_at: Stamp = ""
    ended_at: str = ""
    updated_at: str = ""

    @property
    def id(self) -> str:
        """Key of the item."""
        return run_id(self.run)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Run:
        """Read an item (already deserialized); raises ValueError for anything else."""
        return read(cls, item)


@dataclass(frozen=True, kw_only=True)
class Ring:
    """One ring of a run: what it is allowed, and how many of its deployments came to what.

    `allowed_failures` is the budget: more failures stop the line. `held` are those that were not begun because the line
    had stopped, `skipped` those that could not be taken up when their turn came, `vanished` the ids of those of which
    nothing was known any more. `approval_token` answers the wait for an approval, `approval` is what was said (with
    `approved_by` and `approval_comment` if it was a yes). `items` is the object (in the releases bucket) with the
    ring's deployments, `changes` the first of what changes in it, in words.
    """

    run: Annotated[str, nameable]
    index: int
    name: str
    state: Annotated[str, RingState]
    total: int
    concurrency: int
    allowed_failures: int
    bake_seconds: int
    alarms: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()
    needs_approval: bool = False
    approval: str = ""
    approved_by: str = ""
    approval_comment: str = ""
    approval_token: str = ""
    items: str = ""
    changes: tuple[str, ...] = ()
    succeeded: int = 0
    failed: int = 0
    held: int = 0
    skipped: int = 0
    vanished: tuple[str, ...] = ()
    rolled_back: int = 0
    rollback_failed: int = 0
    reason: str = ""
    bake_until: Stamp = ""
    updated_at: str = ""

    def __post_init__(self) -> None:
        """Refuse what would be no limit at all to the machine's map: somebody may have meant to hold the ring with it.

        Raises:
            ValueError: no deployment may be under way at a time.
        """
        if self.concurrency < 1:
            raise ValueError(f"concurrency: no ring advances {self.concurrency} at a time")

    @property
    def id(self) -> str:
        """Key of the item."""
        return ring_id(self.run, self.index)

    @property
    def spent(self) -> bool:
        """Whether the failure budget is exceeded."""
        return self.failed > self.allowed_failures

    @property
    def done(self) -> int:
        """Deployments whose outcome in this ring is known."""
        return self.succeeded + self.failed + self.held + self.skipped + len(self.vanished)

    @property
    def lost(self) -> int:
        """Deployments without an outcome; when the ring's work is over, nobody knows what became of them."""
        return self.total - self.done

    @property
    def overspent(self) -> bool:
        """Whether the budget is exceeded when those without an outcome have failed too."""
        return self.failed + self.lost > self.allowed_failures

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Ring:
        """Read an item (already deserialized); raises ValueError for anything else."""
        return read(cls, item)


def run_name(release: Release) -> str:
    """Name of the first run of a release, and of its execution: it is started once, however often somebody asks.

    Names of executions have at most 80 characters: https://docs.aws.amazon.com/step-functions/latest/dg/limits.html
    """
    return f"{release.revision[:_REVISION_SHOWN]}-{release.sha256[:_DIGEST_SHOWN]}"


def revision_of(run: str) -> str:
    """Revision that a run's name begins with, as far as `run_name` shows it; empty when it is no such name."""
    match = _NAME.fullmatch(run)
    return match["revision"] if match else ""


def first_name(run: str) -> str:
    """Name of the first run of the release that a run is of."""
    match = _FURTHER.fullmatch(run)
    return match["first"] if match else run


def resumed_name(run: str) -> str:
    """Name of the run that comes after another of the same release; the same for everybody who asks."""
    match = _FURTHER.fullmatch(run)
    return f"{match['first']}-r{int(match['number']) + 1}" if match else f"{run}-r2"


def never_begun(run: str, given: Mapping[str, Any], *, execution: str, reason: str, now: datetime) -> Run:
    """The run of an execution, started with `given`, that came to nothing before it was planned."""
    release = given.get("release")
    revision = release.get("revision", "") if isinstance(release, Mapping) else ""
    return Run(
        run=run,
        revision=str(revision),
        state=RunState.STOPPED.value,
        strategy="",
        rings=0,
        deployments=0,
        reason=reason,
        execution=execution,
        resumes=str(given.get("resumes") or ""),
        started_at=stamp(now),
        ended_at=stamp(now),
        updated_at=stamp(now),
    )


class KnowsRings(Protocol):
    """What is needed of the port to the releases table."""

    def ring(self, run: str, index: int) -> Ring | None: ...


def readable_rings(runs: KnowsRings, run: Run) -> Iterator[Ring]:
    """The rings of a run that are there and can be read: what is wrong with one is no reason to know no other."""
    for index in range(run.rings):
        with suppress(UnreadableError):  # the run itself stops for it
            if ring := runs.ring(run.run, index):
                yield ring


def run_id(run: str) -> str:
    """Key of a run."""
    return f"run/{run}"


def ring_id(run: str, index: int) -> str:
    """Key of a run's ring."""
    return f"ring/{run}/{index}"


def release_id(revision: str) -> str:
    """Key of a release."""
    return f"release/{revision}"


def items_key(run: str, index: int, *, back: bool = False) -> str:
    """Object, in the releases bucket, with the deployments of a ring: those to advance, or those to roll back."""
    return f"runs/{run}/ring-{index}{'-back' if back else ''}.json"


def skipped_key(run: str) -> str:
    """Object, in the releases bucket, with the deployments that a run leaves out."""
    return f"runs/{run}/skipped.json"
