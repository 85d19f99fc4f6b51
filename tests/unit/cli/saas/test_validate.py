"""`validate FILE`: every error of every row, with no AWS at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.app import app
from cli.common.errors import CliError
from cli.saas.rowfile import plain_row, problems_of, read_rows
from lambdas.common.dynamo import write_value
from lambdas.saas.model.target_policy import TargetPolicy

_POLICY = TargetPolicy(partition="aws", regions=frozenset({"eu-west-1"}), accounts=frozenset({"222222222222"}))
_GOOD: dict[str, Any] = {"id": "acme", "type": "silo", "account": "222222222222", "region": "eu-west-1"}

_values = st.recursive(
    st.text(max_size=5) | st.booleans() | st.none() | st.integers(-9, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz", min_size=1), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text("abc", min_size=1), _values, min_size=1, max_size=4))
def test_dynamodb_json_is_read_as_what_it_was_written_from(row: dict[str, Any]) -> None:
    assert plain_row({name: write_value(value) for name, value in row.items()}) == row


def test_plain_json_dynamodb_json_and_yaml_are_the_same_rows() -> None:
    typed = {name: {"S": value} for name, value in _GOOD.items()}
    tagged = {**_GOOD, "tags": {"S": "1234"}}
    yaml = "id: acme\ntype: silo\naccount: '222222222222'\nregion: eu-west-1\n"
    for text in (json.dumps(_GOOD), json.dumps([typed]), json.dumps({"Items": [typed], "Count": 1}), yaml):
        rows = read_rows(text)
        assert [plain_row(row) for row in rows] == [_GOOD]
        assert problems_of(rows, _POLICY) == []
    assert plain_row(tagged) == tagged, "a tag may be called as DynamoDB's types are"


def test_json_with_tabs_is_json() -> None:
    assert read_rows(json.dumps([_GOOD], indent="\t")) == [_GOOD]


def test_all_errors_with_index_and_field() -> None:
    rows = [_GOOD, {"id": "Bad Id", "type": "x", "region": "eu-west-1"}, "nonsense"]
    found = [(problem.row, problem.field) for problem in problems_of(rows, _POLICY)]
    assert found == [(1, "id"), (1, "type"), (1, "account"), (2, "row")]


def test_fields_of_optional_attributes() -> None:
    row = {**_GOOD, "size": "huge", "tags": {"aws:x": "1"}, "allow_move": "yes", "state": "off", "ring": 3}
    fields = [problem.field for problem in problems_of([row], _POLICY)]
    assert fields == ["size", "state", "tags", "ring", "allow_move"]


def test_two_rows_of_one_id() -> None:
    found = problems_of([_GOOD, dict(_GOOD)], _POLICY)
    assert [(problem.row, problem.field) for problem in found] == [(0, "id"), (1, "id")]


def test_a_misspelt_attribute_is_a_warning_and_a_foreign_one_is_not() -> None:
    found = problems_of([{**_GOOD, "sise": "large", "owner": "me"}], _POLICY)
    assert [(problem.field, problem.warning) for problem in found] == [("sise", True)]
    assert "is size meant?" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        "id: a\nid: b\n",
        '{"id": "a", "id": "b"}',
        '{"id": "a",\t"id": "b"}',
        '[{"id": "a",\t"tags": {"id": "1", "id": "2"}}]',
        '{"":\t1, "": 2, "id": "a", "id": "a"}',
    ],
    ids=["YAML", "JSON", "JSON with tabs", "a map in a row", "an empty key"],
)
def test_a_key_that_is_given_twice_is_told(text: str) -> None:
    with pytest.raises(CliError, match=r"is given twice in .*: keep one of them"):
        read_rows(text)


def test_the_same_key_in_two_maps_is_given_once() -> None:
    text = '[{"id": "a",\t"tags": {"id": "1"}}, {"id": "b"}]'
    assert read_rows(text) == read_rows(text.replace("\t", " ")) == json.loads(text)


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_what_has_no_rows_is_refused(text: str) -> None:
    with pytest.raises(CliError, match=r"no rows|neither JSON nor YAML"):
        read_rows(text)


def test_the_command(configuration: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.yaml"
    file.write_text("- id: acme\n  type: silo\n  account: 222222222222\n  region: eu-west-1\n")
    result = CliRunner().invoke(app, ["--config", str(configuration), "validate", str(file), "--json"])
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["valid"] is False
    assert [(problem["row"], problem["field"]) for problem in document["problems"]] == [(0, "account")]


def test_good_rows_from_stdin(configuration: Path) -> None:
    words = ["--config", str(configuration), "validate", "-"]
    result = CliRunner().invoke(app, words, input=json.dumps(_GOOD))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "1 rows, all valid\n")


def test_a_file_that_is_not_there(configuration: Path) -> None:
    result = CliRunner().invoke(app, ["--config", str(configuration), "validate", "nowhere.json"])
    assert result.exit_code == 3
    assert result.stderr == "error: there is no file nowhere.json\n"
