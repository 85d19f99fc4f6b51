"""Runs that AWS holds up for longer than their lease."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.unit.lambdas.resilience.failover.aws import B
from tests.unit.lambdas.resilience.failover.planes import Planes


def test_who_was_overtaken_while_aws_was_slow_writes_and_tells_nothing_more() -> None:
    planes = Planes()
    planes.minutes(2)
    planes.start(B, "r1", B)
    rds, look, looks = planes.world.rds, planes.world.rds.describe_global_clusters, iter([True])

    def slow(**asked: Any) -> Any:
        seen = copy.deepcopy(look(**asked))
        if next(looks, False):
            planes.world.pass_time(121)
            for _ in range(3):
                planes.minute(B)
                planes.world.pass_time(60)
            assert _state(planes) == "DONE", "another run has ended it"
        return seen

    rds.describe_global_clusters = slow  # type: ignore[method-assign]
    planes.minute(B)
    assert _state(planes) == "DONE"
    planes.minutes(3)
    said = [json.loads(one["Detail"])["message"] for one in planes.world.said]
    assert len([one for one in said if "is served from" in one]) == 1


def _state(planes: Planes) -> str:
    (group,) = planes.commands(B).run("status", {}, actor="x")["groups"]
    return str(group["requests"][0]["progress"]["state"])
