"""Which column is of which class of personal data."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.lake.model.governance import policy as module
from lambdas.lake.model.governance.policy import PiiClass, Policy

_parts = st.text(st.sampled_from("ab*"), min_size=1, max_size=3)
_patterns = st.lists(st.tuples(_parts, _parts, _parts).map(".".join), min_size=1, max_size=4).map(tuple)
_names = st.text(st.sampled_from("aAbB.*\n"), min_size=1, max_size=4)


@given(patterns=_patterns, database=_names, table=_names, column=_names)
def test_a_column_is_of_a_class_that_has_a_pattern_of_it(
    patterns: tuple[str, ...], database: str, table: str, column: str
) -> None:
    place = f"{database}.{table}.{column}"
    meant = any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), place, re.IGNORECASE | re.DOTALL) for one in patterns)
    policy = Policy(prefix="granary", classes=(PiiClass(name="contact", columns=patterns),))
    assert policy.classes_of(database, table, column) == (("contact",) if meant else ())


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The patterns that are asked of a column, each time."""
    found: list[tuple[str, ...]] = []
    matches = module.matches

    def asked(patterns: tuple[str, ...], name: str) -> bool:
        found.append(patterns)
        return matches(patterns, name)

    monkeypatch.setattr(module, "matches", asked)
    return found


def test_thousands_of_columns_that_schemas_declare_cost_each_column_next_to_nothing(
    looked_at: list[tuple[str, ...]],
) -> None:
    declared = tuple(f"granary_lake_*_conformed.t{table}.id" for table in range(5_000))
    policy = Policy(prefix="granary", classes=(PiiClass(name="contact", columns=("*.*.email*", *declared)),))
    assert policy.classes_of("granary_lake_dev_conformed", "t7", "id") == ("contact",)
    assert policy.classes_of("granary_lake_dev_conformed", "t5001", "id") == ()
    assert max(map(len, looked_at)) == 1
