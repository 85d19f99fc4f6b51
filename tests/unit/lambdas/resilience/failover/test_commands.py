"""What may be asked for, by whom, and what is taken of it."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.resilience.failover.commands import RefusedError
from tests.unit.lambdas.resilience.failover.aws import B
from tests.unit.lambdas.resilience.failover.planes import Planes


@pytest.fixture
def planes() -> Planes:
    made = Planes()
    made.minutes(2)
    return made


@pytest.mark.parametrize("more", [{"force": True}, {"unplanned": True}, {"applications": ["app1"]}, {"mode": "weights"}])
def test_who_may_only_drill_can_ask_for_nothing_else(planes: Planes, more: dict[str, Any]) -> None:
    body = {"group": "shop", "id": "d1", **more}
    request = planes.commands(B).run("drill", body, actor="ann")["request"]
    assert {"unplanned", "applications", "mode"} & set(request) == set()
    planes.minutes(4)
    assert planes.world.rds.begun == [("SwitchoverGlobalCluster", B)]
    assert set(planes.seen().values()) == {B}


def test_a_drill_is_never_forced(planes: Planes) -> None:
    planes.world.watches[B].set("healthy", "ALARM")
    planes.minutes(1)
    with pytest.raises(RefusedError, match="alarm healthy in eu-west-1 is ALARM"):
        planes.commands(B).run("drill", {"group": "shop", "id": "d1", "force": True}, actor="ann")
