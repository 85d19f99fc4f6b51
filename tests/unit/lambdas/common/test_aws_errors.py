"""Errors of AWS by their codes."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of, ignoring, passes


def refusal(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Do")  # type: ignore[typeddict-item]


def test_a_code_that_is_an_answer_leaves_the_block() -> None:
    after: list[str] = []
    with ignoring("Gone", "Taken"):
        raise refusal("Taken")
    after.append("went on")
    assert after == ["went on"]


def test_every_other_error_is_raised() -> None:
    with pytest.raises(ClientError), ignoring("Gone"):
        raise refusal("AccessDenied")
    with pytest.raises(ValueError, match="no refusal"), ignoring("Gone"):
        raise ValueError("no refusal")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refusal("ThrottlingException"), True),
        (refusal("AccessDenied"), False),
        (refusal("InternalFailure", status=500), True),
        (ClientError({}, "Do"), False),
    ],
)
def test_what_passes_with_time(error: ClientError, expected: bool) -> None:
    assert passes(error) is expected
    assert isinstance(code_of(error), str)
