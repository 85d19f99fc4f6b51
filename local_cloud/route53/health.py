"""Health checks: the state of an alarm, whether a port of this machine answers, or how many others are healthy.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, route53

from local_cloud.route53.changes import error
from local_cloud.route53.records import RefusedError
from local_cloud.server import alarms, faults
from local_cloud.server.responses import Response

Config = Mapping[str, Any]
_HERE = frozenset({"127.0.0.1", "localhost"})
_PROBED = frozenset({"HTTP", "HTTPS", "TCP"})
_TYPES = _PROBED | {"CALCULATED", "CLOUDWATCH_METRIC"}
_FAILURES = 3
_ANSWER_SECONDS = 2.0
_INSUFFICIENT = {"Healthy": True, "Unhealthy": False}
_log = logging.getLogger("local_cloud")
# Before inversion, by health check; and the probes in a row that said otherwise.
_known: dict[str, bool] = {}
_otherwise: dict[str, int] = {}


def watch() -> None:
    """Look at all health checks again and again; once, before it serves."""
    threading.Thread(target=_watch, daemon=True, name="health checks").start()


def is_healthy(account: str, check_id: str) -> bool:
    """Whether a health check is: what it was when it was last looked at. One that is gone is healthy."""
    check = route53._health_checks.get_scoped(account, None, check_id)
    if check is None:
        return True
    if check_id not in _known:
        _look(account, check)
    return _known[check_id] != _is(check["config"], "Inverted")


def status(account: str, check_id: str) -> Response:
    """GetHealthCheckStatus: what one health checker says of it."""
    check = route53._health_checks.get_scoped(account, None, check_id)
    if check is None:
        message = f"No health check exists with the specified ID {check_id}."
        return error(RefusedError(code="NoSuchHealthCheck", message=message, status=404))
    if check["config"]["Type"] == "CALCULATED":
        return error(RefusedError(code="InvalidInput", message="A calculated health check has no status here."))
    found = "Success" if is_healthy(account, check_id) else "Failure"

    def build(root: Any) -> None:
        observation = route53.SubElement(route53.SubElement(root, "HealthCheckObservations"), "HealthCheckObservation")
        for name, value in (("Region", "us-east-1"), ("IPAddress", "127.0.0.1")):
            route53.SubElement(observation, name).text = value
        report = route53.SubElement(observation, "StatusReport")
        route53.SubElement(report, "Status").text = f"{found}: as the local cloud last saw it"
        route53.SubElement(report, "CheckedTime").text = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    answer: Response = route53._xml_response("GetHealthCheckStatusResponse", build)
    return answer


def refuse(config: Config) -> None:
    """Raise RefusedError for a health check that cannot be looked at here."""
    kind = str(config.get("Type"))
    host = str(config.get("IPAddress") or config.get("FullyQualifiedDomainName") or "")
    if kind not in _TYPES:
        raise RefusedError(code="InvalidInput", message=f"The local cloud has no health checks of type {kind}.")
    if kind == "CLOUDWATCH_METRIC" and not config.get("AlarmIdentifier"):
        raise RefusedError(code="InvalidInput", message="CLOUDWATCH_METRIC needs an AlarmIdentifier.")
    if kind in _PROBED and host not in _HERE:
        message = f"Health checks of the local cloud probe {', '.join(sorted(_HERE))}, and not '{host}'."
        raise RefusedError(code="InvalidInput", message=message)


def parsed(config: Config) -> dict[str, Any]:
    """A configuration as Route 53 writes it: truth in lower case."""
    return {key: str(value).lower() if isinstance(value, bool) else value for key, value in config.items()}


def look() -> None:
    """Look at all health checks of all accounts."""
    for (account, _), check in list(route53._health_checks.to_dict().items()):
        try:
            _look(account, check)
        except Exception:
            _log.exception("The health check %s cannot be looked at", check["id"])


def _watch() -> None:
    while True:
        time.sleep(min(5.0, alarms.minute() / 12))
        look()


def _look(account: str, check: Mapping[str, Any]) -> None:
    which, config = check["id"], check["config"]
    last = _known.get(which, True)
    if _is(config, "Disabled"):
        _known[which] = True
    elif config["Type"] == "CLOUDWATCH_METRIC":
        _known[which] = _by_alarm(account, config, last)
    elif config["Type"] == "CALCULATED":
        children = config.get("ChildHealthChecks", ())
        healthy = sum(is_healthy(account, one) for one in children)
        _known[which] = healthy >= int(config.get("HealthThreshold", len(children)))
    else:
        seen = _answers(config)
        _otherwise[which] = 0 if seen is last else _otherwise.get(which, 0) + 1
        enough = which not in _known or _otherwise[which] >= int(config.get("FailureThreshold", _FAILURES))
        _known[which] = seen if enough else last


def _is(config: Config, name: str) -> bool:
    return str(config.get(name, "")).lower() == "true"


def _by_alarm(account: str, config: Config, last: bool) -> bool:
    name, region = config["AlarmIdentifier"]["Name"], config["AlarmIdentifier"]["Region"]
    with request_scope(account, region):
        alarm = cloudwatch._alarms.get(name) or {}
    state = alarm.get("StateValue", "INSUFFICIENT_DATA")
    if state == "INSUFFICIENT_DATA" or region in (faults.board.setting("regions", "down") or ()):
        return _INSUFFICIENT.get(config.get("InsufficientDataHealthStatus", ""), last)
    return bool(state == "OK")


def _answers(config: Config) -> bool:
    kind = config["Type"]
    port = int(config.get("Port") or (443 if kind == "HTTPS" else 80))
    with contextlib.suppress(OSError, http.client.HTTPException):
        if kind == "TCP":
            socket.create_connection(("127.0.0.1", port), _ANSWER_SECONDS).close()
            return True
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
        if kind == "HTTPS":
            # Health checks of Route 53 do not look at the certificate.
            context = ssl._create_unverified_context()  # noqa: S323
            connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS, context=context)
        with contextlib.closing(connection):
            connection.request("GET", config.get("ResourcePath") or "/")
            return HTTPStatus.OK <= connection.getresponse().status < HTTPStatus.BAD_REQUEST
    return False
