"""The rows that most scenarios share: good, bad and impossible ones, put at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_cloud.factory.granary import TOOLCHAIN, WORKLOAD, Row

# In the configuration, and not bootstrapped.
NOWHERE = "333333333333"

# Put before there is a release.
EARLY = Row(id="early", type="silo", region="us-east-1", ring="general")

ACME = Row(id="acme", type="silo", region="us-east-1", ring="early")
EUROPE = Row(id="europe", type="pool", region="eu-west-1", ring="general")
# Its component goes into the toolchain's own account.
HOUSE = Row(id="house", type="silo", region="eu-west-1", account=TOOLCHAIN)
# Something is in the way of what the second commit adds to the component of one; it changes the pipeline of the other.
BREAKS = Row(id="breaks", type="pool", region="us-east-1", ring="early")
MOVES = Row(id="moves", type="pool", region="us-east-1", ring="canary")

# Its component stands in a second Region, too.
TWIN = Row(id="twin", type="silo", region="us-east-1", standby_region="eu-west-1")

GOOD = (ACME, EUROPE, HOUSE, BREAKS, MOVES)
UNREACHABLE = Row(id="unreachable", type="silo", region="us-east-1", account=NOWHERE)


def _row(deployment_id: str, **attributes: Any) -> dict[str, dict[str, Any]]:
    item: dict[str, dict[str, Any]] = {
        "id": {"S": deployment_id},
        "type": {"S": "silo"},
        "account": {"S": WORKLOAD},
        "region": {"S": "us-east-1"},
        **attributes,
    }
    return {name: value for name, value in item.items() if value}


SHELL = "$(touch /tmp/granary-was-here);&&"
TOO_LONG = "a" * 41
# Each with words that its reason must contain.
BAD: tuple[tuple[dict[str, dict[str, Any]], str], ...] = (
    (_row(SHELL), "not usable in names"),
    (_row(TOO_LONG), "has 41 characters"),
    (_row("no-account", account={}), "account is missing: add"),
    (_row("number-account", account={"N": "222222222222"}), "account must be a string"),
    (_row("gov", region={"S": "us-gov-west-1"}), "us-gov-west-1"),
)
# The same row with a Region that is allowed.
CORRECTABLE = Row(id="gov", type="silo", region="eu-west-1")


def with_extra(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """A row with attributes that are none of the factory's business."""
    return {**item, "owner": {"S": "team blue"}, "limits": {"M": {"seats": {"N": "7"}}}}
