"""What pip-audit is given: the command is a stand-in that knows of one vulnerable version, and looks nothing up."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from lambdas.common.evidence.verdict import Outcome
from lambdas.gates.model.gate import Decision, Gate
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.running import run_gate

# As the tool does, it passes over what a file names and over markers of another Python, and refuses two versions.
_COMMAND = f"""#!{sys.executable}
import json, sys

if sys.argv[1] == "--version":
    sys.exit(print("pip-audit 2.10.1"))
lines = open(sys.argv[-1]).read().split()
pins = [line.split("==") for line in lines if "==" in line]
assert len(dict(pins)) == len(pins)
known = {{("pyyaml", "5.3.1"): [{{"id": "PYSEC-1", "fix_versions": ["5.4"]}}]}}
found = [dict(name=name, version=version, vulns=known.get((name, version), [])) for name, version in pins]
open(sys.argv[sys.argv.index("--output") + 1], "w").write(json.dumps(dict(dependencies=found, fixes=[])))
"""


@dataclass(frozen=True)
class _StandIn(Environments):
    def of(self, name: str) -> Path:
        command = self.root / name / "bin" / "pip-audit"
        command.parent.mkdir(parents=True, exist_ok=True)
        command.write_text(_COMMAND, encoding="utf-8")
        command.chmod(0o755)
        return self.root / name


def _decision(folder: Path, files: Mapping[str, str], **options: object) -> Decision:
    for name, text in files.items():
        (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tree" / name).write_text(text, encoding="utf-8")
    gate = Gate(name="packages", scanner="pip_audit", options=options)
    environments = _StandIn(root=folder / "scanners")
    return run_gate(gate, folder / "tree", exceptions=(), today=date(2026, 6, 1), environments=environments).decision


@pytest.mark.parametrize(
    "text",
    [
        'six==1.16.0\npyyaml==5.3.1 ; python_version < "3"\n',
        'pyyaml==5.4 ; python_version >= "3"\npyyaml==5.3.1 ; python_version < "3"\n',
    ],
)
def test_a_marker_hides_no_pin(tmp_path: Path, text: str) -> None:
    decision = _decision(tmp_path, {"requirements.txt": text})
    assert decision.outcome is Outcome.FAIL, decision.reason
    assert [(one.package.name, one.package.installed) for one in decision.blocking if one.package] == [
        ("pyyaml", "5.3.1")
    ]


@pytest.mark.parametrize("line", ["-r deps/other.list", "-e .", "six @ https://example.com/six.tar.gz", "six"])
def test_what_is_elsewhere_is_an_error(tmp_path: Path, line: str) -> None:
    files = {"requirements.txt": f"six==1.16.0\n{line}\n", "deps/other.list": "pyyaml==5.3.1\n"}
    decision = _decision(tmp_path, files)
    assert (decision.outcome, "scanned only a part: requirements.txt: " in decision.reason) == (Outcome.ERROR, True)


def test_what_is_looked_at_too_may_be_named(tmp_path: Path) -> None:
    files = {"requirements.txt": "six==1.16.0\n", "requirements-dev.txt": "-r requirements.txt\nidna==3.7\n"}
    assert _decision(tmp_path, files).outcome is Outcome.PASS
    assert "scanned nothing" in _decision(tmp_path / "empty", {"requirements.txt": "# none\n"}).reason
