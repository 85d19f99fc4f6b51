"""Names come from STS, for the words that were signed and no others; what AWS checks is checked on the local cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lambdas.common import proven_names
from lambdas.common.proven_names import UnprovenError, proof, proven_name

HOME = "eu-central-1"
FUNCTION = f"arn:aws:lambda:{HOME}:111111111111:function:granary-release"
SAID = {"run": "r", "ring": 1, "approved": True, "reason": "go"}
ALICE = "arn:aws:sts::111111111111:assumed-role/approver/alice@example.com"
KEYS = Credentials("AKIAEXAMPLE", "secret", "token")


@dataclass
class Answer:
    """What STS answers; `asked` is what it was sent."""

    text: str = f"<GetCallerIdentityResult><Arn>{ALICE}</Arn></GetCallerIdentityResult>"
    status_code: int = 200
    asked: list[AWSRequest] = field(default_factory=list)

    def to(self, request: AWSRequest) -> Answer:
        self.asked.append(request)
        return self


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Answer:
    answer = Answer()
    monkeypatch.setattr(proven_names, "_send", answer.to)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-whoever-asks")
    return answer


def signed(**said: Any) -> dict[str, str]:
    return proof({**SAID, **said}, region=HOME, credentials=KEYS)


def test_the_name_is_what_sts_answers(sts: Answer) -> None:
    assert proven_name(SAID, signed(), function=FUNCTION) == "assumed-role/approver/alice@example.com"


def test_what_is_sent_is_ours_but_for_the_signature(sts: Answer) -> None:
    """Given a proof with more in it, then address, action and words are those of whoever asks, and the rest is left."""
    given = signed(reason="another") | {"Host": "sts.example.com", "X-Granary-Said": "other", "Action": "AssumeRole"}
    proven_name(SAID, given, function=FUNCTION)
    (sent,) = sts.asked
    assert (sent.method, sent.url) == ("POST", f"https://sts.{HOME}.amazonaws.com")
    assert sent.data == "Action=GetCallerIdentity&Version=2011-06-15"
    assert set(sent.headers) == {
        "Content-Type", "x-granary-said", "Authorization", "X-Amz-Date", "X-Amz-Security-Token"
    }  # fmt: skip
    proven_name(SAID, signed(), function=FUNCTION)
    assert sent.headers["x-granary-said"] == sts.asked[1].headers["x-granary-said"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _given: None,
        lambda _given: "assumed-role/approver/alice@example.com",
        lambda _given: {},
        lambda given: {name: value for name, value in given.items() if name != "Authorization"},
        lambda given: {**given, "X-Amz-Date": "now\r\nx-granary-said: other"},
        lambda given: {**given, "Authorization": 7},
        # A signature that was made for something else: whoever runs a login by AWS's identities gets such.
        lambda given: {**given, "Authorization": given["Authorization"].replace(";x-granary-said", "")},
    ],
)
def test_what_is_no_signature_of_it_is_not_sent(sts: Answer, spoil: Callable[[dict[str, str]], object]) -> None:
    with pytest.raises(UnprovenError):
        proven_name(SAID, spoil(signed()), function=FUNCTION)
    assert sts.asked == []


@pytest.mark.parametrize(
    ("status", "text", "why"),
    [
        (403, "<Error><Message>Signature\nexpired</Message></Error>", r"Signature\\nexpired"),
        (200, "<html/>", "no reason"),
    ],
)
def test_what_sts_refuses_is_not_proven(sts: Answer, status: int, text: str, why: str) -> None:
    sts.status_code, sts.text = status, text
    with pytest.raises(UnprovenError, match=f"STS does not take the signature: {why}"):
        proven_name(SAID, signed(), function=FUNCTION)


def test_nobody_of_another_account_is_heard(sts: Answer) -> None:
    sts.text = sts.text.replace("111111111111", "222222222222")
    with pytest.raises(UnprovenError, match="another account"):
        proven_name(SAID, signed(), function=FUNCTION)


def test_a_fault_of_sts_is_no_answer(sts: Answer) -> None:
    """The state machine tries the step again."""
    sts.status_code = 503
    with pytest.raises(ConnectionError):
        proven_name(SAID, signed(), function=FUNCTION)


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "RequestLimitExceeded"])
def test_an_answer_that_is_too_busy_is_none(sts: Answer, code: str) -> None:
    sts.status_code = 400
    sts.text = f"<ErrorResponse><Error><Code>{code}</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
    with pytest.raises(ConnectionError, match=f"STS answers 400 {code}"):
        proven_name(SAID, signed(), function=FUNCTION)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_ENDPOINT_URL_STS", "https://vpce-1.example.com"),
    ],
)
def test_a_shell_s_endpoints_change_no_address(
    sts: Answer, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    proven_name(SAID, signed(), function=FUNCTION)
    assert sts.asked[0].url == f"https://sts.{HOME}.amazonaws.com"


def test_nor_do_those_of_a_profile(sts: Answer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default]\nendpoint_url = https://proxy.example.com\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    proven_name(SAID, signed(), function=FUNCTION)
    assert sts.asked[0].url == f"https://sts.{HOME}.amazonaws.com"


def test_where_all_of_aws_is_elsewhere_sts_is_there(sts: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://127.0.0.1:4566")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "https://vpce-1.example.com")
    proven_name(SAID, signed(), function=FUNCTION)
    assert sts.asked[0].url == "https://127.0.0.1:4566"
