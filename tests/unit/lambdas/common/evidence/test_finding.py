"""What makes two findings the same one, and what does not."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.evidence.finding import Finding, Package, Place, Severity, State, content_of

ONE = Finding(
    tool="bandit",
    rule="B602",
    title="A shell is started",
    severity=Severity.HIGH,
    description="It starts a shell",
    resource="Role",
    place=Place(path="app/a.py", line=3, column=1, inside="main"),
    package=Package(name="lib", installed="1.0", fixed="1.1"),
    first_seen="2026-01-01T00:00:00Z",
    content="ab12",
)
_TEXTS = st.text(max_size=20)
FINDINGS = st.builds(
    Finding,
    tool=_TEXTS,
    rule=_TEXTS,
    title=_TEXTS,
    severity=st.sampled_from(Severity),
    state=st.sampled_from(State),
    resource=_TEXTS,
    place=st.builds(Place, path=_TEXTS, line=st.integers(0, 9), inside=_TEXTS),
    package=st.none() | st.builds(Package, name=_TEXTS, installed=_TEXTS, fixed=_TEXTS),
    aliases=st.lists(_TEXTS, max_size=2).map(tuple),
    content=_TEXTS,
    repeat=st.integers(0, 2),
)
# What may change from run to run, by the name of the field.
_VOLATILE: dict[str, st.SearchStrategy[Any]] = {
    "title": _TEXTS,
    "severity": st.sampled_from(Severity),
    "state": st.sampled_from(State),
    "description": _TEXTS,
    "remediation": _TEXTS,
    "url": _TEXTS,
    "aliases": st.lists(_TEXTS).map(tuple),
    "first_seen": _TEXTS,
}
_IDENTITY = {"tool", "rule", "resource", "content", "repeat"}


@given(finding=FINDINGS, data=st.data(), line=st.integers(0, 999), fixed=_TEXTS)
def test_it_is_the_same_when_lines_move_and_words_change(
    finding: Finding, data: st.DataObject, line: int, fixed: str
) -> None:
    changed = {name: data.draw(values, label=name) for name, values in _VOLATILE.items()}
    place = replace(finding.place, line=line, column=line)
    package = replace(finding.package, fixed=fixed) if finding.package else None
    again = replace(finding, **changed, place=place, package=package)
    assert again.fingerprint == finding.fingerprint
    assert again.rule_key == finding.rule_key


def test_each_field_is_either_volatile_or_part_of_the_identity() -> None:
    assert {one.name for one in fields(Finding)} == {*_VOLATILE, *_IDENTITY, "place", "package"}


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, tool="semgrep"),
        replace(ONE, rule="B603"),
        replace(ONE, resource="Other"),
        replace(ONE, content="ab13"),
        replace(ONE, repeat=1),
        replace(ONE, place=replace(ONE.place, path="app/b.py")),
        replace(ONE, place=replace(ONE.place, inside="other")),
        replace(ONE, package=Package(name="other", installed="1.0")),
        replace(ONE, package=Package(name="lib", installed="1.1")),
        # What ends one text may not begin the next.
        replace(ONE, place=replace(ONE.place, path="app/a.pymain", inside="")),
    ],
)
def test_it_is_another_one(other: Finding) -> None:
    assert other.fingerprint != ONE.fingerprint


def test_the_recipe_stays_as_it_is_within_a_version() -> None:
    """Exceptions and imported findings refer to these very texts: another recipe takes another version."""
    assert ONE.rule_key == "bandit:B602"
    assert ONE.fingerprint == "v1:387b2d3c8eb8bc7b36bdb92ba7d4ef31"


@given(finding=FINDINGS)
def test_it_is_read_as_it_was_written(finding: Finding) -> None:
    assert Finding.from_json(finding.to_json()) == finding


def test_this_version_reads_what_the_next_one_writes() -> None:
    written = json.loads(ONE.to_json())
    written |= {"epss": 0.9, "place": written["place"] | {"end_line": 4}}
    assert Finding.from_json(json.dumps(written)) == ONE
    assert Finding.from_json('{"tool": "a", "rule": "b", "title": "c"}').severity is Severity.UNKNOWN
    with pytest.raises(ValueError, match="rule is missing"):
        Finding.from_json('{"tool": "a", "title": "c"}')


def test_content_tells_texts_apart_and_not_what_they_are() -> None:
    one = content_of("key = 'a1'", rule="r", path="a.py")
    assert one == content_of("  key =   'a1'\r\n", rule="r", path="a.py")
    assert one != content_of("key = 'a2'", rule="r", path="a.py")
    assert one != content_of("key = 'a1'", rule="r", path="b.py")
    assert content_of(" \n", rule="r", path="a.py") == ""
    secret = content_of("hunter2", rule="r", path="a.py")
    alike = [guess for guess in range(200_000) if content_of(str(guess), rule="r", path="a.py") == secret]
    assert len(alike) > 1, "who guesses cannot tell which of them it is"
