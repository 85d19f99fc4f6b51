"""Asking Snyk, whose service is not here: the command is a stand-in with recorded advisories. Nothing is scanned."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambdas.common.evidence.verdict import Outcome
from lambdas.gates.model.gate import Gate, Ran
from lambdas.gates.scanners import environments as environments_module
from lambdas.gates.scanners.environments import EnvironmentError_, Environments
from lambdas.gates.scanners.running import run_gate

_TOKEN = "5f0c1c5e-0000-4000-8000-000000000000"
_VULNERABLE = {"pyyaml": "5.3.1", "pillow": "7.1.2", "pylint": "2.5.3", "urllib3": "1.25.8"}
_FIXED = {"pyyaml": "5.4", "pillow": "8.2.0", "pylint": "2.6.1", "urllib3": "1.25.9"}
_COMMAND = Path(__file__).parent / "snyk_stand_in.py"


@dataclass(frozen=True, kw_only=True)
class StandIn(Environments):
    """An environment whose `snyk` is the stand-in; making it needs no token, and there is none then."""

    mode: str = ""

    def of(self, name: str) -> Path:
        place = self.root / name
        (place / "bin").mkdir(parents=True, exist_ok=True)
        # Recorded: what the post's pins have, and where each is repaired.
        advisories = {name: (version, _FIXED[name]) for name, version in _VULNERABLE.items()}
        (self.cache / "advisories.json").write_text(json.dumps(advisories), encoding="utf-8")
        (self.cache / "mode").write_text(self.mode, encoding="utf-8")
        command = place / "bin" / "snyk"
        command.write_text(f"#!{sys.executable}\n{_COMMAND.read_text(encoding='utf-8')}", encoding="utf-8")
        command.chmod(0o755)
        return place

    def asked(self) -> list[dict[str, Any]]:
        """What the command was told, each time that it was to ask Snyk."""
        return [json.loads(line) for line in (self.cache / "asked.jsonl").read_text().splitlines()]


@pytest.fixture
def secret(aws: None) -> str:
    """The name of the secret with the token."""
    boto3.client("secretsmanager").create_secret(Name="snyk/token", SecretString=f"{_TOKEN}\n")
    return "snyk/token"


def asked(tmp_path: Path, text: str, *, mode: str = "", **options: Any) -> tuple[Ran, StandIn]:
    """A gate that has run on a file."""
    target = tmp_path / "target"
    target.mkdir(exist_ok=True)
    (target / "requirements.txt").write_text(text)
    (target / ".snyk").write_text("ignore: {'*': {}}\n")
    stand_in = StandIn(root=tmp_path / "scanners", mode=mode)
    gate = Gate(name="packages", scanner="snyk", options={"secret": "snyk/token", **options})
    return run_gate(gate, target, exceptions=(), today=date(2026, 6, 1), environments=stand_in), stand_in


def _text(pinned: dict[str, str]) -> str:
    return "".join(f"{name}=={version}\n" for name, version in pinned.items())


def test_the_vulnerable_pins_fail_and_say_what_repairs_them(tmp_path: Path, secret: str) -> None:
    ran, _ = asked(tmp_path, _text(_VULNERABLE))
    assert ran.decision.outcome is Outcome.FAIL, ran.decision.reason
    assert {one.package.name: one.package.fixed for one in ran.decision.blocking if one.package} == _FIXED
    assert {one.place.path for one in ran.decision.blocking} == {"requirements.txt"}
    assert ran.scanned.tool_version == "1.1307.4"


def test_the_fixed_pins_pass(tmp_path: Path, secret: str) -> None:
    """Whatever else a file of requirements has beside its pins."""
    text = (
        _text(_FIXED).replace("8.2.0\n", "8.2.0 \\\n    --hash=sha256:00 # pinned\n").replace("pyyaml==", "PyYAML == ")
    )
    ran, _ = asked(
        tmp_path, f"--index-url https://packages.example.com\n# ours\n{text}six[x]==1.16.0 ; python_version > '3'\n"
    )
    assert (ran.decision.outcome, ran.decision.reason) == (Outcome.PASS, "")


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("silent", "report unreadable"),
        ("down", "did not run: 2"),
        ("nothing", "scanned nothing"),
        ("blind", "scanned nothing"),
        ("partly", "scanned only a part: requirements.txt: 3 of 4 packages"),
    ],
)
def test_what_snyk_does_not_answer_is_an_error(tmp_path: Path, secret: str, mode: str, told: str) -> None:
    ran, _ = asked(tmp_path, _text(_FIXED), mode=mode)
    assert ran.decision.outcome is Outcome.ERROR
    assert told in ran.decision.reason
    assert _TOKEN not in ran.decision.reason


@pytest.mark.parametrize(
    "line", ["requests", "requests>=2", "-r other.txt", "-e .", "git+https://example.com/a.git", "six==1.*"]
)
def test_what_is_not_pinned_is_an_error(tmp_path: Path, secret: str, line: str) -> None:
    ran, _ = asked(tmp_path, f"{_text(_FIXED)}{line}\n")
    assert ran.decision.outcome is Outcome.ERROR
    assert "names no one version" in ran.decision.reason


def test_a_package_with_two_versions_is_an_error(tmp_path: Path, secret: str) -> None:
    ran, _ = asked(tmp_path, "Py_YAML==5.4 ; python_version < '3'\npy-yaml==5.3.1\n")
    assert "py-yaml is pinned to 5.4 and to 5.3.1" in ran.decision.reason


def test_the_token_is_in_the_environment_alone_of_what_asks(
    tmp_path: Path, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "credentials")
    ran, stand_in = asked(tmp_path, _text(_FIXED), org="ours", project="payments")
    for one in stand_in.asked():
        assert one["token"] == _TOKEN
        assert _TOKEN not in " ".join(one["words"])
        assert "--org=ours" in one["words"]
        assert not [name for name in one["names"] if name.startswith("AWS_")]
    assert ["--project-name=payments" in one["words"] for one in stand_in.asked()] == [False, True]
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "asked.jsonl"]
    assert not [path for path in left if _TOKEN in path.read_text(errors="replace")]
    assert _TOKEN not in repr(ran)


def test_each_file_is_looked_at_for_itself(tmp_path: Path, secret: str) -> None:
    """Given two files with two versions of a package, then each is found in its own."""
    (tmp_path / "target" / "old").mkdir(parents=True)
    (tmp_path / "target" / "old" / "requirements.txt").write_text("urllib3==1.25.8\n")
    ran, _ = asked(tmp_path, "urllib3==1.25.9\n", files=["requirements.txt", "old/requirements.txt"])
    assert [one.place.path for one in ran.decision.blocking] == ["old/requirements.txt"], ran.decision.reason


def test_without_a_token_nobody_is_asked(tmp_path: Path, aws: None) -> None:
    ran, stand_in = asked(tmp_path, _text(_FIXED))
    assert ran.decision.outcome is Outcome.ERROR
    assert "its token cannot be read from snyk/token" in ran.decision.reason
    assert not (stand_in.cache / "asked.jsonl").exists()


def test_snyk_watches_by_option_what_is_scanned_and_not_what_is_planted(tmp_path: Path, secret: str) -> None:
    _, stand_in = asked(tmp_path, _text(_FIXED), monitor=True)
    assert [one["words"][0] for one in stand_in.asked()] == ["test", "test", "monitor"]


def test_that_snyk_does_not_watch_is_an_error(tmp_path: Path, secret: str) -> None:
    ran, _ = asked(tmp_path, _text(_FIXED), mode="no monitor", monitor=True)
    assert "`snyk monitor` has failed" in ran.decision.reason


_CONTENT = b"#!/bin/sh\necho 1.2.3\n"
_HERE, _DIGEST = f"{sys.platform}-{platform.machine()}", hashlib.sha256(_CONTENT).hexdigest()


def _environments(folder: Path, monkeypatch: pytest.MonkeyPatch, *, machine: str, digest: str) -> Environments:
    """Environments whose lock names a file."""
    (folder / "there").write_bytes(_CONTENT)
    (folder / "tool.txt").write_text(f"# A scanner\n{machine} {digest} {(folder / 'there').as_uri()}\n")
    monkeypatch.setattr(environments_module, "_LOCKS", folder)
    return Environments(root=folder / "scanners")


def test_a_binary_is_taken_by_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = _environments(tmp_path, monkeypatch, machine=_HERE, digest=_DIGEST).of("tool")
    assert (place / "bin" / "tool").stat().st_mode & 0o111


@pytest.mark.parametrize(
    ("machine", "digest", "told"),
    [(_HERE, "0" * 64, f"has SHA-256 {_DIGEST}"), ("plan9-mips", _DIGEST, f"no binary of it for {_HERE}")],
)
def test_another_binary_is_refused_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, digest: str, told: str
) -> None:
    environments = _environments(tmp_path, monkeypatch, machine=machine, digest=digest)
    for _ in range(2):
        with pytest.raises(EnvironmentError_, match=told):
            environments.of("tool")
