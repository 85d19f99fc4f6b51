"""Runs that AWS holds up."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.unit.lambdas.resilience.failover.aws import B
from tests.unit.lambdas.resilience.failover.planes import Planes


def test_while_aws_holds_a_run_up_no_other_goes_on_with_its_request() -> None:
    """Else it would wake up after another has ended the request, and do again what it saw to be missing before."""
    planes = Planes()
    planes.minutes(2)
    planes.start(B, "r1", B)
    rds, look, looks = planes.world.rds, planes.world.rds.describe_global_clusters, iter([True])

    def slow(**asked: Any) -> Any:
        seen = copy.deepcopy(look(**asked))
        if next(looks, False):
            planes.world.pass_time(121)
            for _ in range(2):
                planes.minute(B)
                planes.world.pass_time(60)
        return seen

    rds.describe_global_clusters = slow  # type: ignore[method-assign]
    planes.minute(B)
    planes.minutes(4)
    (group,) = planes.commands(B).run("status", {}, actor="x")["groups"]
    assert group["requests"][0]["progress"]["state"] == "DONE"
    assert planes.world.rds.begun == [("SwitchoverGlobalCluster", B)]
    said = [json.loads(one["Detail"])["message"] for one in planes.world.said]
    assert len([one for one in said if "is served from" in one]) == 1


def test_who_has_no_time_left_begins_no_step_and_the_next_minute_does() -> None:
    """API Gateway waits for 30 seconds; the request is taken all the same."""
    planes = Planes()
    planes.minutes(2)
    patient, planes.seconds = planes.seconds, 0
    assert planes.start(B, "r1", B)["progress"]["state"] == "OPEN"
    assert planes.world.rds.begun == []
    planes.seconds = patient
    planes.minutes(4)
    assert planes.states(B) == {"r1": "DONE"}


def test_a_minute_whose_time_went_with_other_groups_goes_on_with_a_request_all_the_same() -> None:
    """Else a group whose zones cannot be read would keep those after it from failing over for as long as that lasts."""
    planes = Planes()
    planes.minutes(2)
    planes.seconds = 0
    planes.start(B, "r1", B)
    planes.minutes(4)
    assert planes.states(B) == {"r1": "DONE"}
