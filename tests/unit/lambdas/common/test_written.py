"""Texts and values of any origin, made fit for people."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.written import as_written, cut, one_line, shown, visible

OBEYED = [
    *map(chr, [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
    "\u200e", "\u200f", "\u061c", "\u2028", "\u2029",
]  # fmt: skip


@pytest.mark.parametrize("letter", OBEYED, ids=ascii)
def test_what_is_obeyed_is_escaped(letter: str) -> None:
    assert letter not in one_line(f"a{letter}b") or letter == "\t"
    assert (letter in visible(letter)) is (letter in "\n\t")


@given(st.text())
def test_every_other_letter_is_left_as_it_is(text: str) -> None:
    kept = "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    assert visible(kept) == kept
    assert visible(visible(text)) == visible(text)
    assert not any(letter in one_line(text) for letter in OBEYED if letter != "\t")


def test_nothing_is_lost() -> None:
    assert visible("\x1b]0;title\x07 \u202etxt \x9b31m \ud800") == "\\x1b]0;title\\x07 \\u202etxt \\x9b31m \\ud800"


def bomb() -> list[object]:
    """Ten to the power of thirty letters, in thirty lists."""
    found: list[object] = ["x"]
    for _ in range(30):
        found = [found] * 10
    return found


def deep() -> list[object]:
    found: list[object] = []
    for _ in range(100_000):
        found = [found]
    return found


@pytest.mark.parametrize("value", [bomb(), deep(), {"a": bomb()}, "x" * 10**6, {b"x" * 10**6}, {"k" * 10**6: 1}])
def test_of_a_large_or_deep_value_only_the_beginning_is_told(value: object) -> None:
    assert len(shown(value)) < 70
    assert len(as_written(value)) < 70


def test_what_is_cut_says_so() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "abc..."
