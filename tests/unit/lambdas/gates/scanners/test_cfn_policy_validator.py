"""What a run of cfn-policy-validator comes to, by what a stand-in for it prints and ends with. It scans nothing."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lambdas.common.evidence.finding import Severity
from lambdas.gates.model.gate import Scanned, Word
from lambdas.gates.scanners.cfn_policy_validator import SCANNER
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.scanner import Trouble

_WRONG = {
    "findingType": "ERROR",
    "code": "INVALID_ACTION",
    "message": "The action sqs:ReceiveMessages does not exist.",
    "resourceName": "MyRole",
    "policyName": "root",
    "details": {},
}


def _report(*blocking: dict[str, Any], others: tuple[dict[str, Any], ...] = ()) -> str:
    return json.dumps({"BlockingFindings": blocking, "NonBlockingFindings": others})


@dataclass(frozen=True, kw_only=True)
class Printer(Environments):
    """An environment whose tool prints a text, ends with a code, and keeps its words and its environment."""

    text: str
    code: int

    def of(self, name: str) -> Path:
        command = self.root / name / "bin" / "cfn-policy-validator"
        command.parent.mkdir(parents=True)
        lines = ["#!/bin/sh", '[ "$1" = --version ] && echo cfn-policy-validator 0.0.37 && exit 0']
        lines.append(f'echo "$@" >> {self.root}/words; env >> {self.root}/environment')
        lines += [f"printf %s {shlex.quote(self.text)}", f"exit {self.code}"]
        command.write_text("\n".join(lines), encoding="utf-8")
        command.chmod(0o755)
        return command.parents[1]

    def scanned(self, **options: object) -> Scanned:
        """What it makes of an assembly of one template."""
        target, work = self.root / "target", self.root / "work"
        work.mkdir(parents=True)
        (target / "assembly-x").mkdir(parents=True)
        (target / "assembly-x" / "a.template.json").write_text('{"Resources": {}}')
        properties = {"templateFile": "a.template.json"}
        stack = {"type": "aws:cloudformation:stack", "environment": "aws://222222222222/eu-central-1"}
        manifest = {"artifacts": {"a": stack | {"properties": properties}}}
        (target / "assembly-x" / "manifest.json").write_text(json.dumps(manifest))
        return SCANNER.scan(target, work=work, options=options, environments=self)


def test_what_blocks_is_high_and_the_rest_is_not(tmp_path: Path) -> None:
    warning = _WRONG | {"findingType": "WARNING", "code": "MISSING_VERSION"}
    told = Printer(root=tmp_path, text=_report(warning, others=(_WRONG,)), code=2).scanned()
    assert {one.rule: one.severity for one in told.findings} == {
        "MISSING_VERSION": Severity.HIGH,
        "INVALID_ACTION": Severity.MEDIUM,
    }
    assert {one.place.path for one in told.findings} == {"assembly-x/a.template.json"}
    assert (told.troubles, told.tool_version) == ([], "0.0.37")


def test_whoever_else_is_admitted_is_another_finding(tmp_path: Path) -> None:
    """An exception for one account is none for the next that stands in its place."""

    def fingerprint(account: str) -> str:
        admitted = {"principal": {"AWS": account}, "action": ["sqs:SendMessage"], "isPublic": False}
        found = _WRONG | {"code": "EXTERNAL_PRINCIPAL", "details": admitted}
        printer = Printer(root=tmp_path / account, text=_report(found), code=2)
        (one,) = printer.scanned().findings
        assert account in one.description
        return one.fingerprint

    assert fingerprint("111122223333") != fingerprint("444455556666")


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        (_report(_WRONG), 0, Word.UNREADABLE),
        (_report(), 2, Word.UNREADABLE),
        ("", 2, Word.UNREADABLE),
        ("[]", 0, Word.UNREADABLE),
        (_report(), 1, Word.DID_NOT_RUN),
        (_report(), -9, Word.DID_NOT_RUN),
    ],
)
def test_a_code_and_a_report_that_disagree_are_no_pass(tmp_path: Path, text: str, code: int, word: Word) -> None:
    try:
        words = [one for one, _ in Printer(root=tmp_path, text=text, code=code % 256).scanned().troubles]
    except Trouble as error:
        words = [error.word]
    assert words == [word]


def test_it_is_told_where_the_template_goes_and_who_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "ours")
    monkeypatch.setenv("GITHUB_TOKEN", "hidden")
    Printer(root=tmp_path, text=_report(), code=0).scanned(allow_external_principals="--region=us-east-1")
    words = (tmp_path / "words").read_text().split()
    assert "--region=eu-central-1" in words
    assert "--region=us-east-1" not in words, "a value is no flag"
    assert "--allow-external-principals=--region=us-east-1,222222222222" in words
    environment = (tmp_path / "environment").read_text()
    assert "AWS_SESSION_TOKEN=ours" in environment
    assert "hidden" not in environment


def test_a_template_configuration_that_is_not_there_is_no_pass(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"nowhere\.json, which the option `template_configuration` names"):
        Printer(root=tmp_path, text=_report(), code=0).scanned(template_configuration=str(tmp_path / "nowhere.json"))
