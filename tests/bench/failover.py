"""What failing over takes: 1,000 applications in 10 zones, and 10,000; by the switch and by packed weights.

The product's own code, on the unit tests' Route 53 and CloudWatch: their clock counts the function's pace of five calls
a second, and the half second for which a zone is busy after a change. 10,000 are twice what the configuration takes.
What resolvers answer is measured on the local cloud, whose alarms and health checks are looked at every five seconds.
AWS adds one to three minutes of both (switch), and up to a minute until all name servers have a change (weights): none
of that is measured here.
"""

from __future__ import annotations

import gc
from random import Random
from time import process_time

from lambdas.resilience.model.failover.catalogue import Catalogue, Mode
from lambdas.resilience.model.failover.placement import initial
from lambdas.resilience.model.failover.request import State
from tests.bench import failover_answers
from tests.bench.figures import Figure, Section, at_most, exactly
from tests.bench.measure import Sample
from tests.unit.lambdas.resilience.failover.aws import A, B
from tests.unit.lambdas.resilience.failover.planes import Planes, application, group

ZONES = 10
FEW, MANY = 1_000, 10_000
OTHERS = 10_000
CALLS_A_SECOND = 5
_DEATHS, _SEED = 0.1, 12
# One call a record pair, as the post does it.
_ROUTE53 = ("ListResourceRecordSets", "ChangeResourceRecordSets", "GetChange")


def measure(rounds: int) -> Section:
    """Fail over by both ways; what is counted is the same in each round."""
    switched = {count: _run(count, Mode.SWITCH) for count in (FEW, MANY)}
    taken = {count: [_run(count, Mode.WEIGHTS) for _ in range(rounds if count == FEW else 1)] for count in (FEW, MANY)}
    figures: list[Figure] = []
    for count in (FEW, MANY):
        one = taken[count][0]
        alone = count / CALLS_A_SECOND
        figures += [
            exactly(
                f"Calls of Route 53, {count:,} applications by the switch",
                switched[count]["route53"],
                wanted=0,
                how=f"and {switched[count]['metrics']:.0f} PutMetricData, whatever their number",
            ),
            at_most(
                f"Changes of records, {count:,} by packed weights",
                one["changes"],
                limit=2 * count / 500 + ZONES,
                how=f"{ZONES} zones, 500 upserts a call; {one['reads']:.0f} calls that read besides",
            ),
            at_most(
                f"Seconds until the last change, {count:,} by packed weights",
                one["seconds"],
                limit=alone / 5,
                shown=f"{one['seconds']:.1f} s",
                unit=" s",
                how=f"at {CALLS_A_SECOND} calls a second; one call a record takes {alone:,.0f} s",
            ),
        ]
    seconds = Sample(values=tuple(one["processor"] for one in taken[FEW]))
    figures += [
        at_most(
            f"Seconds until the last change, {ZONES} applications among {OTHERS:,} records of others in each zone",
            _run(ZONES, Mode.WEIGHTS, others=OTHERS)["seconds"],
            limit=10,
            unit=" s",
            how="what others have between two of our names is not read",
        ),
        at_most(
            f"Processor time, {FEW:,} by packed weights",
            seconds.median,
            limit=5,
            shown=seconds.show(),
            unit=" s",
            how=f"{rounds} rounds, fakes included",
        ),
        exactly(
            "Records that disagree afterwards",
            sum(one["left"] for its in taken.values() for one in its),
            wanted=0,
            how="table against zones, all runs",
        ),
        exactly(
            "Records that disagree after deaths at random calls",
            _after_deaths(),
            wanted=0,
            how=f"{FEW:,} applications by weights, one call in ten; the next minute's run goes on",
        ),
        *failover_answers.figures(),
    ]
    return Section(title="Failover of applications", figures=tuple(figures), notes=(__doc__.partition("\n\n")[2],))


def _planes(count: int, mode: Mode) -> Planes:
    shop = group(mode=mode)
    applications = tuple(application(number, zone=f"Z{number % ZONES}") for number in range(count))
    planes = Planes(catalogue=Catalogue(regions=(A, B), groups=(shop,), applications=applications), seconds=280)
    planes.minutes(1)
    planes.world.calls.clear()
    gc.collect()
    return planes


def _run(count: int, mode: Mode, *, others: int = 0) -> dict[str, float]:
    planes = _planes(count, mode)
    for zone in planes.world.route53.zones.values():
        for name in (f"x{number}.example.com." for number in range(others)):
            zone[(name, "A", "")] = {"Name": name, "Type": "A"}
    world, began, clock = planes.world, planes.world.watch(), process_time()
    planes.start(B, "r1", B)
    changed = max(world.route53.last.values(), default=began) - began
    processor = process_time() - clock
    named = [name for _, name in world.calls]
    table = planes.region(B).table
    (request,) = table.requests("shop")
    while table.progress(request).state is State.OPEN:
        planes.minutes(1)
    assert set(planes.seen().values()) == {B}
    return {
        "route53": sum(named.count(one) for one in _ROUTE53),
        "changes": named.count("ChangeResourceRecordSets"),
        "reads": named.count("ListResourceRecordSets"),
        "metrics": named.count("PutMetricData"),
        "seconds": changed,
        "processor": processor,
        "left": _left(planes),
    }


def _after_deaths() -> int:
    """Die at every tenth call or so, until a run gets through."""
    planes, chance = _planes(FEW, Mode.WEIGHTS), Random(_SEED)  # noqa: S311 - the same deaths each time
    calls = 0

    def fault(_region: str, _call: str) -> None:
        nonlocal calls
        calls += 1
        if calls < FEW and chance.random() < _DEATHS:
            raise KeyboardInterrupt

    planes.world.fault = fault
    while calls < FEW:
        try:
            planes.start(B, "r1", B, force=True)
            planes.minutes(1)
        except KeyboardInterrupt:
            planes.world.pass_time(60)
    planes.world.fault = lambda _region, _call: None
    planes.minutes(5)
    return _left(planes)


def _left(planes: Planes) -> int:
    shop = planes.catalogue.group("shop")
    assert planes.region(B).table.placement(shop) != initial(shop)
    return len(planes.differing(B))
