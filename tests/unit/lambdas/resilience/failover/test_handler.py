"""The function itself: who asks is what IAM says, and what it does each minute, on moto's AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from lambdas.common import clients
from lambdas.common.clients import HASTY
from lambdas.common.errors import GranaryError
from lambdas.resilience.failover import handler as module
from lambdas.resilience.failover.handler import handler
from lambdas.resilience.model.failover.catalogue import Mode
from lambdas.resilience.store.failover import denied as denied_module
from tests.unit.lambdas.resilience.failover.aws import A, B
from tests.unit.lambdas.resilience.failover.planes import ACTOR, application, catalogue, group


class Context:
    """As much time as a function has."""

    aws_request_id = "run-1"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.fixture
def function(
    aws: None, give_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """The function of the second Region, with its table, its bus and a zone."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", B)
    for cached in (clients.client, module._settings):
        cached.cache_clear()
    boto3.client("dynamodb", B).create_table(
        TableName="granary-resilience-failover",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "sort", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "sort")],
        BillingMode="PAY_PER_REQUEST",
    )
    boto3.client("events", B).create_event_bus(Name="granary-resilience-failover")
    route53 = boto3.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="x")["HostedZone"]["Id"].rsplit("/", 1)[-1]
    one = application(1, zone=zone)
    changes = [
        {
            "Action": "CREATE",
            "ResourceRecordSet": {
                "Name": one.record,
                "Type": "CNAME",
                "SetIdentifier": region,
                "Weight": 100 if region == A else 0,
                "TTL": 60,
                "ResourceRecords": [{"Value": endpoint.dns_name}],
            },
        }
        for region, endpoint in one.endpoints.items()
    ]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    shop = group(mode=Mode.WEIGHTS)
    environment = {"AWS_REGION": B, "FACTORY": "granary", "ROLE_ARN": "arn:aws:iam::111111111111:role/x"}
    give_settings(environment, catalogue=catalogue(shop, applications=[one]).to_json())
    yield lambda event: handler(event, Context())
    for cached in (clients.client, module._settings):
        cached.cache_clear()


def _ask(command: str, **body: Any) -> dict[str, Any]:
    return {
        "rawPath": f"/{command}",
        "body": json.dumps(body),
        "requestContext": {"http": {"method": "POST"}, "authorizer": {"iam": {"userArn": ACTOR}}},
    }


_API_SECONDS = 30
_START = {"group": "shop", "id": "r1", "from": A, "to": B, "reason": "test", "actor": "mallory"}


def test_it_fails_over_in_the_name_of_the_credentials(function: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    function({})
    refused = function(_ask("start", **_START))
    assert refused["statusCode"] == 409
    assert "alarm healthy in eu-west-1 is not there, not OK" in json.loads(refused["body"])["error"]
    answer = function(_ask("start", **_START, force=True))
    told = json.loads(answer["body"])
    assert answer["statusCode"] == 200, told
    assert told["request"]["actor"] == ACTOR
    function({})
    (status,) = json.loads(function(_ask("status"))["body"])["groups"]
    assert (status["active"], status["requests"][0]["progress"]["state"]) == (B, "DONE")
    records = boto3.client("route53").list_resource_record_sets(HostedZoneId=_zone())
    weights = {one["SetIdentifier"]: one["Weight"] for one in records["ResourceRecordSets"] if "Weight" in one}
    assert weights == {A: 0, B: 100}


def _zone() -> str:
    return str(boto3.client("route53").list_hosted_zones()["HostedZones"][0]["Id"])


@pytest.mark.parametrize("body", ["[]", "nonsense", '"text"', '{"group": "other"}', "null", '{"a":' * 100_000])
def test_what_is_no_request_is_answered(function: Callable[[dict[str, Any]], dict[str, Any]], body: str) -> None:
    answer = function({**_ask("start"), "body": body})
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["error"].startswith(("the body is no JSON", "there is no group"))


def test_a_drill_acts_in_a_session_that_is_denied_the_primary(
    function: Callable[[dict[str, Any]], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    real = denied_module.denied

    def watched(sts: Any, role: str, **more: Any) -> Any:
        class Sts:
            def assume_role(self, **request: Any) -> Any:
                asked.append(request)
                return sts.assume_role(**request)

        return real(Sts(), role, **more)

    monkeypatch.setattr("lambdas.resilience.failover.handler.denied", watched)
    boto3.client("cloudwatch", B).put_metric_alarm(
        AlarmName="healthy",
        MetricName="m",
        Namespace="n",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Maximum",
    )
    boto3.client("cloudwatch", B).set_alarm_state(AlarmName="healthy", StateValue="OK", StateReason="x")
    function({})
    function({"drill": "shop", "id": "event-1"})
    (_, denied) = json.loads(asked[0]["Policy"])["Statement"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"StringEquals": {"aws:RequestedRegion": A}})
    (status,) = json.loads(function(_ask("status"))["body"])["groups"]
    assert status["requests"][0]["request"]["drill"] is True
    assert status["requests"][0]["request"]["actor"] == "schedule"


def test_the_api_answers_in_time_while_the_control_plane_of_route_53_is_down(
    function: Callable[[dict[str, Any]], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request is taken, and each minute goes on with it, with more patience than a person can have."""
    tried: list[str] = []

    def is_down(request: Any, **_: Any) -> AWSResponse:
        tried.append(request.url)
        return AWSResponse(request.url, 503, HTTPHeaders(), HTTPResponse(BytesIO(), preload_content=False))

    def made(service: str, **how: Any) -> Any:
        found = clients.client(service, **how)
        if service == "route53":
            found.meta.events.register_first("before-send.route-53", is_down, unique_id="down")
        return found

    function({})
    monkeypatch.setattr(module, "client", made)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
    answer = function(_ask("start", **_START, force=True))
    assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])["progress"]["state"] == "OPEN"
    hasty = len(tried)
    with pytest.raises(GranaryError, match="cannot be read"):
        function({})
    assert 0 < hasty < len(tried) - hasty


def test_no_call_that_the_api_begins_ends_after_its_time() -> None:
    hasty: Any = HASTY
    tries = hasty.retries["total_max_attempts"]
    longest = tries * (hasty.connect_timeout + hasty.read_timeout) + sum(2**one for one in range(tries - 1))
    assert module._API_MILLISECONDS / 1000 + longest < _API_SECONDS


def test_only_the_client_of_route_53_is_hasty(function: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """A lease that is not given back because two calls failed would hold the request up for six minutes."""
    make = module._hasty(clients.client)
    tries = {one: make(one).meta.config.retries["total_max_attempts"] for one in ("route53", "dynamodb", "events")}
    assert tries == {"route53": 2, "dynamodb": 6, "events": 6}


def test_a_scheduled_drill_that_is_refused_is_told_and_nothing_fails(
    function: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    function({})
    assert function({"drill": "shop", "id": "event-1"}) == {}
    (line,) = json.loads(function(_ask("history", group="shop"))["body"])["history"]
    assert line["message"].startswith("a scheduled drill did not begin: no go: alarm healthy in eu-west-1 is not there")
