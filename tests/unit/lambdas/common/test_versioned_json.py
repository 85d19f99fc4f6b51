"""Reading what other versions write, and writing so that they can read it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import pytest

from lambdas.common.clock import moment
from lambdas.common.versioned_json import Text, plain, read


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Leaf:
    name: str
    size: int = 1


@dataclass(frozen=True, kw_only=True)
class Tree(Text):
    colour: Colour
    accounts: frozenset[str] | None
    grown: bool = False
    leaves: tuple[Leaf, ...] = field(default=())
    pairs: tuple[tuple[str, str], ...] = ()
    first: Leaf | None = None
    seen_at: Annotated[str, moment] = ""
    keys: dict[str, int] = field(default_factory=dict)


SMALL = Tree(colour=Colour.RED, accounts=None)
WHOLE = Tree(
    colour=Colour.RED,
    accounts=frozenset({"b", "a"}),
    grown=True,
    leaves=(Leaf(name="x"), Leaf(name="y", size=2)),
    pairs=(("a", "b"),),
    first=Leaf(name="z"),
    seen_at="2026-11-25T10:00:00.000+00:00",
    keys={"k": 3},
)


@pytest.mark.parametrize("tree", [SMALL, WHOLE])
def test_what_is_written_is_read(tree: Tree) -> None:
    assert Tree.from_json(tree.to_json()) == tree
    assert tree.to_json() == json.dumps(plain(tree), sort_keys=True)


def test_defaults_are_left_out_at_every_level() -> None:
    assert plain(SMALL) == {"colour": "red", "accounts": None}
    assert plain(WHOLE)["leaves"] == [{"name": "x"}, {"name": "y", "size": 2}]


def test_what_a_table_knows_no_type_for_is_read() -> None:
    data = {"colour": "red", "accounts": {"a"}, "first": {"name": "z", "size": Decimal(4)}, "grown": None}
    assert read(Tree, data) == Tree(colour=Colour.RED, accounts=frozenset({"a"}), first=Leaf(name="z", size=4))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colour": "blue"}, "colour: 'blue' is unknown to this version"),
        ({"colour": ["red"]}, "colour: ['red'] is unknown to this version"),
        ({"colour": None}, "colour: None is unknown to this version"),
        ({"accounts": "abc"}, "accounts: 'abc' is no list"),
        ({"grown": 1}, "grown: 1 is no bool"),
        ({"leaves": [{"name": "x"}, {"size": 1}]}, "leaves: name is missing"),
        ({"leaves": [{"name": "x", "size": True}]}, "leaves: size: True is no whole number"),
        ({"leaves": [{"name": "x", "size": Decimal("1.5")}]}, "is no whole number"),
        ({"leaves": ["x"]}, "leaves: 'x' is no object"),
        ({"pairs": [["a"]]}, "pairs: ['a'] is no list of 2"),
        ({"pairs": [["a", 1]]}, "pairs: 1 is no str"),
        ({"first": []}, "first: [] is no object"),
        ({"seen_at": "yesterday"}, "seen_at: Invalid isoformat string: 'yesterday'"),
        ({"seen_at": "0001-01-01T00:00:00+10:00"}, "seen_at: "),
        ({"keys": [1]}, "keys: [1] is no object"),
        ({"first": "x" * 1_000}, "xxx..."),
        ({"first": {"b", "c", "a"}}, "first: ['a', 'b', 'c'] is no object"),
        ({"first": [[[[[[[[["x" * 1_000] * 1_000]]]]]]]]}, "is no object"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the text is compared below
        read(Tree, {**plain(WHOLE), **change})
    assert said in str(refusal.value)
    assert len(str(refusal.value)) < 150


def test_null_is_no_choice_that_was_not_made() -> None:
    """Given a field whose null means "any", then leaving it out does not mean that."""
    with pytest.raises(ValueError, match="accounts is missing"):
        read(Tree, {"colour": "red"})


@pytest.mark.parametrize("text", ["", "none", "7", "[]", "null"])
def test_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own texts among them
        Tree.from_json(text)
