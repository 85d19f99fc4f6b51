"""A failover that was asked for, and how far it is; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lambdas.common.clock import Stamp
from lambdas.common.errors import GranaryError
from lambdas.common.versioned_json import Text
from lambdas.resilience.model.failover.catalogue import Mode


class RefusedError(GranaryError):
    """A request that was not taken, for the state does not allow it: nothing has changed."""


class State(StrEnum):
    """OPEN goes on until it is DONE, or SUPERSEDED by a later request of the group.

    UNREADABLE is never written: a later version has written something else, which this one leaves alone.
    """

    OPEN = "OPEN"
    DONE = "DONE"
    SUPERSEDED = "SUPERSEDED"
    UNREADABLE = "UNREADABLE"


@dataclass(frozen=True, kw_only=True)
class Request(Text):
    """Who wants what to be served from where, and why; never changed once it is written.

    `applications` are those of a request that is not for the whole group. `weights` are the applications whose records
    change, and `every` says that all of the group's do. `mode` is how it goes, and `asked` the mode that was asked for.
    `overridden` are the reasons against it that were overridden.
    """

    id: str
    group: str
    origin: str
    to: str
    reason: str
    actor: str
    at: Stamp
    mode: Mode = Mode.SWITCH
    asked: Mode = Mode.SWITCH
    applications: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    every: bool = False
    unplanned: bool = False
    drill: bool = False
    overridden: tuple[str, ...] = ()

    def asks_the_same(self, other: Request) -> bool:
        """Whether a request of the same id asks for the same: then it is a repetition, and nothing is done."""
        mine, its = (
            (one.group, one.origin, one.to, one.asked, sorted(one.applications), one.drill, one.unplanned)
            for one in (self, other)
        )
        return mine == its


@dataclass(frozen=True, kw_only=True)
class Progress(Text):
    """How far a request is, written only in the Region that it leads to.

    `done` are names of its steps, `problem` is what it waits for. `shifted_at` is when DNS was told to answer with the
    new Region, and `lag_seconds` how much of the data was behind then: the recovery point.
    """

    state: State = State.OPEN
    done: tuple[str, ...] = ()
    problem: str = ""
    shifted_at: Stamp = ""
    ended_at: Stamp = ""
    lag_seconds: int | None = None
