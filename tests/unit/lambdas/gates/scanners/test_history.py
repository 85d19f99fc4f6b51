"""A gate that reads a history proves in each run that it does: what is planted was committed, and removed again."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lambdas.common.evidence.finding import Finding, Severity
from lambdas.common.evidence.verdict import Outcome
from lambdas.gates.model.gate import Gate, Ran, Scanned
from lambdas.gates.scanners import scanners
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.running import run_gate

_FOUND = Scanned(findings=[Finding(tool="one", rule="r", title="t", severity=Severity.HIGH)], tool_version="1")


@dataclass(frozen=True)
class _Finds:
    """A scanner that finds what is named `planted`: in the tree, and in the history if it can."""

    reads_history: bool
    sees_history: bool

    def plant(self, folder: Path) -> None:
        (folder / "planted").write_text("bad")

    def scan(self, target: Path, **_: Any) -> Scanned:
        if (target / "planted").exists() or (self.sees_history and self._has_been(target)):
            return _FOUND
        return Scanned(tool_version="1")

    def _has_been(self, target: Path) -> bool:
        words = ["git", "log", "--all", "--name-only", "--format="]
        done = subprocess.run(words, cwd=target, capture_output=True, text=True, check=False)
        return done.returncode == 0 and "planted" in done.stdout


def _run(scanner: _Finds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **options: bool) -> Ran:
    monkeypatch.setitem(scanners(), "bandit", scanner)
    (target := tmp_path / "target").mkdir()
    gate = Gate(name="one", scanner="bandit", options=options)
    environments = Environments(root=tmp_path / "scanners")
    return run_gate(gate, target, exceptions=(), today=date(2026, 6, 1), environments=environments)


@pytest.mark.parametrize(
    ("reads", "sees", "history", "outcome"),
    [
        (True, True, True, Outcome.PASS),
        (True, False, True, Outcome.ERROR),  # blind to what the gate is to look at
        (True, False, False, Outcome.PASS),  # which is not asked for
        (False, False, True, Outcome.PASS),  # which is no matter of this scanner
    ],
)
def test_who_does_not_see_the_history_is_blind(  # noqa: PLR0917 - a table
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: bool, sees: bool, history: bool, outcome: Outcome
) -> None:
    ran = _run(_Finds(reads_history=reads, sees_history=sees), tmp_path, monkeypatch, history=history)
    assert ran.decision.outcome is outcome, ran.decision.reason


def test_without_git_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = _run(_Finds(reads_history=True, sees_history=True), tmp_path, monkeypatch, history=True)
    assert ran.decision.outcome is Outcome.ERROR
    assert "did not run" in ran.decision.reason
