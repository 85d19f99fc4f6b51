"""When a health check of Route 53 is healthy: by its alarm, by its children, inverted and disabled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import cloudwatch, route53

from local_cloud.route53 import health
from local_cloud.route53.records import RefusedError
from local_cloud.server import faults

_ACCOUNT, _REGION = "111111111111", "eu-west-1"
_names = itertools.count()


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    yield
    route53.reset()
    cloudwatch._alarms.clear()


def _check(*, state: str | None = None, **config: Any) -> str:
    """A health check on an alarm in that state, or on none."""
    which = f"check-{next(_names)}"
    alarm = {"Name": which, "Region": _REGION}
    _alarm(which, state)
    with request_scope(_ACCOUNT, "us-east-1"):
        given = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": alarm, **config}
        route53._health_checks[which] = {"id": which, "config": given}
    return which


def _alarm(name: str, state: str | None) -> None:
    with request_scope(_ACCOUNT, _REGION):
        cloudwatch._alarms.pop(name, None)
        if state:
            cloudwatch._alarms[name] = {"StateValue": state}


def _seen(check: str) -> bool:
    health.look()
    return health.is_healthy(_ACCOUNT, check)


@pytest.mark.parametrize("gone", ["INSUFFICIENT_DATA", None])
@pytest.mark.parametrize(
    ("without_data", "after_ok", "after_alarm"),
    [("Healthy", True, True), ("Unhealthy", False, False), ("LastKnownStatus", True, False), ("", True, False)],
)
def test_an_alarm_without_data(gone: str | None, without_data: str, after_ok: bool, after_alarm: bool) -> None:
    given = {"InsufficientDataHealthStatus": without_data} if without_data else {}
    check = _check(state="OK", **given)
    assert _seen(check)
    _alarm(check, gone)
    assert _seen(check) is after_ok
    _alarm(check, "ALARM")
    assert not _seen(check)
    _alarm(check, gone)
    assert _seen(check) is after_alarm


def test_a_new_health_check_without_data_is_healthy() -> None:
    assert _seen(_check())
    assert not _seen(_check(InsufficientDataHealthStatus="Unhealthy"))


def test_inverted_and_disabled() -> None:
    assert [_seen(_check(state=state, Inverted="true")) for state in ("OK", "ALARM")] == [False, True]
    assert _seen(_check(state="ALARM", Disabled="true"))
    assert not _seen(_check(state="OK", Disabled="true", Inverted="true"))


def test_a_region_that_is_down_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    check = _check(state="ALARM")
    assert not _seen(check)
    down = {("regions", "down"): [_REGION]}
    monkeypatch.setattr(faults.board, "setting", lambda service, name: down.get((service, name)))
    _alarm(check, "OK")
    assert not _seen(check)
    down.clear()
    assert _seen(check)


@pytest.mark.parametrize(("threshold", "healthy"), [(1, True), (2, False)])
def test_a_calculated_health_check_counts_its_children(threshold: int, healthy: bool) -> None:
    children = [_check(state="OK"), _check(state="ALARM")]
    assert _seen(_check(Type="CALCULATED", ChildHealthChecks=children, HealthThreshold=threshold)) is healthy


def test_a_health_check_of_another_account_or_that_is_gone_takes_nothing_out() -> None:
    assert health.is_healthy("222222222222", _check(state="ALARM"))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"Type": "RECOVERY_CONTROL"}, "no health checks of type RECOVERY_CONTROL"),
        ({"Type": "HTTP_STR_MATCH", "IPAddress": "127.0.0.1"}, "no health checks of type HTTP_STR_MATCH"),
        ({"Type": "CLOUDWATCH_METRIC"}, "needs an AlarmIdentifier"),
        ({"Type": "HTTP", "FullyQualifiedDomainName": "shop.example"}, "and not 'shop.example'"),
        ({"Type": "TCP"}, "and not ''"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(config: dict[str, str], reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        health.refuse(config)
    assert reason in caught.value.message
