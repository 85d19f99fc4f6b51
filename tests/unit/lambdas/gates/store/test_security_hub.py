"""Security Hub's client: patient with what passes, exact about what does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ReadTimeoutError
from urllib3.response import HTTPResponse

from lambdas.common.clients import client
from lambdas.common.errors import CapacityError, GranaryError
from lambdas.gates.model.asff import Hub
from lambdas.gates.store.security_hub import SecurityHub
from tests.unit.lambdas.gates.model.test_asff import written

HUB = Hub(account="111111111111", region="eu-west-1", factory="granary")
Answer = dict[str, Any]


def failing(**codes: str) -> Callable[[list[str]], Answer]:
    """An answer that some of the findings failed."""

    def answer(sent: list[str]) -> Answer:
        failed = [{"Id": one, "ErrorCode": codes[one], "ErrorMessage": "no"} for one in sent if one in codes]
        return {"FailedCount": len(failed), "SuccessCount": len(sent) - len(failed), "FailedFindings": failed}

    return answer


@dataclass
class Scripted:
    """A client that answers as it is told, then that all is well, and remembers what it was sent."""

    script: list[Callable[[list[str]], Answer] | Answer] = field(default_factory=list)
    sent: list[list[str]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def batch_import_findings(self, Findings: list[dict[str, Any]]) -> dict[str, Any]:
        self.sent.append([one["Id"] for one in Findings])
        answer = self.script.pop(0) if self.script else failing()
        return answer(self.sent[-1]) if callable(answer) else answer

    def put(self, *names: str) -> dict[str, str]:
        return self.hub.put([{"Id": name} for name in names])

    @property
    def hub(self) -> SecurityHub:
        return SecurityHub(client=self, hub=HUB, pause=self.pauses.append)


def test_only_what_failed_is_tried_again() -> None:
    client = Scripted([failing(b="InternalError"), failing(b="Throttled")])
    assert client.put("a", "b", "c") == {}
    assert client.sent == [["a", "b", "c"], ["b"], ["b"]]
    assert client.pauses == [1.0, 3.0]


def test_what_is_invalid_is_told_by_its_id_and_not_tried_again() -> None:
    """The sample looked at no failure, and lost what had failed."""
    client = Scripted([failing(a="InvalidInput", b="InternalError")])
    assert client.put("a", "b", "c") == {"a": "InvalidInput: no"}
    assert client.sent == [["a", "b", "c"], ["b"]]


def test_what_never_passes_is_told_in_the_end() -> None:
    client = Scripted([failing(a="InternalError")] * 9)
    assert client.put("a", "b") == {"a": "InternalError: no"}
    assert client.sent == [["a", "b"], ["a"], ["a"], ["a"], ["a"]]


def test_a_failure_that_is_counted_and_not_named_is_no_success() -> None:
    with pytest.raises(CapacityError, match="names 0"):
        Scripted([{"FailedCount": 1, "SuccessCount": 0, "FailedFindings": []}]).put("a")


@dataclass
class Wire:
    """What the real client gets over the wire, and what it sends and waits for."""

    script: list[tuple[int, dict[str, Any]] | Exception] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        self.sent.append(json.loads(request.body))
        said = self.script.pop(0) if self.script else (200, {"FailedCount": 0, "SuccessCount": 1})
        if isinstance(said, Exception):
            raise said
        headers: Any = {"x-amzn-errortype": said[1].get("Code", "")}
        raw = HTTPResponse(BytesIO(json.dumps(said[1]).encode()), preload_content=False)
        return AWSResponse(request.url, said[0], headers, raw)


@pytest.fixture
def wire(aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[SecurityHub, Wire]]]:
    """A Security Hub by the client that functions have."""

    def made(*script: tuple[int, dict[str, Any]] | Exception) -> tuple[SecurityHub, Wire]:
        client.cache_clear()
        told = Wire(script=list(script))
        # Not the module's own sleep: threads of others sleep, too.
        monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=told.pauses.append))
        client("securityhub").meta.events.register("before-send.securityhub", told.answer)
        return SecurityHub(client=client("securityhub"), hub=HUB, pause=told.pauses.append), told

    yield made
    client.cache_clear()


def error(code: str, status: int = 400) -> tuple[int, dict[str, Any]]:
    return status, {"Code": code, "Message": "no"}


@pytest.mark.parametrize(
    "passing",
    [
        error("LimitExceededException", 429),
        error("ThrottlingException"),
        error("InternalException", 500),
        ReadTimeoutError(endpoint_url="x"),
    ],
)
def test_a_call_that_is_refused_for_a_while_is_made_again(wire: Any, passing: Any) -> None:
    hub, told = wire(passing, passing)
    assert hub.put([written()]) == {}
    assert (len(told.pauses), len(told.sent)) == (2, 3)


def test_patience_has_an_end(wire: Any) -> None:
    hub, told = wire(*[error("LimitExceededException", 429)] * 9)
    with pytest.raises(ClientError, match="LimitExceeded"):
        hub.put([written()])
    assert len(told.sent) == 6


def test_a_refusal_for_good_is_raised_at_once(wire: Any) -> None:
    hub, told = wire(error("AccessDeniedException", 403))
    with pytest.raises(ClientError, match="AccessDenied"):
        hub.put([written()])
    assert told.pauses == []


def test_who_has_not_enabled_it_is_told_what_to_do(wire: Any) -> None:
    for ask in (lambda hub: hub.put([written()]), lambda hub: list(hub.findings("granary:"))):
        hub, _ = wire(error("InvalidAccessException", 401))
        with pytest.raises(GranaryError, match=r"111111111111 in eu-west-1 .*enable-security-hub"):
            ask(hub)


def test_all_pages_are_read_with_the_same_patience(wire: Any) -> None:
    hub, told = wire(
        (200, {"Findings": [{"Id": "a"}], "NextToken": "1"}),
        error("LimitExceededException", 429),
        (200, {"Findings": [], "NextToken": "2"}),
        (200, {"Findings": [{"Id": "b"}]}),
    )
    assert [one["Id"] for one in hub.findings("granary:")] == ["a", "b"]
    assert [one.get("NextToken", "") for one in told.sent] == ["", "1", "1", "2"]
