"""`granary failover`, against an API that looks at what is signed and sent."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ClientError, EndpointConnectionError

from config.loader import CONFIG_DIR
from lambdas.common import clients
from tests.unit.cli.saas.factory import Factory

_EXAMPLE = CONFIG_DIR / "examples" / "all" / "failover.yaml"
_REQUEST = {"id": "r1", "to": "eu-west-1", "actor": "ann", "at": "2026-11-29", "group": "shop"}
_STARTED = {"request": _REQUEST, "progress": {"state": "OPEN", "problem": "switch: the alarm has not followed"}}


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)


@dataclass
class Api:
    """A Region's API, where its parameter says it is: it answers what it is told to, and keeps what it was asked."""

    answer: tuple[int, dict[str, Any]] = (200, _STARTED)
    asked: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)

    def send(self, request: AWSPreparedRequest) -> SimpleNamespace:
        signed = str(request.headers["Authorization"])
        self.asked.append((request.url, json.loads(_text(request.body)), signed))
        status, told = self.answer
        return SimpleNamespace(status_code=status, content=json.dumps(told).encode())


@pytest.fixture
def api(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The API of the second Region."""
    shutil.copy(_EXAMPLE, factory.directory)
    boto3.client("ssm", region_name="eu-west-1").put_parameter(
        Name="/granary/resilience/failover/api", Value="https://abc.execute-api.eu-west-1.amazonaws.com", Type="String"
    )
    made = Api()
    monkeypatch.setattr("cli.resilience.failover.URLLib3Session", lambda **_: made)
    return made


def test_without_a_file_nothing_fails_over(factory: Factory) -> None:
    answer = factory.granary("failover", "status")
    assert answer.code == 3
    assert "copy config/examples/all/failover.yaml" in answer.stderr


def test_a_start_goes_to_the_region_that_is_to_serve_and_is_signed_for_it(factory: Factory, api: Api) -> None:
    answer = factory.granary("failover", "start", "shop", "--reason", "outage", "--id", "r1", "--force", "--unplanned")
    assert answer.code == 0, answer.stderr
    assert answer.stdout.startswith("request r1 to eu-west-1: OPEN, waits for switch: the alarm has not followed.")
    ((url, body, signed),) = api.asked
    assert url == "https://abc.execute-api.eu-west-1.amazonaws.com/start"
    assert body == {
        "group": "shop",
        "from": "us-east-1",
        "to": "eu-west-1",
        "id": "r1",
        "reason": "outage",
        "force": True,
        "unplanned": True,
    }
    assert "/eu-west-1/execute-api/aws4_request" in signed


def test_an_id_is_made_where_none_is_given(factory: Factory, api: Api) -> None:
    for _ in range(2):
        assert factory.granary("failover", "drill", "shop").code == 0
    first, second = (body["id"] for _, body, _ in api.asked)
    assert first != second


def test_what_speaks_against_it_is_said(factory: Factory, api: Api) -> None:
    api.answer = (409, {"error": "no go: alarm shop-unhealthy in eu-west-1 is ALARM, not OK"})
    answer = factory.granary("failover", "start", "shop", "--reason", "x")
    assert answer.code == 5
    assert "no go: alarm shop-unhealthy" in answer.stderr


def test_what_it_does_not_take_is_wrong_usage(factory: Factory, api: Api) -> None:
    api.answer = (400, {"error": "there is no application web in group shop"})
    answer = factory.granary("failover", "start", "shop", "--application", "web", "--reason", "x")
    assert answer.code == 2
    assert "there is no application web" in answer.stderr


def test_a_plan_says_go_or_not(factory: Factory, api: Api) -> None:
    plan = {
        "go": False,
        "reasons": ["it is slow"],
        "steps": ["database/orders", "switch"],
        "applications": 2,
        "records": 0,
    }
    api.answer = (200, plan)
    answer = factory.granary("failover", "plan", "shop", "--application", "web")
    assert answer.code == 1
    assert answer.stdout.splitlines() == [
        "shop: us-east-1 to eu-west-1, 2 applications, 0 records change",
        "step 1: database/orders",
        "step 2: switch",
        "against it: it is slow",
        "no go",
    ]
    assert api.asked[0][1]["applications"] == ["web"]


def test_the_status_is_1_while_something_is_under_way(factory: Factory, api: Api) -> None:
    group = {"group": "shop", "active": "eu-west-1", "out": ["us-east-1"], "alone": {}, "requests": [_STARTED]}
    api.answer = (200, {"groups": [group]})
    answer = factory.granary("failover", "status")
    assert answer.code == 1
    assert answer.stdout.splitlines() == [
        "shop: on its way to eu-west-1",
        "  2026-11-29 r1 to eu-west-1 by ann OPEN: switch: the alarm has not followed",
    ]


@pytest.mark.parametrize(
    "started",
    [
        {**_STARTED, "progress": {**_STARTED["progress"], "shifted_at": "2026-11-29"}},
        {**_STARTED, "request": {**_REQUEST, "applications": ["web"]}},
        {**_STARTED, "request": {**_REQUEST, "to": "us-east-1"}},
        {**_STARTED, "progress": {"state": "DONE"}},
    ],
    ids=["its traffic has come", "of one application", "a later one counts", "over"],
)
def test_a_group_is_on_its_way_until_its_traffic_has_come(factory: Factory, api: Api, started: dict[str, Any]) -> None:
    group = {"group": "shop", "active": "eu-west-1", "out": ["us-east-1"], "alone": {}, "requests": [started]}
    api.answer = (200, {"groups": [group]})
    assert factory.granary("failover", "status").stdout.splitlines()[0] == "shop: served from eu-west-1, us-east-1 out"


def test_the_status_tells_who_of_the_tenants_is_no_application(factory: Factory, api: Api) -> None:
    tenants: dict[str, Any] = {
        "applications": 7,
        "at": "2026-11-29",
        "waits": 2,
        "waiting": {"a.example.com": "not yet"},
    }
    group = {"group": "shop", "active": "eu-west-1", "out": [], "alone": {}, "requests": [], "tenants": tenants}
    api.answer = (200, {"groups": [group]})
    answer = factory.granary("failover", "status")
    assert (answer.code, answer.stdout.splitlines()) == (
        0,
        [
            "shop: served from eu-west-1",
            "  tenants at 2026-11-29: 7 applications, 2 waiting, the first 1 of them below",
            "  a.example.com waits: not yet",
        ],
    )
    tenants["wrong"] = {"b.example.com": "somebody's"}
    answer = factory.granary("failover", "status")
    assert (answer.code, answer.stdout.splitlines()[-1]) == (1, "  b.example.com is left as it is: somebody's")


def test_what_the_region_cannot_read_is_told(factory: Factory, api: Api) -> None:
    unread = ["requests/shop r0 in table t of eu-west-1 cannot be read"]
    group = {"group": "shop", "active": "eu-west-1", "out": [], "alone": {}, "requests": []}
    api.answer = (200, {"groups": [group], "unread": unread})
    answer = factory.granary("failover", "status")
    assert answer.code == 1
    assert answer.stdout.splitlines() == ["shop: served from eu-west-1", *unread]
    api.answer = (200, {"history": [], "unread": unread})
    assert factory.granary("failover", "history", "shop", "--region", "eu-west-1").stdout.splitlines() == unread


@pytest.mark.parametrize(("status", "code"), [(403, 4), (500, 6)])
def test_an_api_that_does_not_answer_is_told(factory: Factory, api: Api, status: int, code: int) -> None:
    api.answer = (status, {"message": "Forbidden"})
    answer = factory.granary("failover", "history", "shop", "--region", "eu-west-1")
    assert answer.code == code
    assert "Forbidden" in answer.stderr


def test_the_toolchains_region_may_be_the_one_that_is_down(
    factory: Factory, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked there, not even who calls."""
    make = clients.client

    def elsewhere(service: str, region: str | None = None) -> Any:
        if region == "us-east-1":
            raise EndpointConnectionError(endpoint_url=f"https://{service}.us-east-1.amazonaws.com")
        return make(service, region)

    monkeypatch.setattr(clients, "client", elsewhere)
    answer = factory.granary("failover", "start", "shop", "--reason", "outage", "--unplanned")
    assert answer.code == 0, answer.stderr
    assert len(api.asked) == 1


def test_what_was_perhaps_taken_can_be_repeated(factory: Factory, api: Api) -> None:
    api.answer = (503, {"message": "Service Unavailable"})
    answer = factory.granary("failover", "start", "shop", "--reason", "outage", "--id", "r7")
    assert answer.code == 6
    assert "repeat it with --id r7" in answer.stderr


@pytest.mark.parametrize("why", ["refused", "failed", "unavailable"])
def test_the_other_region_is_asked_when_one_does_not_answer(
    factory: Factory, api: Api, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    boto3.client("ssm", region_name="us-east-1").put_parameter(
        Name="/granary/resilience/failover/api", Value="https://abc.execute-api.us-east-1.amazonaws.com", Type="String"
    )
    send = api.send

    def one_is_down(request: AWSPreparedRequest) -> SimpleNamespace:
        answer = send(request)
        if "eu-west-1" not in str(request.url):
            return answer
        if why == "refused":
            raise EndpointConnectionError(endpoint_url=request.url)
        if why == "unavailable":
            raise ClientError({"ResponseMetadata": {"HTTPStatusCode": 503}}, "GetParameter")  # type: ignore[typeddict-item]
        return SimpleNamespace(status_code=500, content=b"")

    monkeypatch.setattr(api, "send", one_is_down)
    api.answer = (200, {"history": [{"at": "2026", "region": "us-east-1", "message": "asked for"}]})
    answer = factory.granary("failover", "history", "shop")
    assert answer.code == 0, answer.stderr
    assert answer.stdout == "2026 us-east-1: asked for\n"
    assert len(api.asked) == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("plan", "other"), 3, "there is no group other"),
        (("plan", "shop", "--to", "mars-1"), 2, "mars-1 is none of the Regions"),
        (("status", "--region", "mars-1"), 2, "mars-1 is none of the Regions"),
        (("history", "shop", "--region", "mars-1"), 2, "mars-1 is none of the Regions"),
        (("plan", "shop", "--mode", "magic"), 2, "magic is unknown: use switch, weights"),
        (("start", "shop"), 2, "--reason"),
    ],
)
def test_wrong_words(factory: Factory, api: Api, words: tuple[str, ...], code: int, said: str) -> None:
    answer = factory.granary("failover", *words)
    assert answer.code == code
    assert said in answer.stderr
    assert api.asked == []
