"""Where scanners end with success and have not scanned: recorded reports and codes, each beside our guard.

The tools that gates run themselves are run for this in `tests/local/gates/test_scanners.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from lambdas.common.evidence.verdict import Outcome
from lambdas.gates.model.gate import Gate, Scanned, Word, decide
from lambdas.gates.scanners import scanners
from lambdas.gates.scanners.running import run_gate
from lambdas.gates.scanners.scanner import CommandScanner, Options, Trouble, said_by
from tests.unit.lambdas.gates.scanners.stand_in import StandIn, document

TODAY = date(2026, 6, 1)


def _words(_found: Sequence[Path], report: Path, _options: Options) -> list[str]:
    return [str(report)]


def tool(name: str, *codes: int) -> CommandScanner:
    """A scanner of a tool that we have no scanner for, with the codes that it documents for a report."""
    return CommandScanner(name=name, words=_words, plant=lambda _: None, codes=frozenset(codes or (0, 1)))


def outcome(scanner: Any, tmp_path: Path, report: str | None, code: int = 0, **facts: Any) -> tuple[Outcome, str]:
    """What a gate comes to by this report and code; its scanner needs no file of its own."""
    target, work = tmp_path / "target", tmp_path / "work"
    for made in (target, work):
        made.mkdir(exist_ok=True)
    (target / "a.py").write_text("print()\n")
    (target / "requirements.txt").write_text("six==1.16.0\n")
    (target / "a.template.json").write_text(json.dumps({"Resources": {"A": {}, "B": {}}}))
    stand_in = StandIn(root=tmp_path / "stand-in", report=report, code=code, written_to=scanner.report, **facts)
    try:
        scanned = scanner.scan(target, work=work, options={}, environments=stand_in)
    except Trouble as error:
        scanned = Scanned(troubles=[(error.word, error.text)])
    decision = decide(Gate(name="one", scanner=scanner.name), scanned, (), today=TODAY)
    return decision.outcome, decision.reason


def known(name: str) -> CommandScanner:
    """One that gates have."""
    scanner = scanners()[name]
    assert isinstance(scanner, CommandScanner)
    return scanner


CHECKOV, BANDIT, PIP_AUDIT = known("checkov"), known("bandit"), known("pip_audit")
_SUMMARY = {"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 0, "resource_count": 0, "checkov_version": "3"}


def _checkov(**summary: int) -> dict[str, Any]:
    results: dict[str, Any] = {"failed_checks": [], "passed_checks": [], "skipped_checks": [], "parsing_errors": []}
    return {"check_type": "cloudformation", "results": results, "summary": {**_SUMMARY, **summary}}


_BANDIT = {"errors": [], "generated_at": "2026", "metrics": {"_totals": {"loc": 9}}, "results": []}
_WAPITI = {"target": "http://127.0.0.1:1/", "version": "Wapiti 3.3.2", "crawled_pages_nbr": 0}
_STEP = {"keyword": "Given", "name": "I have S3", "result": {"status": "skipped"}}
_SCENARIO = {"keyword": "Scenario", "name": "encrypted", "line": 3, "steps": [_STEP]}
_GUARD = {"name": "a.template.json", "status": "SKIP", "not_compliant": [], "not_applicable": ["x"], "compliant": []}

# tool, the situation, what it writes, the code that it ends with, and our word for it.
_SILENT = [
    (CHECKOV, "a broken YAML alone", _SUMMARY, 0, Word.NOTHING),
    (CHECKOV, "a template of several was passed over", _checkov(passed=3, resource_count=1), 0, Word.INCOMPLETE),
    (BANDIT, "a path that is not there", {**_BANDIT, "metrics": {"_totals": {"loc": 0}}}, 0, Word.NOTHING),
    (
        BANDIT,
        "a file with an error of syntax",
        {**_BANDIT, "errors": [{"filename": "a.py", "reason": "syntax error"}]},
        0,
        Word.INCOMPLETE,
    ),
    (
        PIP_AUDIT,
        "an index without advisories",
        {"dependencies": [{"name": "six", "skip_reason": "not found"}], "fixes": []},
        0,
        Word.UNREADABLE,
    ),
    (
        PIP_AUDIT,
        "an index without some advisories",
        {
            "dependencies": [{"name": "six", "skip_reason": "not found"}, {"name": "a", "version": "1", "vulns": []}],
            "fixes": [],
        },
        0,
        Word.INCOMPLETE,
    ),
    (PIP_AUDIT, "nothing to audit", {"dependencies": [], "fixes": []}, 0, Word.NOTHING),
    (tool("wapiti"), "its target is down", {"vulnerabilities": {}, "anomalies": {}, "infos": _WAPITI}, 0, Word.NOTHING),
    (tool("snyk"), "its program could not be fetched", None, 0, Word.UNREADABLE),
    (tool("snyk"), "its program could not be fetched, with a file", "", 0, Word.UNREADABLE),
    (tool("git_secrets"), "no patterns", "", 0, Word.UNREADABLE),
    (tool("cfn_guard", 0, 19), "no rule applies", [_GUARD], 0, Word.NOTHING),
    (
        tool("terraform_compliance"),
        "the scenario's resource is not in the plan",
        [{"keyword": "Feature", "name": "f", "uri": "f.feature", "elements": [_SCENARIO]}],
        0,
        Word.NOTHING,
    ),
    # One code for findings and for errors.
    (tool("terraform_compliance"), "a plan that cannot be read", None, 1, Word.UNREADABLE),
    (known("cfn_lint"), "it broke", [], 1, Word.DID_NOT_RUN),
    (tool("cfn_guard", 0, 19), "a rule of wrong syntax", [_GUARD], 5, Word.DID_NOT_RUN),
    (tool("semgrep"), "wrong rules", {"results": [], "errors": [], "paths": {"scanned": []}}, 7, Word.DID_NOT_RUN),
    (tool("hadolint"), "a file that is not there", "", 1, Word.UNREADABLE),
]


@pytest.mark.parametrize(
    ("scanner", "report", "code", "word"),
    [pytest.param(one, *rest, id=f"{one.name}: {what}") for one, what, *rest in _SILENT],
)
def test_what_was_not_scanned_does_not_pass(
    tmp_path: Path, scanner: CommandScanner, report: Any, code: int, word: Word
) -> None:
    text = report if report is None or isinstance(report, str) else document(report)
    found, reason = outcome(scanner, tmp_path, text, code)
    assert found is Outcome.ERROR
    assert reason.startswith(f"{scanner.name}: {word.value}"), reason


_SEMGREP = {"check_id": "x.exec", "path": "a.py", "start": {"line": 1}, "extra": {"severity": "ERROR", "message": "m"}}
_SECRET = {"type": "AWS Access Key", "filename": "a.py", "hashed_secret": "c" * 40, "line_number": 1}
_FOUND = [
    (
        tool("semgrep"),
        "without --error",
        {"version": "1.185.0", "results": [_SEMGREP], "errors": [], "paths": {"scanned": ["a.py"]}},
    ),
    (
        tool("detect_secrets"),
        "its `scan`",
        {
            "version": "1.5.0",
            "plugins_used": [{"name": "x"}],
            "generated_at": "2026",
            "results": {"a.py": [_SECRET]},
        },
    ),
]


@pytest.mark.parametrize(
    ("scanner", "report"), [pytest.param(one, report, id=f"{one.name}: {what}") for one, what, report in _FOUND]
)
def test_what_was_found_fails_where_the_tool_says_success(tmp_path: Path, scanner: CommandScanner, report: Any) -> None:
    found, reason = outcome(scanner, tmp_path, document(report), 0)
    assert (found, reason.endswith("at a.py:1")) == (Outcome.FAIL, True)


def test_a_target_that_is_not_there_is_not_scanned(tmp_path: Path) -> None:
    """detect-secrets and bandit end with success, and a report of nothing."""
    (tmp_path / "work").mkdir()
    stand_in = StandIn(root=tmp_path / "stand-in", report=document(_BANDIT))
    for scanner in (tool("detect_secrets"), BANDIT, PIP_AUDIT, CHECKOV):
        with pytest.raises(Trouble):
            scanner.scan(tmp_path / "nowhere", work=tmp_path / "work", options={}, environments=stand_in)


@pytest.mark.parametrize("version", ["", "unknown", "1.2.3\nand more"])
def test_a_tool_that_does_not_know_its_version_is_not_believed(tmp_path: Path, version: str) -> None:
    found, reason = outcome(BANDIT, tmp_path, document(_BANDIT), version=version)
    assert (found, Word.NO_VERSION.value in reason) == (
        (Outcome.PASS, False) if version.startswith("1") else (Outcome.ERROR, True)
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '{"results": []}',
        document(_BANDIT)[:-9],
        document(_checkov()),
        document({**_BANDIT, "results": [7]}),
        document({**_BANDIT, "results": {}}),
    ],
)
def test_a_report_that_is_none_is_an_error(tmp_path: Path, text: str) -> None:
    assert outcome(BANDIT, tmp_path, text)[0] is Outcome.ERROR


def test_a_tool_that_sees_nothing_of_what_is_planted_is_blind(tmp_path: Path) -> None:
    """checkov's secrets framework finds none in Python, and says so with success; any tool may be so."""
    (tmp_path / "a.py").write_text("print()\n")
    blind = StandIn(root=tmp_path / "stand-in", report=document(_BANDIT))
    gate = Gate(name="code", scanner="bandit")
    ran = run_gate(gate, tmp_path, exceptions=(), today=TODAY, environments=blind)
    assert (ran.decision.outcome, ran.decision.reason) == (
        Outcome.ERROR,
        "bandit: does not see what was planted: it found nothing in a file that was written to be found",
    )


def test_whatever_goes_wrong_is_an_error_of_the_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reason(name: str = "bandit", **facts: Any) -> str:
        stand_in = StandIn(root=tmp_path / "stand-in", report=None, **facts)
        gate = Gate(name="code", scanner=name)
        ran = run_gate(gate, tmp_path, exceptions=(), today=TODAY, environments=stand_in)
        assert ran.decision.outcome is Outcome.ERROR
        return ran.decision.reason

    assert "did not run: there is no scanner of this name: bandit, " in reason("nothing")
    assert "did not run: it ended with 3: it said nothing" in reason(code=3)

    class Broken:
        def plant(self, _folder: Path) -> None:
            raise KeyError("bandit")

    monkeypatch.setitem(scanners(), "bandit", Broken())
    assert "did not run: KeyError('bandit')" in reason()
    (tmp_path / "file").write_text("")
    monkeypatch.undo()
    blocked = StandIn(root=tmp_path / "file", report=None)
    ran = run_gate(Gate(name="code", scanner="bandit"), tmp_path, exceptions=(), today=TODAY, environments=blocked)
    assert ran.decision.outcome is Outcome.ERROR


def test_a_command_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.gates.scanners.scanner._SECONDS", 0.2)
    scanner = replace(tool("slow"), version=("-c", "read line < /dev/zero"))
    stand_in = StandIn(root=tmp_path / "stand-in", report=None)
    place = stand_in.of("slow")
    (place / "bin" / "slow").unlink()
    (place / "bin" / "slow").symlink_to("/bin/sh")
    monkeypatch.setattr(StandIn, "of", lambda _self, _name: place)
    with pytest.raises(Trouble, match=r"it did not end within 0\.2 s"):
        scanner.scan(tmp_path, work=tmp_path, options={}, environments=stand_in)


def test_a_tool_is_asked_for_its_version_once_an_environment(tmp_path: Path) -> None:
    told = []
    for version in ("1.2.3", "unknown"):
        stand_in = StandIn(root=tmp_path, report=document(_BANDIT), version=version)
        scanned = tool("bandit").scan(tmp_path, work=tmp_path, options={}, environments=stand_in)
        told.append(scanned.tool_version)
    assert told == ["1.2.3", "1.2.3"]


def test_a_scanner_gets_none_of_our_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "SNYK_TOKEN", "HTTPS_PROXY", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "hidden")
    given = StandIn(root=tmp_path, report=None).variables(tmp_path / "bandit-1")
    assert "hidden" not in given.values()
    assert given["PATH"].startswith(f"{tmp_path}/bandit-1/bin:")
    assert given["HOME"] == str(tmp_path / "cache")


def test_of_much_that_a_command_says_its_end_is_told() -> None:
    """Escaped line feeds made it longer, and what went wrong, which stands last, was cut."""
    said = said_by(CompletedProcess([], 1, "", "a line of many\n" * 50 + "no such host: example.com\n"))
    assert said.endswith("\\nno such host: example.com")
    assert len(said) == 300
