"""What is no report at all, or none that may be read: it is refused, for a reason that says what to do."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from lambdas.gates.model.events import DEEPEST, LIMIT, LONGEST_TEXT, ReportError
from lambdas.gates.model.formats import formats
from lambdas.gates.model.reports import read_report
from tests.unit.lambdas.gates.reports import content, dump, parse

FORMATS = sorted(formats())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "data", [b"", b" \n ", b"\xef\xbb\xbf", b"\xff\xfe[\0]\0", b"{}", b'""', b"7", b"\0\1\2", b"<a>", b"<a/>"]
)
def test_what_is_empty_or_anything_else_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(ReportError):
        parse(data, name)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b"<a>"])
def test_what_is_nested_too_deeply_is_refused(name: str, opening: bytes) -> None:
    with pytest.raises(ReportError):
        parse(opening * 200_000, name)


def test_the_reason_is_the_depth_where_that_is_the_only_one() -> None:
    deep = {"SchemaVersion": 2, "ArtifactName": "x", "Results": [], "more": json.loads("[" * DEEPEST + "]" * DEEPEST)}
    assert parse(dump(deep | {"more": []}), "trivy").findings == ()
    with pytest.raises(ReportError, match=f"nested deeper than {DEEPEST}"):
        parse(dump(deep | {"more": [[deep["more"]]]}), "trivy")
    with pytest.raises(ReportError, match="nested deeper"):
        parse(dump([{"Rule": deep["more"]}]), "cfn-lint")


class _Large(BytesIO):
    """A file that says that it is as large as may be, and one byte."""

    def seek(self, offset: int, whence: int = 0) -> int:
        return LIMIT + 1 if whence else super().seek(offset)


def test_what_is_too_large_is_refused_unread() -> None:
    assert LIMIT >= 200 * 1024 * 1024
    with pytest.raises(ReportError, match="scan less at a time"):
        read_report(_Large(b"[]"), name="cfn-lint")


@pytest.mark.parametrize(("start", "end"), [(b'["', b'"]'), (b"<a>", b"</a>")])
def test_a_text_without_an_end_is_refused_before_all_of_it_is_held(start: bytes, end: bytes) -> None:
    """A parser of JSON begins a text anew with each chunk: one of 200 MB took hours."""
    with pytest.raises(ReportError, match="one text in it has more than"):
        parse(start + b"x" * (LONGEST_TEXT + 100_000) + end, "junit")


def test_a_document_type_is_refused() -> None:
    """With one, a report of a kilobyte could grow to gigabytes, or name a file of the machine."""
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb">]>' + content("zap.xml").partition(b"?>")[2]
    with pytest.raises(ReportError, match="document type"):
        parse(bomb, "zap")


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        ({"matches": [], "source": {}}, "grype", "it is no report of grype: it has no `descriptor`."),
        ({"matches": [], "descriptor": {"name": "grype", "x": 1}}, "grype", "`descriptor` has no `version`"),
        ([{"filename": "t"}, {"filename": "u", "file_results": {}}], "cfn-nag", r"[0] has no `file_results`"),
    ],
)
def test_what_is_missing_is_told_of_what_has_to_have_it(data: object, name: str, told: str) -> None:
    """And not of the key that happens to be the last there."""
    with pytest.raises(ReportError) as error:
        parse(dump(data), name)
    assert told in str(error.value)


def test_something_behind_a_report_is_refused() -> None:
    with pytest.raises(ReportError, match="behind its end"):
        parse(content("bandit.json") + b"{}", "bandit")
    with pytest.raises(ReportError):
        parse(b"Working...\n" + content("bandit.json"), "bandit")
