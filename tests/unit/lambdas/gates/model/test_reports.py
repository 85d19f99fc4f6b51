"""All parsers, as their folder has them: each reads its report, and none takes bad input for "nothing was found"."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.evidence.finding import State
from lambdas.gates.model import parsers
from lambdas.gates.model.events import ReportError
from lambdas.gates.model.formats import formats
from lambdas.gates.model.reports import read_report, recognised
from lambdas.gates.model.walk import MOST_VALUES
from tests.unit.lambdas.gates.reports import (
    EXPECTED,
    JSON,
    PLANTED,
    at,
    content,
    dump,
    format_of,
    known,
    lists_of_records,
    parse,
)

FORMATS = sorted(formats())
FILES = sorted(EXPECTED)
_LONE = {file: known(file) for file in JSON}
# What a place of a report may be turned into: neither null nor an empty value of its own kind, which may be true.
_WRONG: tuple[Any, ...] = (7, True, "text", {}, [], [[]], {"a": []})


def accepts(data: bytes, name: str) -> bool:
    """Whether a gate would take it for a clean report."""
    try:
        return parse(data, name).clean
    except ReportError:
        return False


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield from places(value, (*path, key))


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = deepcopy(data)
    at(changed, path[:-1])[path[-1]] = value
    return changed


def records_of(file: str) -> Iterator[tuple[Any, ...]]:
    for path in lists_of_records(file):
        entries = at(_LONE[file], path)
        yield from ((*path, key) for key in (entries if isinstance(entries, dict) else range(len(entries))))


def test_each_file_of_the_folder_is_a_format_with_a_report() -> None:
    files = {path.stem for path in Path(parsers.__path__[0]).glob("*.py")} - {"__init__"}
    assert {name.replace("-", "_") for name in FORMATS} == files
    assert {format_of(file) for file in FILES} == set(FORMATS)


@pytest.mark.parametrize("file", FILES)
def test_a_report_has_the_findings_that_it_is_known_to_have(file: str) -> None:
    report = parse(content(file), format_of(file))
    opened = [one for one in report.findings if one.state is State.OPEN]
    assert (len(report.findings), len(opened), report.scanned) == EXPECTED[file]
    assert report.errors == ()
    assert not report.clean
    assert len({one.fingerprint for one in report.findings}) == len(report.findings)


@pytest.mark.parametrize("file", FILES)
def test_a_report_is_recognised(file: str) -> None:
    assert recognised(BytesIO(content(file))) == format_of(file)
    assert read_report(BytesIO(content(file))).format == format_of(file)


@pytest.mark.parametrize("file", FILES)
def test_what_was_found_is_never_copied(file: str) -> None:
    """Some tools print secrets, all of them code: neither stands in a finding."""
    report = parse(content(file), format_of(file))
    assert PLANTED not in "".join(one.to_json() for one in report.findings)


@pytest.mark.parametrize("name", FORMATS)
def test_another_tools_report_is_refused(name: str) -> None:
    for file in FILES:
        if format_of(file) != name:
            with pytest.raises(ReportError):
                parse(content(file), name)


@pytest.mark.parametrize("file", JSON)
def test_one_bad_record_is_named_and_loses_none_of_the_others(file: str) -> None:
    """Whichever it is: the others are those of the report without it, and the report is not clean."""
    name = format_of(file)
    for path in records_of(file):
        without = deepcopy(_LONE[file])
        del at(without, path[:-1])[path[-1]]
        bad = dump(replaced(_LONE[file], path, 7))
        if len(list(records_of(file))) == 1:
            with pytest.raises(ReportError, match="nothing in it can be read"):
                parse(bad, name)
            continue
        report = parse(bad, name)
        where = f"[{path[-1]}]" if isinstance(path[-1], int) else path[-1]
        assert [one for one in report.errors if where in one and "int" in one]
        assert set(report.findings) == set(parse(dump(without), name).findings)


@pytest.mark.parametrize("file", FILES)
@given(data=st.data())
def test_no_truncated_report_is_less_than_the_whole(file: str, data: st.DataObject) -> None:
    whole, name = content(file).rstrip(), format_of(file)
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        report = parse(part, name)
    except ReportError:
        return
    # Behind the end of Kingfisher's report stands another one, behind git-secrets' findings its help.
    assert report.findings == parse(whole, name).findings


@pytest.mark.parametrize("file", JSON)
@given(data=st.data())
def test_no_mutation_loses_a_finding_silently(file: str, data: st.DataObject) -> None:
    known, name = _LONE[file], format_of(file)
    path = data.draw(st.sampled_from(list(places(known))))
    value = data.draw(st.sampled_from([one for one in _WRONG if type(one) is not type(at(known, path))]))
    before = parse(dump(known), name)
    try:
        report = parse(dump(replaced(known, path, value)), name)
    except ReportError:
        return
    assert report.errors or report.scanned == 0 or len(report.findings) >= len(before.findings)
    assert not report.clean


@pytest.mark.parametrize("file", JSON)
def test_a_report_whose_records_have_another_name_is_refused(file: str) -> None:
    """Where a format may be without them, as Trivy's results may, something else has to be found in it."""
    for path in lists_of_records(file):
        if path and isinstance(path[-1], str):
            changed = deepcopy(_LONE[file])
            at(changed, path[:-1])["another"] = at(changed, path[:-1]).pop(path[-1])
            assert not accepts(dump(changed), format_of(file))


@given(data=st.binary(max_size=200), name=st.sampled_from(FORMATS))
def test_no_bytes_are_a_clean_report(data: bytes, name: str) -> None:
    if data.split() not in ([b"[]"], [b"null"], [b"[", b"]"]):
        assert not accepts(data, name)


_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
_KEYS = st.sampled_from(
    ["results", "findings", "Findings", "vulnerabilities", "version", "matches", "data", "runs", "a"]
)


@given(
    data=st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(_KEYS, inner, min_size=1, max_size=3),
    ),
    name=st.sampled_from(sorted({*FORMATS} - {"tfsec", "asff", "inspector", "ocsf"})),
)
def test_no_other_json_is_a_clean_report(data: Any, name: str) -> None:
    """Left out are those whose clean report is one empty list by its name."""
    if data is not None:
        assert not accepts(dump(data), name)


def test_a_record_that_is_too_large_is_an_error_that_names_it() -> None:
    data = deepcopy(_LONE["cfn_lint.json"])
    data[0]["Location"]["Path"] = ["x"] * MOST_VALUES
    report = parse(dump(data), "cfn-lint")
    assert len(report.findings) == 1
    assert report.errors[0].startswith("[0]")
    assert f"over {MOST_VALUES:,} values" in report.errors[0]


@pytest.mark.parametrize("name", ["OWASPZAPReport", "site", "alerts", "alertitem", "riskcode", "pluginid"])
def test_an_element_of_another_name_is_never_nothing(name: str) -> None:
    changed = content("zap.xml").replace(f"<{name}".encode(), b"<another").replace(f"</{name}".encode(), b"</another")
    assert not accepts(changed, "zap")


def test_one_bad_element_or_line_is_named_and_loses_none_of_the_others() -> None:
    elements = parse(content("zap.xml").replace(b"<riskcode>1</riskcode>", b""), "zap")
    assert (len(elements.findings), len(elements.errors)) == (2, 1)
    assert "alertitem" in elements.errors[0]
    assert "riskcode" in elements.errors[0]
    lines = parse(b"what is this?\n" + content("git_secrets.txt"), "git-secrets")
    assert (len(lines.findings), len(lines.errors)) == (2, 1)
    assert lines.errors[0].startswith("lines[0]")


def test_an_element_that_is_empty_has_not_what_it_needs() -> None:
    start = b'<OWASPZAPReport version="2" generated="now">'
    site = b'<site name="a" host="a"><alerts/></site>'
    assert accepts(start + site + b"</OWASPZAPReport>", "zap")
    assert not accepts(start + b"<site/>" + site + b"</OWASPZAPReport>", "zap")
    assert not accepts(start + b"</OWASPZAPReport>", "zap")


def test_a_name_that_is_there_twice_hides_nothing() -> None:
    """The last one counts for most readers: `{"results": [..], "results": []}` would be clean."""
    text = json.dumps(_LONE["bandit.json"])
    report = parse((text[:-1] + ', "results": []}').encode(), "bandit")
    assert len(report.findings) == EXPECTED["bandit.json"][0]
    inner = dump(_LONE["pip_audit.json"]).replace(b'"vulns": [{', b'"vulns": [], "vulns": [{')
    assert not accepts(inner, "pip-audit")


def test_what_stands_twice_at_one_place_is_two_findings() -> None:
    """Some tools tell no column: two problems of a line look the same."""
    data = deepcopy(_LONE["sarif.sarif"])
    data["runs"][0]["results"] = [data["runs"][0]["results"][0]] * 3
    report = parse(dump(data), "sarif")
    assert len({one.fingerprint for one in report.findings}) == 3


def test_hostile_texts_are_made_visible() -> None:
    data = deepcopy(_LONE["bandit.json"])
    hostile = "\x1b[2J\u202ecod\x00.exe\r\n\u2028<script>"
    data["results"][1] |= {"filename": f"a/{hostile}.py", "issue_text": hostile * 100, "test_id": f"B602{hostile}"}
    (found,) = [one for one in parse(dump(data), "bandit").findings if one.rule.startswith("B602")]
    assert (found.title + found.place.path + found.rule).isprintable()
    assert "\\u202e" in found.place.path
    assert len(found.title) < 300


def test_long_names_stay_apart() -> None:
    data = [
        deepcopy(one) | {"Filename": "a/" * 2_000 + end} for one, end in zip(_LONE["cfn_lint.json"], "bc", strict=True)
    ]
    one, two = parse(dump(data), "cfn-lint").findings
    assert one.place.path != two.place.path
    assert len(one.place.path) < 1_100


def test_a_format_that_nobody_knows_is_told() -> None:
    with pytest.raises(ReportError, match="trivy"):
        parse(b"[]", "no-such")
    with pytest.raises(ReportError, match="it may be one of"):
        recognised(BytesIO(b"[]"))
    with pytest.raises(ReportError, match="of none of"):
        recognised(BytesIO(b'{"planned_values": {}}'))
