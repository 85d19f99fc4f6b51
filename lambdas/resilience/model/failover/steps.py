"""The steps of a failover, in order; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lambdas.resilience.model.failover.catalogue import Group, Mode
from lambdas.resilience.model.failover.placement import Placement
from lambdas.resilience.model.failover.request import Request


class Kind(StrEnum):
    """What a step does: each may be repeated, and knows by looking whether it is done."""

    DATABASE = "database"  # the writer is in the new Region
    NAME = "name"  # and the database's own name leads to it
    SWITCH = "switch"  # one metric; its alarm follows it
    WEIGHTS = "weights"  # records that are not yet as they should be; all name servers have them
    READMIT = "readmit"  # the Region that was left lets the favourite in again


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step, known by its name."""

    kind: Kind
    of: str = ""

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.of}" if self.of else self.kind.value


def steps_of(request: Request, group: Group, placement: Placement) -> list[Step]:
    """The steps of a request: data first, for the traffic follows it; given the placement that it leads to."""
    if request.applications:
        return [Step(kind=Kind.WEIGHTS)]
    steps: list[Step] = []
    for one in group.databases:
        steps.append(Step(kind=Kind.DATABASE, of=one.name))
        if one.record:
            steps.append(Step(kind=Kind.NAME, of=one.name))
    has_switch = group.mode is Mode.SWITCH
    # By weights too, a favourite that was taken out is let in.
    if has_switch and (request.mode is Mode.SWITCH or placement.readmitting):
        steps.append(Step(kind=Kind.SWITCH))
    if request.every or request.weights:
        steps.append(Step(kind=Kind.WEIGHTS))
    if has_switch and placement.readmitting:
        steps.append(Step(kind=Kind.READMIT))
    return steps


def data_of(request: Request, group: Group, placement: Placement) -> set[str]:
    """The names of the steps that bring data, which traffic waits for."""
    return {one.name for one in steps_of(request, group, placement) if one.kind in {Kind.DATABASE, Kind.NAME}}
