"""Lambda function `failover`: the API, the schedule of each minute, and the schedule of drills, of one Region."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import HASTY, client, client_as
from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.common.metrics import CloudWatchMetrics
from lambdas.common.settings import Document, read_settings
from lambdas.common.versioned_json import loads
from lambdas.resilience.failover.commands import Commands
from lambdas.resilience.failover.executing import Executing
from lambdas.resilience.failover.minute import Minute
from lambdas.resilience.failover.region import Region
from lambdas.resilience.model.failover.catalogue import Catalogue
from lambdas.resilience.model.failover.names import NAMESPACE, FailoverNames
from lambdas.resilience.model.failover.request import RefusedError
from lambdas.resilience.store.failover.bus import DISAGREES, Bus
from lambdas.resilience.store.failover.databases import Databases
from lambdas.resilience.store.failover.denied import denied
from lambdas.resilience.store.failover.dns import Dns
from lambdas.resilience.store.failover.table import FailoverTable
from lambdas.resilience.store.failover.watch import Watch

# The next minute's run takes over from this one's. Nothing is begun after these: the API waits for 30 seconds, and with
# Route 53's control plane down one call of it takes as long as its client is patient.
_API_MILLISECONDS, _MINUTE_MILLISECONDS = 10_000, 50_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed, and its Region; `catalogue` is the configuration, as JSON."""

    aws_region: str
    factory: str
    role_arn: str
    catalogue: Document


def _region(make: Callable[[str], Any]) -> Region:
    settings = _settings()
    names = FailoverNames(prefix=settings.factory)
    table = FailoverTable(client=make("dynamodb"), name=names.failover, region=settings.aws_region)
    cloudwatch = make("cloudwatch")
    return Region(
        name=settings.aws_region,
        catalogue=Catalogue.from_json(settings.catalogue),
        table=table,
        watch=Watch(
            cloudwatch=cloudwatch,
            ssm=make("ssm"),
            metrics=CloudWatchMetrics(client=cloudwatch, factory=settings.factory, namespace=NAMESPACE),
            region=settings.aws_region,
        ),
        dns=Dns(client=make("route53")),
        databases=Databases(rds=make("rds"), region=settings.aws_region),
        bus=Bus(events=make("events"), name=names.failover, source=settings.factory),
        alarm=names.alarm,
        clock=clock.now,
    )


@cache
def _settings() -> Settings:
    return read_settings(Settings)


def _hasty(make: Callable[..., Any]) -> Callable[..., Any]:
    """What makes clients; that of Route 53, which an outage of another Region takes along, gives up in time.

    All others are this Region's: what a request needs written down, its lease among it, is tried as often as ever.
    """

    def made(service: str, **how: Any) -> Any:
        return make(service, **how, **({"config": HASTY} if service == "route53" else {}))

    return made


def _deny(region: str, *, make: Callable[[str], Any], make_as: Callable[..., Any]) -> Region:
    settings = _settings()
    there = denied(make("sts"), settings.role_arn, denied_region=region, region=settings.aws_region, make=make_as)
    return _region(there)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer the API, begin a drill (`{"drill": GROUP}`), or do what is due each minute."""
    is_api = "requestContext" in event
    least = context.get_remaining_time_in_millis() - (_API_MILLISECONDS if is_api else _MINUTE_MILLISECONDS)

    def execute(region: Region) -> Executing:
        hurry: dict[str, Any] = {"may_begin": in_time} if is_api else {}
        return Executing(region=region, holder=context.aws_request_id, in_time=in_time, **hurry)

    def in_time() -> bool:
        return bool(context.get_remaining_time_in_millis() > least)

    make, make_as = (_hasty(client), _hasty(client_as)) if is_api else (client, client_as)
    deny = partial(_deny, make=make, make_as=make_as)
    commands = Commands(region=_region(make), execute=execute, deny=deny)
    if is_api:
        return _answer(commands, event)
    if group := event.get("drill"):
        return _drill(commands, group, event["id"])
    Minute(region=commands.region, commands=commands, execute=execute, in_time=in_time).run()
    return {}


def _drill(commands: Commands, group: str, event_id: str) -> dict[str, Any]:
    """Begin it; a refusal is told to people, for nobody else waits for the answer."""
    try:
        body = {"group": group, "id": event_id, "reason": "scheduled drill"}
        return commands.run("drill", body, actor="schedule")
    except RefusedError as error:
        key = f"{clock.stamp(clock.now())}/{event_id}"
        commands.region.record(group, DISAGREES, f"a scheduled drill did not begin: {error}", key=key)
        return {}


def _answer(commands: Commands, event: Mapping[str, Any]) -> dict[str, Any]:
    """Who calls is what IAM says of the credentials, whatever the body says."""
    actor = event["requestContext"]["authorizer"]["iam"]["userArn"]
    try:
        told, status = commands.run(event["rawPath"].rsplit("/", 1)[-1], _body(event), actor=actor), 200
    except GranaryError as error:
        told, status = {"error": str(error)}, 409 if isinstance(error, (RefusedError, UnreadableError)) else 400
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(told)}


def _body(event: Mapping[str, Any]) -> dict[str, Any]:
    try:
        body = loads(event.get("body") or "{}")
    except ValueError as error:
        raise GranaryError(f"the body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise GranaryError("the body is no JSON object")
    return body
