"""Each role of the failover control plane lacks one permission: nothing is half done, and it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_cloud.factory.failover import AWAY, FAILOVER, INTRANET, SHOP
from local_cloud.factory.granary import HOME, wait_until
from tests.local.resilience.failing import Failing
from tests.local.saas.permissions import without


def _minute(failing: Failing, region: str) -> dict[str, Any]:
    """What the function of a Region answers when its minute comes."""
    answer = failing.granary.client("lambda", region=region).invoke(FunctionName=FAILOVER.failover, Payload=b"{}")
    return dict(json.loads(answer["Payload"].read()))


@pytest.mark.parametrize(
    ("region", "action", "words"),
    [
        (HOME, "dynamodb:PutItem", "what is seen here was not written down"),
        (AWAY, "dynamodb:Query", "requests of group shop"),
        (AWAY, "cloudwatch:PutMetricData", "what is seen here was not written down"),
        (HOME, "cloudwatch:DescribeAlarms", "what is seen here was not written down"),
        (AWAY, "route53:ListResourceRecordSets", "comparing group shop"),
    ],
)
def test_what_the_function_of_a_region_lacks_is_said(failing: Failing, region: str, action: str, words: str) -> None:
    with failing.without_minutes(), without(failing.granary, FAILOVER.role(region), action):

        def said() -> str | None:
            # Each time: a run that has begun before, in either Region, may be the one that compares.
            failing.a_quarter_of_an_hour_goes_by(SHOP)
            text = str(_minute(failing, region).get("errorMessage", ""))
            return text if words in text and action in text else None

        assert wait_until(said, seconds=30, what=f"the function to say that it lacks {action}")
    assert "errorMessage" not in _minute(failing, region)


@pytest.mark.parametrize("region", [HOME, AWAY])
def test_a_function_that_fails_is_told_to_people_of_its_region(failing: Failing, region: str) -> None:
    cloudwatch = failing.granary.client("cloudwatch", region=region)

    def alarm(state: str) -> str | None:
        """The name of the alarm on the function's errors, when it is in a state."""
        found = cloudwatch.describe_alarms(AlarmNamePrefix=f"{FAILOVER.role(region)}-FailoverFunctionErrors")[
            "MetricAlarms"
        ]
        return next((str(one["AlarmName"]) for one in found if one["StateValue"] == state), None)

    name = wait_until(lambda: alarm("OK"), seconds=60, what="the alarm to be at rest")
    heard = len(failing.people[region].messages())
    with without(failing.granary, FAILOVER.role(region), "cloudwatch:PutMetricData"):
        assert "errorMessage" in _minute(failing, region)
        assert failing.told(region, name, '"NewStateValue": "ALARM"', after=heard)


@pytest.mark.parametrize(
    ("group", "action", "step"),
    [
        (SHOP, "rds:SwitchoverGlobalCluster", "database/orders"),
        (INTRANET, "route53:ChangeResourceRecordSets", "weights"),
        (INTRANET, "route53:GetChange", "weights"),
    ],
)
def test_a_request_waits_for_what_is_lacking_and_goes_on(failing: Failing, group: str, action: str, step: str) -> None:
    request = f"without-{action.rpartition(':')[2]}"
    with without(failing.granary, FAILOVER.role(AWAY), action):
        assert failing.start(group, request, AWAY)["progress"]["state"] == "OPEN"
        failing.is_stuck(group, request, step, action)
    assert failing.ended(group, request).state == "DONE"
    failing.serves(group, AWAY)
    failing.comes_home(group, f"{request}-back")


def test_a_drill_that_cannot_deny_itself_the_region_does_nothing(failing: Failing) -> None:
    with without(failing.granary, FAILOVER.role(AWAY), "sts:AssumeRole"):
        status, answer = failing.ask("drill", {"group": SHOP, "id": "undenied"})
        assert (status, answer["progress"]["state"]) == (200, "OPEN")
        assert "sts:AssumeRole" in _minute(failing, AWAY)["errorMessage"]
        assert set(failing.answers(SHOP).values()) == {HOME}
    assert failing.ended(SHOP, "undenied").state == "DONE"
    failing.comes_home(SHOP, "undenied-back")


def test_who_cannot_say_it_on_the_bus_fails_over_all_the_same(failing: Failing) -> None:
    with without(failing.granary, FAILOVER.role(AWAY), "events:PutEvents"):
        failing.start(INTRANET, "unheard", AWAY)
        assert failing.ended(INTRANET, "unheard").state == "DONE"
    assert failing.history(INTRANET)[-1].startswith(f"group {INTRANET} is served from {AWAY} since ")
    failing.comes_home(INTRANET, "heard")
