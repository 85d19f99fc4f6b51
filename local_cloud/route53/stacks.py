"""CloudFormation's types of Route 53, made by the same changes as the API's, which nobody waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import route53
from ministack.services.cloudformation import provisioners

from local_cloud.route53 import changes, health
from local_cloud.route53.records import Change, Record, RefusedError, key_of

Properties = Mapping[str, Any]
_Made = tuple[str, dict[str, Any]]


def register() -> None:
    """Add the types to ministack's CloudFormation, in place of those that refuse nothing."""
    zone = provisioners._RESOURCE_HANDLERS["AWS::Route53::HostedZone"]
    create, update = zone["create"], zone["update"]
    zone["create"] = _told(lambda logical_id, properties, *rest: create(logical_id, _lower(properties), *rest))
    zone["update"] = lambda which, before, after, *rest: update(which, _lower(before), _lower(after), *rest)
    zone["delete"] = _told(_delete_zone)
    for name, handlers in {
        "HealthCheck": {"create": _create_check, "update": _update_check, "delete": _delete_check},
        "RecordSet": {"create": _create_record, "update": _update_record, "delete": _delete_records},
        "RecordSetGroup": {"create": _create_group, "update": _update_group, "delete": _delete_records},
    }.items():
        told = {operation: _told(handler) for operation, handler in handlers.items()}
        provisioners._RESOURCE_HANDLERS[f"AWS::Route53::{name}"] = told


def _lower(properties: Properties) -> Properties:
    if properties.get("VPCs"):
        raise RefusedError(code="InvalidInput", message="The local cloud's CloudFormation makes no private zones.")
    return {**properties, "Name": properties["Name"].lower()}


def _told(handler: Any) -> Any:
    """The handler, whose refusals are told as resource handlers tell them."""

    def told(*given: Any) -> Any:
        try:
            return handler(*given)
        except RefusedError as refused:
            raise ValueError(f"{refused.message} (Service: Route53, Code: {refused.code})") from refused

    return told


def _delete_zone(zone_id: str, _: Properties) -> None:
    answer = route53._delete_hosted_zone(zone_id)
    if b"HostedZoneNotEmpty" in answer[2]:
        message = "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
        raise RefusedError(code="HostedZoneNotEmpty", message=message)


def _create_check(_: str, properties: Properties, __: str) -> _Made:
    which = route53._hc_id()
    check = {"id": which, "caller_reference": which, "config": _config(properties), "version": 1}
    route53._health_checks[which] = check
    route53._tags["healthcheck", which] = _tags(properties)
    return which, {"HealthCheckId": which}


def _update_check(which: str, before: Properties, after: Properties, stack: str) -> _Made:
    old, new = _config(before), _config(after)
    if any(old.get(key) != new.get(key) for key in ("Type", "MeasureLatency", "RequestInterval")):
        made = _create_check("", after, stack)
        provisioners._delete_predecessor(_delete_check, which, before)
        return made
    check = route53._health_checks[which]
    route53._health_checks[which] = {**check, "config": new, "version": check["version"] + 1}
    route53._tags["healthcheck", which] = _tags(after)
    return which, {"HealthCheckId": which}


def _delete_check(which: str, _: Properties) -> None:
    route53._delete_health_check(which)
    route53._tags.pop(("healthcheck", which), None)


def _config(properties: Properties) -> dict[str, Any]:
    config = health.parsed(properties["HealthCheckConfig"])
    health.refuse(config)
    return config


def _tags(properties: Properties) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in properties.get("HealthCheckTags", ())}


def _create_record(_: str, properties: Properties, __: str) -> _Made:
    (record,) = _make(properties)
    return record["Name"], {}


def _update_record(_: str, before: Properties, after: Properties, __: str) -> _Made:
    (record,) = _exchange(before, after)
    return record["Name"], {}


def _create_group(logical_id: str, properties: Properties, stack: str) -> _Made:
    _make(properties)
    return provisioners._physical_name(stack, logical_id), {}


def _update_group(which: str, before: Properties, after: Properties, _: str) -> _Made:
    _exchange(before, after)
    return which, {}


def _make(properties: Properties) -> list[Record]:
    records = _records(properties)
    changes.apply(_zone(properties), [Change(action="CREATE", record=one) for one in records])
    return records


def _exchange(before: Properties, after: Properties) -> list[Record]:
    """Write what is to be, and take away what is no longer; in another zone, after it is there."""
    if _zone(before) != _zone(after):
        records = _make(after)
        provisioners._delete_predecessor(_delete_records, "", before)
        return records
    records = _records(after)
    kept = {(one["Name"], key_of(one)) for one in records}
    gone = _there(before, [one for one in _records(before) if (one["Name"], key_of(one)) not in kept])
    wanted = [Change(action="UPSERT", record=one) for one in records]
    changes.apply(_zone(after), [*(Change(action="DELETE", record=one) for one in gone), *wanted])
    return records


def _delete_records(_: str, properties: Properties) -> None:
    if gone := _there(properties, _records(properties)):
        changes.apply(_zone(properties), [Change(action="DELETE", record=one) for one in gone])


def _there(properties: Properties, records: Sequence[Record]) -> list[Record]:
    """Those of the records that are there, as they are now: another may have changed their weights."""
    wanted = {(one["Name"], key_of(one)) for one in records}
    there = route53._records.get(_zone(properties), ())
    return [one for one in there if (one["Name"], key_of(one)) in wanted]


def _zone(properties: Properties) -> str:
    return str(provisioners._r53_resolve_hosted_zone_id(properties))


def _records(properties: Properties) -> list[Record]:
    given = properties.get("RecordSets", [properties])
    return [changes.normal(provisioners._r53_record_set_build_rs(one)) for one in given]
