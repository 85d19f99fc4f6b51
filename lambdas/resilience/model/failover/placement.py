"""Where a group is served from, and what its switches must say for that; pure.

A record has weight 100 in one Region, its favourite, and 0 in the other. Route 53 answers with the favourite unless
its health check, which is nothing but the switch, takes it out; of two that are out, it takes both for healthy, and
answers with the favourite again. So a Region that is not the favourite is taken out for one purpose only: to come
back to a favourite whose own switch lives in a Region that is down.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from lambdas.common.versioned_json import Text
from lambdas.resilience.model.failover.catalogue import Catalogue, Group, Mode
from lambdas.resilience.model.failover.request import RefusedError, Request

FULL, NONE = 100, 0
# Where a group is whose placement nobody can read.
UNKNOWN = "an unknown Region"


@dataclass(frozen=True, kw_only=True)
class Placement(Text):
    """What a group's table item says; `version` counts its writes.

    `request` is the last one for the whole group, and `single` the last for some of its applications. `alone` has the
    applications whose favourite is not the group's. `readmitting`: the favourite was out when `request` came.
    """

    active: str
    favourite: str
    request: str = ""
    single: str = ""
    alone: dict[str, str] = field(default_factory=dict)
    readmitting: bool = False
    version: int = 0

    def is_current(self, request: str) -> bool:
        """Whether a request is the last of its kind."""
        return request in (self.request, self.single)

    def favourite_of(self, application: str) -> str:
        """The Region where an application's record has its weight."""
        return self.alone.get(application, self.favourite)


def initial(group: Group) -> Placement:
    """Where a group is before its first failover: as CloudFormation has written its records."""
    return Placement(active=group.primary, favourite=group.primary)


def weighed(placement: Placement, group: Group) -> Placement:
    """The placement of a group that has no switch (any more): its weight is where it is served."""
    if group.mode is Mode.SWITCH or placement.active == placement.favourite:
        return placement
    return replace(placement, favourite=placement.active, alone={})


def taken_out(placement: Placement, *, is_open: bool, catalogue: Catalogue) -> frozenset[str]:
    """The Regions that a group's switches take out; `is_open` is the state of its last request."""
    if placement.active != placement.favourite:
        return frozenset({placement.favourite})
    if placement.readmitting and is_open:
        return frozenset({catalogue.other(placement.favourite)})
    return frozenset()


def answers(favourite: str, out: Collection[str], catalogue: Catalogue) -> str:
    """The Region that Route 53 answers with."""
    other = catalogue.other(favourite)
    return other if favourite in out and other not in out else favourite


def completed(request: Request, placement: Placement, *, is_out: bool) -> Request:
    """The request, with the applications whose records change for it.

    `is_out`: the Region that it leads to was last seen to be out. Its switch lives in the Region that is to be left,
    which may be down: what leads to no favourite goes by weights then.
    """
    if is_out and request.to != placement.favourite:
        request = replace(request, mode=Mode.WEIGHTS)
    if request.applications:
        return replace(request, mode=Mode.WEIGHTS, weights=tuple(sorted(request.applications)))
    if request.mode is Mode.WEIGHTS:
        return replace(request, every=True)
    stay = request.to != placement.favourite
    strangers = () if stay else tuple(sorted(name for name, at in placement.alone.items() if at != request.to))
    return replace(request, weights=strangers)


def moved(placement: Placement, request: Request, *, may_be_out: bool) -> Placement:
    """The placement that a request leads to; `may_be_out`: of the Region that it leads to, nobody knows if it is out.

    Raises:
        RefusedError: it leads nowhere.
    """
    if request.applications:
        return _some_moved(placement, request)
    placement = replace(placement, request=request.id, version=placement.version + 1)
    was_out = placement.active != placement.favourite == request.to
    if request.mode is Mode.WEIGHTS:
        readmitting = was_out or may_be_out
        return replace(placement, active=request.to, favourite=request.to, alone={}, readmitting=readmitting)
    alone = {name: at for name, at in placement.alone.items() if request.to != placement.favourite}
    return replace(placement, active=request.to, alone=alone, readmitting=was_out)


def _some_moved(placement: Placement, request: Request) -> Placement:
    if placement.active != placement.favourite:
        raise RefusedError(
            f"the switch of group {request.group} has taken {placement.favourite} out for all of its applications: "
            f"fail the whole group back first"
        )
    alone = {name: at for name, at in placement.alone.items() if name not in request.applications}
    if request.to != placement.favourite:
        alone |= dict.fromkeys(request.applications, request.to)
    return replace(placement, single=request.id, alone=alone, version=placement.version + 1)
