"""Adds the engine to ministack's Route 53, and to IAM the resources and condition keys that Route 53 has.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonroute53.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ministack import app as ministack_app
from ministack.core.responses import get_account_id
from ministack.services import route53

from local_cloud.route53 import changes, health, server, stacks
from local_cloud.route53.records import RefusedError
from local_cloud.server import iam_gaps
from local_cloud.server.responses import Response

_RESOURCE = re.compile(r"/(change|healthcheck|hostedzone)/([^/]+)")
_STATUS = re.compile(r"/healthcheck/([^/]+)/status$")
_CHECK = re.compile(r"/healthcheck(/[^/]+)?$")
_CHANGE_KEY = "route53:changeresourcerecordsets"


def register() -> None:
    """Add everything; once, before serving."""
    route53._change_resource_record_sets = changes.change_resource_record_sets
    route53._get_change = changes.get_change
    # Names are kept in lower case.
    complete = route53._normalise_name
    route53._normalise_name = lambda name: complete(name).lower()
    parse = route53._parse_health_check_config
    route53._parse_health_check_config = lambda element: health.parsed(parse(element))
    stacks.register()
    iam_gaps.resource_of("route53", _resource)
    iam_gaps.context_of("route53", _context)
    _take_requests()
    health.watch()
    server.start()


def _take_requests() -> None:
    handle = ministack_app.SERVICE_HANDLERS["route53"]

    async def handled(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Response:
        own = changes.throttled() or _own(method, path, body, query)
        answer: Response = own or await handle(method, path, headers, body, query)
        return answer

    ministack_app.SERVICE_HANDLERS["route53"] = handled


def _own(method: str, path: str, body: bytes, query: Mapping[str, Any]) -> Response | None:
    """The answer to what ministack does not have, or would not refuse."""
    if found := _STATUS.search(path):
        return health.status(get_account_id(), found[1])
    if path.endswith("/testdnsanswer"):
        return _test_dns_answer({key: _text(value) for key, value in query.items()})
    if method == "POST" and (found := _CHECK.search(path)):
        return _refused_check((found[1] or "").strip("/"), body)
    return None


def _refused_check(which: str, body: bytes) -> Response | None:
    """CreateHealthCheck and UpdateHealthCheck, where they ask for what cannot be looked at."""
    root = route53._parse_body(body)
    given = root if which or root is None else route53._find(root, "HealthCheckConfig")
    if given is None:
        return None
    known = (route53._health_checks.get(which) or {"config": {}})["config"]
    try:
        health.refuse({**known, **route53._parse_health_check_config(given)})
    except RefusedError as refused:
        return changes.error(refused)
    return None


def _test_dns_answer(query: Mapping[str, str]) -> Response:
    zone = server.zone_by_id(get_account_id(), query["hostedzoneid"])
    if zone is None:
        message = f"No hosted zone found with ID: {query['hostedzoneid']}"
        return changes.error(RefusedError(code="NoSuchHostedZone", message=message, status=404))
    name, kind = query["recordname"].lower().rstrip(".") + ".", query["recordtype"]
    found = server.ANSWERS.to(name, kind)

    def build(root: Any) -> None:
        for key, value in (("Nameserver", route53._DEFAULT_NS[0].rstrip(".")), ("RecordName", name.rstrip("."))):
            route53.SubElement(root, key).text = value
        route53.SubElement(root, "RecordType").text = kind
        data = route53.SubElement(root, "RecordData")
        for _, _, _, value in found.lines:
            route53.SubElement(data, "RecordDataEntry").text = value
        route53.SubElement(root, "ResponseCode").text = found.code
        route53.SubElement(root, "Protocol").text = "UDP"

    answer: Response = route53._xml_response("TestDNSAnswerResponse", build)
    return answer


def _text(value: Any) -> str:
    return str(value[0] if isinstance(value, list) else value)


def _resource(request: iam_gaps.Request) -> str | None:
    found = _RESOURCE.search(request.path)
    return f"arn:aws:route53:::{found[1]}/{found[2]}" if found else None


def _context(request: iam_gaps.Request) -> Mapping[str, Any]:
    """What a change of records is evaluated with; one that cannot be read is refused by Route 53."""
    if request.operation != "ChangeResourceRecordSets":
        return {}
    try:
        asked = changes.asked(request.raw)
    except (RefusedError, ValueError):
        return {}
    return {
        f"{_CHANGE_KEY}actions": sorted({one.action for one in asked}),
        f"{_CHANGE_KEY}recordtypes": sorted({one.key[0] for one in asked}),
        f"{_CHANGE_KEY}normalizedrecordnames": sorted({one.record["Name"].rstrip(".") for one in asked}),
    }
