"""The page of a plan shows what it is given, and obeys nothing of it."""

from __future__ import annotations

import pytest

from lambdas.lake.model.governance.observation import Table
from lambdas.lake.model.governance.page import page
from tests.unit.lambdas.lake.model.governance.cases import READ, plan, policy, seen


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        ("<details>", "\\<details>"),
        ("\\<details>", "\\\\\\<details>"),
        ("[approved](http://elsewhere)", "[approved]\\(http://elsewhere)"),
        ("a|b", "a\\|b"),
        ("a\nb", "a\\nb"),
    ],
)
def test_a_page_shows_names_as_they_are_and_obeys_none(column: str, shown: str) -> None:
    file = policy(READ, use_tags=False)
    told = page(plan(file, seen(Table(database="d1", name="t", columns=(column, "email")))), file)
    assert f"| {shown}; [DESCRIBE] |" in told
    assert f"SELECT on d1.t ({shown if column != 'a|b' else column}) (" in told
