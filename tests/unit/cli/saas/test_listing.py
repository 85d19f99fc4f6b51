"""`list` on moto's tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cli.saas.commands import listing
from cli.saas.scan import scan_plain
from lambdas.common import dynamo
from tests.unit.cli.saas.factory import NAMES, RELEASE, Factory, ring, stack


def test_both_tables_side_by_side(factory: Factory) -> None:
    """Given a deployment, a row that nothing is known of and a tombstone, all three are listed, by id."""
    factory.row("acme", ring="early")
    factory.status("acme", revision_deployed="4f2c9d1")
    factory.row("fresh")
    factory.status("gone", phase="RETIRED")
    answer = factory.granary("list")
    words = [line.split() for line in answer.stdout.splitlines()]
    assert [line[:4] for line in words[1:]] == [
        ["acme", "silo", "ACTIVE", "early"],
        ["fresh", "silo", "-", "-"],
        ["gone", "silo", "RETIRED", "-"],
    ]
    assert "3 deployments" in answer.stderr


def test_an_attribute_of_a_wrong_type_is_told_as_it_was_written(factory: Factory) -> None:
    factory.row("acme", ring=None, type={"b", "a"}, account=222222222222)
    heading, line = factory.granary("list", "--plain").stdout.splitlines()
    cells = {name: line[heading.index(name) :] for name in ("TYPE", "RING", "ACCOUNT")}
    assert cells["TYPE"].startswith('{"SS": ["a", "b"]}  ')
    assert cells["RING"].startswith('{"NULL": true}  ')
    assert cells["ACCOUNT"].startswith('{"N": "222222222222"}  ')


@pytest.mark.parametrize("words", [(), ("--plain",), ("--json",)])
@pytest.mark.parametrize("terminal", [True, False])
def test_no_id_of_a_row_is_obeyed_by_the_terminal(factory: Factory, words: tuple[str, ...], terminal: bool) -> None:
    if terminal:
        factory.monkeypatch.setenv("TTY_COMPATIBLE", "1")
        factory.monkeypatch.setenv("NO_COLOR", "1")
        factory.monkeypatch.setenv("COLUMNS", "200")
    nasty = "\x1b]0;PWN\x07\x9b31m\u202ered\x7f"
    factory.row(nasty, type=nasty, account=nasty, region=nasty, ring=nasty)
    factory.row("acme\nbeta")
    factory.row("x" * 2_000)
    answer = factory.granary("list", *words)
    ours = answer.stdout.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert not any(letter in ours + answer.stderr for letter in "\x1b\x07\x9b\u202e\x7f")
    if "--json" not in words:
        assert max(map(len, answer.stdout.splitlines())) < 600
        assert "\\x1b]0;PWN" in answer.stdout


def test_json_is_one_document_of_what_was_asked_for(factory: Factory) -> None:
    for name, phase in (("a", "ACTIVE"), ("b", "FAILED"), ("c", "INVALID")):
        factory.row(name)
        factory.status(name, phase=phase, reason=f"of {name}")
    answer = factory.granary("list", "--phase", "failed", "--phase", "ACTIVE", "--failed", "--json")
    assert [(entry["id"], entry["reason"], entry["failed"]) for entry in answer.document] == [("b", "of b", True)]


@pytest.mark.parametrize(("words", "whole"), [([], False), (["--plain"], True)])
def test_a_narrow_terminal_is_told_what_it_is_not_shown(factory: Factory, words: list[str], whole: bool) -> None:
    factory.monkeypatch.setenv("TTY_COMPATIBLE", "1")
    factory.monkeypatch.setenv("COLUMNS", "40")
    factory.row("acme-production-eu")
    factory.status("acme-production-eu", phase="FAILED")
    answer = factory.granary("list", *words)
    assert "acme-production-eu" in answer.stdout
    assert "FAILED" in answer.stdout
    assert ("eu-west-1" in answer.stdout) is whole
    assert ("--plain shows all" in " ".join(answer.stderr.split())) is not whole


def test_many_are_lines_that_fit_as_well(factory: Factory) -> None:
    factory.monkeypatch.setenv("TTY_COMPATIBLE", "1")
    factory.monkeypatch.setenv("COLUMNS", "40")
    factory.monkeypatch.setattr(listing, "TABLE_LIMIT", 1)
    for name in ("acme", "beta"):
        factory.row(name)
        factory.status(name)
    lines = factory.granary("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["ID", "acme", "beta"]
    assert max(map(len, lines)) <= 40


@pytest.mark.parametrize("words", [["--phase", "GONE"], ["--sort", "colour"]])
def test_unknown_words_are_wrong_usage(factory: Factory, words: list[str]) -> None:
    answer = factory.granary("list", *words)
    assert answer.code == 2
    assert "is unknown: use" in answer.stderr


@pytest.mark.parametrize("segments", [1, 3])
def test_every_page_of_every_segment_is_read(factory: Factory, segments: int) -> None:
    filling = "x" * 300_000
    for number in range(12):
        factory.row(f"t{number}", note=filling)
    wanted = {NAMES.deployments_table: ("id", "type"), NAMES.status_table: ("id",)}
    found = scan_plain(factory.db, wanted, segments=segments)
    assert sorted(item["id"] for item in found[NAMES.deployments_table]) == sorted(f"t{n}" for n in range(12))
    assert found[NAMES.status_table] == []


def test_other_scans_are_parsed_as_ever_afterwards(factory: Factory) -> None:
    factory.db.put_item(TableName=NAMES.deployments_table, Item={"id": {"S": "a"}, "raw": {"B": b"\x00\x01"}})
    scan_plain(factory.db, {NAMES.deployments_table: ("id",)})
    items = factory.db.scan(TableName=NAMES.deployments_table)["Items"]
    assert items == [{"id": {"S": "a"}, "raw": {"B": b"\x00\x01"}}]


def test_a_table_that_does_not_exist_is_told(factory: Factory) -> None:
    factory.db.delete_table(TableName=NAMES.status_table)
    answer = factory.granary("list")
    assert answer.code == 3
    assert "deploy the toolchain" in answer.stderr


def unreadable(factory: Factory) -> None:
    factory.row("bad")
    factory.status("bad", updated_at="today")
    factory.status("new", phase="HIBERNATING", release_ring=7)
    factory.row("good")
    factory.status("good", attempts=2, support_stacks=[stack("support")], warnings=["x"])


def test_what_cannot_be_read_is_listed_with_what_to_do(factory: Factory) -> None:
    unreadable(factory)
    answer = factory.granary("list")
    words = {line.split()[0]: line.split() for line in answer.stdout.splitlines()}
    assert [words[name][2] for name in ("bad", "good", "new")] == ["UNREADABLE", "ACTIVE", "UNREADABLE"]
    told = " ".join(answer.stderr.split())
    assert "nothing is done about deployment bad: its status cannot be read: updated_at: " in told
    assert "deployment new: its status cannot be read: phase: 'HIBERNATING' is unknown to this version" in told
    assert "2 UNREADABLE" in told


def test_what_cannot_be_read_is_in_the_document(factory: Factory) -> None:
    unreadable(factory)
    answer = factory.granary("list", "--failed", "--json")
    assert [(one["id"], one["phase"], one["failed"]) for one in answer.document] == [
        ("bad", "UNREADABLE", True),
        ("new", "UNREADABLE", True),
    ]
    assert all(f"`granary repair {one['id']}`" in one["unreadable"] for one in answer.document)


@pytest.mark.parametrize("words", [["status", "bad"], ["retry", "bad"], ["plan", "retire", "bad"]])
def test_whose_status_cannot_be_read_is_named_with_the_next_step(factory: Factory, words: list[str]) -> None:
    unreadable(factory)
    answer = factory.granary(*words)
    assert answer.code == 1
    assert "deployment bad: its status cannot be read" in " ".join(answer.stderr.split())


def test_a_run_that_cannot_be_read_hides_no_status(factory: Factory) -> None:
    unreadable(factory)
    name = factory.run()
    factory.db.put_item(TableName=NAMES.releases_table, Item={"id": {"S": f"run/{name}"}})
    assert factory.granary("status", "good").code == 0
    answer = factory.granary("release")
    assert answer.code == 1
    assert f"item run/{name} of the releases table cannot be read" in " ".join(answer.stderr.split())


def test_a_kept_release_that_cannot_be_read_hides_no_other(factory: Factory) -> None:
    factory.run()
    factory.db.put_item(TableName=NAMES.releases_table, Item={"id": {"S": "release/bad"}, "release": {"S": "x"}})
    assert factory.granary("plan", "release").code == 0
    assert factory.granary("plan", "release", "--revision", "bad").code == 1


def test_a_kept_release_that_was_published_at_no_time_is_not_the_newest(factory: Factory) -> None:
    """Given one that every comparison of texts takes for the newest, then `granary release` is not stuck with it."""
    factory.run()
    spoilt = replace(RELEASE, revision="bad", published_at="soon")
    dynamo.put(factory.db, table=NAMES.releases_table, item={"id": "release/bad", "release": spoilt.to_json()})
    assert factory.granary("plan", "release", "--json").document["revision"] == RELEASE.revision


@pytest.mark.parametrize("name", ["reason", "revision_deployed", "release_ring", "row_removed", "updated_at"])
def test_what_is_null_in_a_status_is_not_there(factory: Factory, name: str) -> None:
    """Given a NULL, which the sweep passes over, then nobody is sent to repair what can be read."""
    null: dict[str, Any] = {name: None}
    factory.row()
    factory.status(**null)
    answer = factory.granary("list", "--json")
    assert [(one["phase"], one["unreadable"], one["failed"]) for one in answer.document] == [("ACTIVE", "", False)]
    assert factory.granary("list").code == 0


@pytest.mark.parametrize("value", [7, b"x", True, {"a"}, {"a": "b"}])
@pytest.mark.parametrize("name", ["release_ring", "release_reason"])
def test_a_status_that_cannot_be_read_hides_no_release(factory: Factory, name: str, value: object) -> None:
    """Given a deployment that the release failed at, when its status is spoilt, then it is told of with the others."""
    run = factory.run(rings=(ring(0, "canary", "ADVANCING", failed=2),))
    known: dict[str, Any] = {"release_run": run, "release_outcome": "failed", "release_ring": "canary"}
    factory.status("good", **known, release_reason="why")
    factory.status("spoilt", **{**known, "release_reason": "why", name: value})
    answer = factory.granary("release", "--no-follow")
    assert (answer.code, "good (canary) failed: why" in answer.stdout) == (0, True)
    assert "spoilt (" in answer.stdout
