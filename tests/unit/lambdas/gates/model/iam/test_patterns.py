"""Patterns as sets of strings, against all short strings."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.gates.model.iam.patterns import TooManyStatesError, arn_within, matches, outside, overlap
from tests.unit.lambdas.gates.model.iam.slow import like

_SHORT = ["".join(letters) for length in range(5) for letters in product("abx", repeat=length)]
_pattern = st.text("ab*?", max_size=4)


@given(pattern=_pattern, others=st.lists(_pattern, max_size=3))
def test_what_is_outside_is_outside_and_nothing_else(pattern: str, others: list[str]) -> None:
    found = outside(pattern, tuple(others))
    if found is None:
        assert not [one for one in _SHORT if like(pattern, one) and not any(like(other, one) for other in others)]
    else:
        assert like(pattern, found)
        assert not any(like(other, found) for other in others)


@given(one=_pattern, other=_pattern)
def test_patterns_overlap_if_a_string_is_in_both(one: str, other: str) -> None:
    if any(like(one, text) and like(other, text) for text in _SHORT):
        assert overlap(one, other)
    if overlap(one, other):  # then a string no longer than both of them has to be in both
        longer = ["".join(letters) for length in range(9) for letters in product("ab", repeat=length)]
        assert any(like(one, text) and like(other, text) for text in longer)


@given(pattern=_pattern, text=st.text("ab*?", max_size=4))
def test_a_text_is_itself_whatever_letters_it_has(pattern: str, text: str) -> None:
    assert matches(pattern, text) == like(pattern, text)


def test_a_symbol_is_within_a_star_and_itself_alone() -> None:
    symbol = "${aws:username}"
    assert outside(symbol, (symbol,)) is outside(symbol, ("*",)) is outside(f"a{symbol}", ("a*",)) is None
    assert outside(symbol, ("?", "${aws:userid}", "x")) == symbol
    assert outside("*", (symbol,)) is not None
    assert overlap(symbol, "anything")
    assert overlap(symbol, "${aws:userid}")


def test_two_resources_of_a_kind_have_not_one_arn() -> None:
    one, other = (f"arn:aws:s3:::${{@t#{name}}}" for name in ("One", "Other"))
    assert not overlap(one, other)
    assert overlap(one, one)
    assert overlap(f"{one}/*", f"{other}/*")  # a name may go on with a part of a path


def test_a_literal_star_is_no_wildcard() -> None:
    assert outside("${*}", ("a*", "?")) is None
    assert outside("*", ("${*}",)) is not None


def test_arns_are_compared_by_both_readings_of_a_wildcard() -> None:
    assert arn_within("arn:aws:s3:::b/x", "arn:aws:s3:::b/*")
    assert not arn_within("arn:aws:sqs:eu-west-1:1:a:b", "arn:aws:sqs:*:*:b")
    assert arn_within("arn:aws:sqs:eu-west-1:1:${@t:x#Q}", "arn:aws:sqs:*:1:*")


def test_what_takes_too_long_is_said() -> None:
    with pytest.raises(TooManyStatesError):
        outside("*a" + "?" * 40 + "b*", tuple("*" + letter + "?" * 25 + "*" for letter in "abcdefghij"))
