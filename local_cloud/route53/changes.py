"""Changes of zones: PENDING for a while, not at once after another, and no more requests of an account than AWS takes.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import route53

from local_cloud.route53.records import Change, RefusedError, applied
from local_cloud.server import faults
from local_cloud.server.responses import Response

_BUSY_SECONDS, _INSYNC_SECONDS = 0.5, 60.0
_REQUESTS_A_SECOND, _BURST = 10.0, 5.0  # a full bucket is five seconds' worth
# When a zone was last changed.
_busy: dict[str, float] = {}
# What is left in the bucket of an account, and when that was.
_left: dict[str, tuple[float, float]] = {}


def setting(name: str, default: float) -> float:
    """A number that a test may set to another."""
    value = faults.board.setting("route53", name)
    return default if value is None else float(value)


def throttled() -> Response | None:
    """Count a request of the account in scope; what it is answered when there were too many."""
    rate, now, account = setting("requests_a_second", _REQUESTS_A_SECOND), time.monotonic(), get_account_id()
    if not rate:
        return None
    full = rate * _BURST
    left, since = _left.get(account, (full, now))
    left = min(full, left + (now - since) * rate)
    if left < 1:
        return error(RefusedError(code="Throttling", message="Rate exceeded"))
    _left[account] = (left - 1, now)
    return None


def change_resource_record_sets(zone_id: str, body: bytes) -> Response:
    """ChangeResourceRecordSets: all of a batch, or nothing of it."""
    try:
        comment, changes = _parsed(body)
        _refuse_while_busy(zone_id)
        apply(zone_id, changes)
    except RefusedError as refused:
        return error(refused)
    _busy[zone_id] = time.monotonic()
    with route53._lock:
        change = route53._new_change(comment)
    change["began"] = _busy[zone_id]
    answer: Response = route53._xml_response(
        "ChangeResourceRecordSetsResponse", lambda root: route53._build_change_info_el(root, change)
    )
    return answer


def _refuse_while_busy(zone_id: str) -> None:
    if time.monotonic() - _busy.get(zone_id, -math.inf) < setting("busy_seconds", _BUSY_SECONDS):
        message = "The request was rejected because Route 53 was still processing a prior request."
        raise RefusedError(code="PriorRequestNotComplete", message=message)


def get_change(change_id: str) -> Response:
    """GetChange: PENDING until all name servers would have it."""
    change = route53._changes.get(change_id)
    if change is None:
        message = f"A change with the ID {change_id} does not exist."
        return error(RefusedError(code="NoSuchChange", message=message, status=404))
    age = time.monotonic() - change.setdefault("began", -math.inf)
    change["status"] = "PENDING" if age < setting("insync_seconds", _INSYNC_SECONDS) else "INSYNC"
    answer: Response = route53._xml_response(
        "GetChangeResponse", lambda root: route53._build_change_info_el(root, change)
    )
    return answer


def apply(zone_id: str, changes: Sequence[Change]) -> None:
    """Make changes of a zone of the account in scope; raises RefusedError."""
    with route53._lock:
        zone = route53._zones.get(zone_id)
        if zone is None:
            message = f"No hosted zone found with ID: {zone_id}"
            raise RefusedError(code="NoSuchHostedZone", message=message, status=404)
        # A new list each time: who reads the old one goes on undisturbed.
        records = applied(zone, route53._records[zone_id], changes, checks=route53._health_checks)
        route53._records[zone_id] = records


def error(refused: RefusedError) -> Response:
    """What a refused request is answered."""
    answer: Response = route53._error_response(refused.code, refused.message, refused.status)
    return answer


def asked(body: bytes) -> list[Change]:
    """The changes that a request asks for; raises RefusedError."""
    return _parsed(body)[1]


def _parsed(body: bytes) -> tuple[str, list[Change]]:
    root = route53._parse_body(body)
    batch = root if root is None else route53._find(root, "ChangeBatch")
    within = batch if batch is None else route53._find(batch, "Changes")
    if within is None or not len(within):
        raise RefusedError(code="InvalidInput", message="The request has no ChangeBatch with Changes.")
    return route53._text(batch, "Comment"), [_change(one) for one in route53._findall(within, "Change")]


def _change(element: Any) -> Change:
    action, given = route53._text(element, "Action"), route53._find(element, "ResourceRecordSet")
    if given is None or action not in ("CREATE", "DELETE", "UPSERT"):
        raise RefusedError(code="InvalidInput", message=f"A change has no record, or the unknown action '{action}'.")
    return Change(action=action, record=normal(route53._parse_record_set(given)))


def normal(record: dict[str, Any]) -> dict[str, Any]:
    """The record with its alias target in lower case, as Route 53 keeps all names."""
    alias = record.get("AliasTarget")
    return {**record, "AliasTarget": {**alias, "DNSName": alias["DNSName"].lower()}} if alias else record
