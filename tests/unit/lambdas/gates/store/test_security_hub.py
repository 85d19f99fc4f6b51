"""Security Hub's client: patient with what passes, exact about what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from lambdas.common.errors import CapacityError, GranaryError
from lambdas.gates.model.asff import Hub
from lambdas.gates.store.security_hub import SecurityHub

HUB = Hub(account="111111111111", region="eu-west-1", factory="granary")
Answer = dict[str, Any] | Exception


def error(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "BatchImportFindings")


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
        return self._answered(answer(self.sent[-1]) if callable(answer) else answer)

    def get_findings(self, **request: Any) -> dict[str, Any]:
        self.sent.append([request.get("NextToken", "")])
        answer = self.script.pop(0)
        assert not callable(answer)
        return self._answered(answer)

    @staticmethod
    def _answered(answer: Answer) -> dict[str, Any]:
        if isinstance(answer, Exception):
            raise answer
        return answer

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


@pytest.mark.parametrize(
    "passing",
    [
        error("LimitExceededException", 429),
        error("ThrottlingException"),
        error("InternalException", 500),
        ReadTimeoutError(endpoint_url="x"),
    ],
)
def test_a_call_that_is_refused_for_a_while_is_made_again(passing: Exception) -> None:
    client = Scripted([passing, passing])
    assert client.put("a") == {}
    assert client.pauses == [1.0, 3.0]
    assert len(client.sent) == 3


def test_patience_has_an_end() -> None:
    client = Scripted([error("LimitExceededException", 429)] * 9)
    with pytest.raises(ClientError, match="LimitExceeded"):
        client.put("a")
    assert len(client.sent) == 5


def test_a_refusal_for_good_is_raised_at_once() -> None:
    client = Scripted([error("AccessDeniedException", 403)])
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put("a")
    assert client.pauses == []


def test_who_has_not_enabled_it_is_told_what_to_do() -> None:
    with pytest.raises(GranaryError, match=r"111111111111 in eu-west-1 .*enable-security-hub"):
        Scripted([error("InvalidAccessException", 401)]).put("a")


def test_all_pages_are_read_with_the_same_patience() -> None:
    pages: list[Any] = [
        {"Findings": [{"Id": "a"}], "NextToken": "1"},
        error("LimitExceededException", 429),
        {"Findings": [], "NextToken": "2"},
        {"Findings": [{"Id": "b"}]},
    ]
    client = Scripted(pages)
    assert [one["Id"] for one in client.hub.findings("granary:")] == ["a", "b"]
    assert client.sent == [[""], ["1"], ["1"], ["2"]]
