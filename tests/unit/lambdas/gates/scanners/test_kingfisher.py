"""Whose rules kingfisher is given: the command is a stand-in that finds the rules themselves, and scans nothing."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from lambdas.gates.model.gate import Gate
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.running import run_gate

_COMMAND = f"""#!{sys.executable}
import json, pathlib, sys

if sys.argv[1] == "--version":
    sys.exit(print("kingfisher 2.14.0"))
rules = [after for word, after in zip(sys.argv, sys.argv[1:]) if word == "--rules-path"]
found = [dict(rule=dict(id=pathlib.Path(rules[-1], "x.yml").read_text(), name="x"), finding=dict(path="a", line=1))]
summary = dict(findings=1, blobs_scanned=1)
report = dict(findings=found, metadata=dict(kingfisher_version="2.14.0", summary=summary))
open(sys.argv[sys.argv.index("--output") + 1], "w").write(json.dumps(report))
"""


@dataclass(frozen=True)
class _StandIn(Environments):
    def of(self, name: str) -> Path:
        command = self.root / name / "bin" / name
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text(_COMMAND, encoding="utf-8")
        command.chmod(0o755)
        return self.root / name


def test_what_is_scanned_brings_no_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a repository with a folder of the same name, then the rules are those of who configures the gate."""
    for whose in ("ours", "theirs"):
        (tmp_path / whose / "rules").mkdir(parents=True)
        (tmp_path / whose / "rules" / "x.yml").write_text(whose)
    monkeypatch.chdir(tmp_path / "ours")
    gate = Gate(name="secrets", scanner="kingfisher", options={"rules": "rules"})
    environments = _StandIn(root=tmp_path / "scanners")
    ran = run_gate(gate, tmp_path / "theirs", exceptions=(), today=date(2026, 6, 1), environments=environments)
    assert [one.rule for one in ran.decision.blocking] == ["ours"], ran.decision.reason
