"""What is told of a build's log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.build_log import MAX_CHARACTERS, MAX_LINES, telling_lines

OWN = "[Container] 2026/11/23 12:00:00.000000 Phase complete: BUILD State: FAILED"
DENIED = (
    "botocore.exceptions.ClientError: An error occurred (AccessDeniedException) when calling the GetParameter "
    "operation: User is not authorized to perform: ssm:GetParameter"
)


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([], ""),
        (["", "  \n", OWN], ""),
        (["one\n", "two\n", OWN, "three\n", "four\n"], "two | three | four"),
        (["one\ntwo\n", f"three\n{OWN}\n"], "one | two | three"),
        (["compiling", "npm ERR! code E404", "done", OWN], "npm ERR! code E404"),
        (["Error: no such file", "cleaning up"], "Error: no such file"),
        (["fatal: not a git repository", "bye"], "fatal: not a git repository"),
        (["  raise ClientError(response)", DENIED, "x"], DENIED),
        (["KeyError", "x"], "KeyError"),
        (["Synthesis time: 0.12s", "Could not assume role"], "Could not assume role"),
        (["User is not authorized to go on", "bye"], "User is not authorized to go on"),
        (["terrors of the deep", "x"], "terrors of the deep | x"),
        (["A failed", "A failed", "B failed", "A failed"], "B failed | A failed"),
        (["1 failed", "2 failed", "3 failed", "4 failed"], "2 failed | 3 failed | 4 failed"),
        (["\x1b[31mError:\x1b[0m   wide\tgap"], "Error: wide gap"),
        ([f"Error: short\nError: {'y' * 600}"], f"Error: short | Error: {'y' * 477}…"),
    ],
)
def test_the_lines_that_tell(messages: list[str], told: str) -> None:
    assert telling_lines(messages) == told


_WORDS = st.sampled_from(["Error: a", "AccessDenied", "failed", "fine", OWN, "", "e" * 300, "Error " + "f" * 400])
_MESSAGES = st.lists(st.one_of(st.text(), st.lists(_WORDS).map("\n".join)))


@given(_MESSAGES)
def test_it_is_one_short_line_without_codebuilds_own(messages: list[str]) -> None:
    told = telling_lines(messages)
    assert len(told) <= MAX_CHARACTERS
    assert len(told.splitlines()) <= 1
    assert OWN not in told


@given(st.lists(_WORDS))
def test_it_is_taken_from_the_log_in_its_order(lines: list[str]) -> None:
    told = [line.removesuffix("…") for line in telling_lines(lines).split(" | ") if line]
    assert len(told) <= MAX_LINES
    found = [max(index for index, line in enumerate(lines) if line.startswith(part)) for part in told]
    assert found == sorted(found)


@given(st.lists(_WORDS), st.text(alphabet="abc ", max_size=40))
def test_ordinary_lines_do_not_displace_an_error(lines: list[str], ordinary: str) -> None:
    assert telling_lines(["Error: x", *lines, ordinary]) == telling_lines(["Error: x", *lines])
