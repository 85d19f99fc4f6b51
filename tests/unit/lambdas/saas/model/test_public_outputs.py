"""Which of a stack's outputs are told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.saas.model.public_outputs import (
    LONGEST_NAME,
    LONGEST_VALUE,
    MOST,
    PUBLIC_PREFIX,
    public_outputs,
)

URL = "https://acme.example.com"
keys = st.one_of(st.text(max_size=8), st.from_regex(r"[A-Za-z0-9]{1,70}", fullmatch=True))
outputs = st.dictionaries(
    st.one_of(keys, keys.map(PUBLIC_PREFIX.__add__)), st.one_of(st.text(), st.just("\x1b" * 200)), max_size=60
)


@pytest.mark.parametrize(
    "key", ["Endpoint", "PublicApiEndpoint1A2B", "StatefulOrders", "granaryPublicAddress", "Address"]
)
def test_nothing_else_is_told(key: str) -> None:
    assert public_outputs({key: "secret", f"{PUBLIC_PREFIX}Address": URL}) == ({"Address": URL}, ())


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("A" * LONGEST_NAME, "x" * LONGEST_VALUE, True),
        ("A" * (LONGEST_NAME + 1), "x", False),
        ("A", "x" * (LONGEST_VALUE + 1), False),
        ("A", "\u20ac" * (LONGEST_VALUE // 6 + 1), False),
        ("", "x", False),
        ("A.B", "x", False),
    ],
)
def test_what_is_too_much_is_left_out_and_named(name: str, value: str, told: bool) -> None:
    assert public_outputs({PUBLIC_PREFIX + name: value}) == (({name: value}, ()) if told else ({}, (name,)))


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert public_outputs({f"{PUBLIC_PREFIX}A": "a\x1b[31m\nb"}) == ({"A": "a\\x1b[31m\\nb"}, ())


@given(outputs)
def test_each_that_is_public_is_told_or_named_and_all_is_bounded(given: dict[str, str]) -> None:
    told, left_out = public_outputs(given)
    public = {key.removeprefix(PUBLIC_PREFIX) for key in given if key.startswith(PUBLIC_PREFIX)}
    assert sorted([*told, *left_out]) == sorted(public)
    assert len(told) <= MOST
    assert len(json.dumps(told)) <= MOST * (LONGEST_NAME + LONGEST_VALUE + len('"": "", '))
    assert all(value.isprintable() or "\t" in value or not value.isascii() for value in told.values())
    assert list(public_outputs(dict(reversed(given.items())))[0].items()) == list(told.items())
