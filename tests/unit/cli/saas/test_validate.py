"""`validate FILE`: every error of every row, with no AWS at all."""

from __future__ import annotations

import json
import re
from itertools import pairwise
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
from lambdas.saas.model.record import parse_row
from lambdas.saas.model.target_policy import TargetPolicy
from tests.unit.lambdas.saas.strategies import dynamo_values
from tests.unit.lambdas.saas.test_readers import as_json

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
    row = {
        **_GOOD,
        "size": "huge",
        "tags": {"aws:x": "1"},
        "allow_move": "yes",
        "allow_adopt": "yes",
        "state": "off",
        "ring": 3,
    }
    fields = [problem.field for problem in problems_of([row], _POLICY)]
    assert fields == ["size", "state", "tags", "ring", "allow_move", "allow_adopt"]


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


_OTHERS: dict[str, Any] = {
    "logo": {"B": "aGVsbG8="}, "figures": {"NS": ["1", "2.5"]}, "keys": {"BS": ["aGVsbG8="]}, "names": {"SS": ["a"]},
    "none": {"NULL": True}, "deep": {"M": {"a": {"L": [{"B": "aGVsbG8="}, {"N": "1E-130"}]}}},
}  # fmt: skip
_TYPED: dict[str, Any] = {name: {"S": value} for name, value in _GOOD.items()} | _OTHERS


@pytest.mark.parametrize(
    "document",
    [
        _TYPED,
        [_TYPED],
        {"Items": [_TYPED], "Count": 1},
        {"Item": _TYPED},
        {"TableName": "granary-deployments", "Item": _TYPED},
        {"granary-deployments": [{"PutRequest": {"Item": _TYPED}}]},
        {"RequestItems": {"granary-deployments": [{"PutRequest": {"Item": _TYPED}}]}},
    ],
)
def test_what_the_aws_cli_writes_and_takes_is_read_with_attributes_of_any_type(document: Any) -> None:
    rows = read_rows(json.dumps(document))
    assert len(rows) == 1
    assert problems_of(rows, _POLICY) == []


@given(dynamo_values)
def test_an_attribute_that_is_not_ours_may_hold_anything(value: Any) -> None:
    assert problems_of([{**_TYPED, "mine": as_json(value)}], _POLICY) == []


@given(st.sampled_from(sorted(_GOOD)), st.sampled_from(["S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL"]), _values)
def test_whatever_stands_beside_a_type_is_told_and_harms_no_other_row(name: str, kind: str, value: Any) -> None:
    found = problems_of([{**_TYPED, name: {kind: value}}, {**_TYPED, "id": {"S": "beta"}}], _POLICY)
    assert all(problem.row == 0 and problem.field in (name, "row") for problem in found if not problem.warning)
    assert found or (kind, value) == ("S", value)
    assert all(len(problem.line()) < 500 for problem in found)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairwise("abcdefghijk")
)
MERGES = "a: &a {k: 1}\n" + "".join(
    f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 9)}], {new}: 1}}\n" for old, new in pairwise("abcdefghijk")
)
MALFORMED = {
    "bomb": BOMB, "merges": MERGES, "endless": "&a [*a]", "deep JSON": "[" * 20_000, "deep YAML": "- " * 5_000 + "x",
    "scalar": "hello", "number": "7", "scalars": "[1, 2, null]", "many scalars": json.dumps(["x" * 99] * 20_000),
    "digits": "account: " + "9" * 6_000, "hex": "account: 0x" + "f" * 60_000, "tag int": "id: !!int x",
    "tag bool": "id: !!bool x", "tag time": "id: !!timestamp x", "tag bytes": "id: !!binary x", "own tag": "id: !Ref x",
    "python": "!!python/object/apply:os.system [ls]", "list key": "? [a]\n: b", "map key": "? {a: b}\n: c",
    "int key": "1: x\nnull: y\n", "long id": json.dumps([{"id": "x" * 10**6}] * 3),
    "long key": json.dumps({"x" * 10**6: 1}),
    "CSV": "id,type,account\nacme,silo,222222222222\n", "CSV in quotes": '"id";"type"\r\n"acme";"silo"\r\n',
    "tabs": "id\ttype\nacme\tsilo\n", "NUL": "id: a\x00", "escape": json.dumps({"id": "\x1b[31m", "\x9b": 1}),
    "documents": "id: a\n---\nid: b\n", "delete": '{"t": [{"DeleteRequest": {"Key": {"id": {"S": "a"}}}}]}',
    "set": "id: !!set {a, b}", "pairs": "id: !!pairs [a: b]", "infinite": "id: .inf", "NaN": '{"id": NaN}',
    "half": '{"id": "\\ud800"}', "blank": " \n\n", "null": "null", "nulls": "[null, null]",
}  # fmt: skip


@pytest.mark.parametrize("words", [(), ("--json",)])
@pytest.mark.parametrize("name", sorted(MALFORMED))
def test_a_malformed_file_is_told_shortly(configuration: Path, tmp_path: Path, name: str, words: tuple[str]) -> None:
    file = tmp_path / "rows.yaml"
    file.write_bytes(MALFORMED[name].encode())
    result = CliRunner().invoke(app, ["--config", str(configuration), "validate", str(file), *words])
    assert result.exit_code == 1, result.output
    assert "fault of the program" not in result.stderr
    assert "Traceback" not in result.output
    assert len(result.output) < 500_000
    assert not any(letter in result.output for letter in "\x1b\x9b")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bomb", "its aliases stand for too much"),
        ("merges", "its aliases stand for too much"),
        ("CSV", "the file is CSV"),
        ("CSV in quotes", "the file is CSV"),
        ("tabs", "the file is CSV"),
        ("delete", "the file deletes rows (DeleteRequest)"),
        ("deep YAML", "nested too deeply"),
    ],
)
def test_what_is_not_read_is_refused_by_name(name: str, said: str) -> None:
    with pytest.raises(CliError, match=re.escape(said)):
        read_rows(MALFORMED[name])


def test_aliases_that_stand_for_little_are_read() -> None:
    rows = "".join(f"- {{id: t{number}, tags: *tags}}\n" for number in range(1_000))
    assert read_rows(f"- &tags {{team: a}}\n{rows}")[1]["tags"] == {"team": "a"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_another_encoding_is_told(configuration: Path, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "rows.json"
    file.write_bytes(json.dumps({**_GOOD, "note": "é"}, ensure_ascii=False).encode(encoding))
    result = CliRunner().invoke(app, ["--config", str(configuration), "validate", str(file)])
    assert (result.exit_code, "save it as UTF-8" in result.stderr) == (2, True)


def test_a_file_of_windows_is_read(configuration: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    file.write_bytes(json.dumps(_GOOD, indent=1).replace("\n", "\r\n").encode("utf-8-sig"))
    assert CliRunner().invoke(app, ["--config", str(configuration), "validate", str(file)]).exit_code == 0


@pytest.mark.parametrize("path", [".", "/dev/zero"])
def test_what_is_no_file_is_told(configuration: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.saas.commands.validate._LIMIT", 1_000)
    result = CliRunner().invoke(app, ["--config", str(configuration), "validate", path])
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr or "validate it in parts" in result.stderr


def test_a_row_that_the_program_fails_at_is_named_and_the_others_are_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(row: Any, policy: TargetPolicy) -> Any:
        if row["id"] == "acme":
            raise RuntimeError("the program fails")
        return parse_row(row, policy)

    monkeypatch.setattr("cli.saas.rowfile.parse_row", failing)
    found = problems_of([_GOOD, {**_GOOD, "id": "beta", "type": "x"}], _POLICY)
    assert [(problem.row, problem.field) for problem in found] == [(0, "row"), (1, "type")]
    assert "RuntimeError: the program fails" in found[0].message
