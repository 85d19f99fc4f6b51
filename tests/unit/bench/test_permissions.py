"""The benchmark of the permissions does what it says that it measures."""

from __future__ import annotations

import json

import pytest

from tests.bench import permissions


def test_three_plans_tell_what_they_took(capsys: pytest.CaptureFixture[str]) -> None:
    permissions.main(["150"])
    told = json.loads(capsys.readouterr().out)
    # A tag for the database, and one or five classes for each table; the new table has five.
    assert (told["first_writes"] > 150 + 4 * 50, told["none_writes"], told["one_writes"]) == (True, 0, 5)
    assert told["grants"] < 150
    assert told["reads"] > 2 * told["none_writes"]


def test_by_name_there_is_a_grant_a_table_and_persona_that_may_not_read_all(capsys: pytest.CaptureFixture[str]) -> None:
    permissions.main(["150", permissions.BY_NAME])
    told = json.loads(capsys.readouterr().out)
    # Sixteen of twenty personas lack a class, and are granted columns.
    assert 16 * 150 < told["grants"] < 20 * 150
    assert (told["none_writes"], told["one_writes"]) == (0, 1)
