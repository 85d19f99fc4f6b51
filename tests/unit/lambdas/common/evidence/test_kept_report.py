"""A gate's report as it is kept: read as it was written, by other versions too, and never taken for more than it is."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.errors import UnreadableError
from lambdas.common.evidence.finding import Finding, Severity
from lambdas.common.evidence.kept_report import Head, KeptReport, Unread, packed
from tests.unit.lambdas.common.evidence.test_finding import FINDINGS

HEAD = Head(
    gate="secrets",
    target="shop@refs/heads/main",
    created="2026-11-28T10:00:00.000+00:00",
    findings=1,
    complete=True,
    tools={"kingfisher": "2.14.0"},
    revision="abc",
    deployment="silo1",
)
ONE = Finding(tool="bandit", rule="B602", title="A shell is started", severity=Severity.HIGH)


def lines_of(data: bytes) -> list[str]:
    return gzip.decompress(data).decode().splitlines()


def repacked(*lines: str) -> bytes:
    return gzip.compress("".join(f"{line}\n" for line in lines).encode())


@given(findings=st.lists(FINDINGS, max_size=5))
def test_it_is_read_as_it_was_written(findings: list[Finding]) -> None:
    head = replace(HEAD, findings=len(findings))
    report = KeptReport(packed(head, findings))
    assert report.head == head
    assert [*report] == [*report] == findings
    assert packed(head, findings) == packed(head, findings)


def test_a_version_reads_what_the_next_one_writes() -> None:
    head, line = lines_of(packed(HEAD, [ONE]))
    later = [json.dumps({**json.loads(one), "later": {"x": [1]}, "class": "new"}) for one in (head, line)]
    report = KeptReport(repacked(*later))
    assert report.head == HEAD
    assert [*report] == [ONE]


def test_what_is_not_said_is_not_complete() -> None:
    told = '{"gate": "code", "target": "source", "created": "2026-11-28T10:00:00+00:00", "findings": 0}'
    assert not KeptReport(repacked(told)).head.complete


def test_a_bad_line_is_named_and_harms_no_other() -> None:
    head, line = lines_of(packed(replace(HEAD, findings=3), [ONE]))
    first, bad, last = KeptReport(repacked(head, line, '{"tool": 7}', line))
    assert isinstance(bad, Unread)
    assert (first, bad.where, last) == (ONE, "line 2", ONE)
    assert bad.reason == "tool: 7 is no str"


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_report_that_ends_in_the_middle_says_so(cut: int) -> None:
    findings = [replace(ONE, repeat=number, description=f"{number * 7919:x}" * 50) for number in range(200)]
    read = [*KeptReport(packed(replace(HEAD, findings=200), findings)[:-cut])]
    assert any(isinstance(one, Unread) for one in read)


def test_a_line_without_an_end_is_never_held() -> None:
    """Given a small report that unpacks to one huge line, then that line is told, and the rest is read."""
    head, line = lines_of(packed(replace(HEAD, findings=3), [ONE]))
    first, bad, last = KeptReport(repacked(head, line, '{"tool": "' + "x" * 3_000_000 + '"}', line))
    assert (first, bad, last) == (ONE, Unread("line 2", "it has more than 1,000,000 bytes"), ONE)
    with pytest.raises(UnreadableError):
        KeptReport(repacked("x" * 3_000_000, line))


def test_a_report_with_fewer_findings_than_were_written_says_so() -> None:
    head, line = lines_of(packed(replace(HEAD, findings=2), [ONE]))
    assert [*KeptReport(repacked(head, line))] == [ONE, Unread("end", "2 findings were written, and 1 are there")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        gzip.compress(b"", mtime=0),
        gzip.compress(b"nonsense\n", mtime=0),
        packed(replace(HEAD, gate=""), []),
        packed(replace(HEAD, gate="Secrets"), []),
        packed(replace(HEAD, target="a:b"), []),
        packed(replace(HEAD, created="yesterday"), []),
        packed(replace(HEAD, created=""), []),
    ],
)
def test_what_is_no_report_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        KeptReport(data)


@pytest.mark.parametrize(
    ("key", "belongs"),
    [
        ("findings/shop@refs/heads/main/secrets/run-1.jsonl.gz", True),
        ("findings/shop@refs/heads/main/code/run-1.jsonl.gz", False),
        ("findings/shop@refs/heads/other/secrets/run-1.jsonl.gz", False),
        ("findings/shop@refs/heads/main/secrets/below/run-1.jsonl.gz", False),
        ("findings/shop@refs/heads/main/secrets/.jsonl.gz", False),
        ("verdicts/run-1.jsonl.gz", False),
    ],
)
def test_a_report_belongs_where_its_gate_may_write(key: str, belongs: bool) -> None:
    assert HEAD.belongs(key) is belongs
    assert not belongs or HEAD.key("run-1") == key
