"""Environments of scanners: made once from a lock with hashes, again when it is another, and never by halves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from lambdas.gates.model.options import OPTIONS
from lambdas.gates.scanners import environments as subject
from lambdas.gates.scanners.environments import EnvironmentError_, Environments

_LOCKS = Path(subject.__file__).parent


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """What is run to make an environment; a command that has `broken` in a lock fails."""
    ran: list[list[str]] = []

    def done(command: list[str], _environment: Mapping[str, str]) -> None:
        ran.append(command)
        if "-r" in command and "broken" in Path(command[-1]).read_text():
            raise EnvironmentError_("its environment cannot be made: no such package")
        if "venv" in command:
            Path(command[-1], "bin").mkdir(parents=True)

    monkeypatch.setattr(subject, "_LOCKS", tmp_path)
    monkeypatch.setattr(subject, "_done", done)
    (tmp_path / "tool.txt").write_text("tool==1 --hash=sha256:00\n")
    return ran


def test_one_is_made_once_with_hashes_and_without_building_anything(commands: list[list[str]], tmp_path: Path) -> None:
    environments = Environments(root=tmp_path / "root")
    place = environments.of("tool")
    assert environments.of("tool") == place
    assert len(commands) == 2
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= set(commands[1])


def test_what_builds_a_package_is_pinned_too_and_there_before(commands: list[list[str]], tmp_path: Path) -> None:
    (tmp_path / "tool-build.txt").write_text("builder==1 --hash=sha256:00\n")
    place = Environments(root=tmp_path / "root", locks=tmp_path).of("tool")
    assert [Path(command[-1]).name for command in commands[1:]] == ["tool-build.txt", "tool.txt"]
    assert all({"--require-hashes", "--no-build-isolation"} <= set(command) for command in commands[1:])
    (tmp_path / "tool-build.txt").write_text("builder==2 --hash=sha256:00\n")
    assert Environments(root=tmp_path / "root", locks=tmp_path).of("tool") != place


def test_nothing_runs_of_the_folder_in_which_a_gate_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a folder with files that are called as what makes environments, as somebody's clone may have them."""
    (tmp_path / "tool.txt").write_text("# nothing\n")
    (clone := tmp_path / "clone").mkdir()
    for name in ("venv.py", "pip.py"):
        (clone / name).write_text("raise SystemExit('somebody else ran')\n")
    monkeypatch.chdir(clone)
    assert (Environments(root=tmp_path / "root", locks=tmp_path).of("tool") / ".ready").exists()


def test_another_lock_is_another_environment(commands: list[list[str]], tmp_path: Path) -> None:
    environments = Environments(root=tmp_path / "root")
    before = environments.of("tool")
    (tmp_path / "tool.txt").write_text("tool==2 --hash=sha256:00\n")
    assert environments.of("tool") != before
    assert len(commands) == 4


def test_one_that_was_not_finished_is_made_anew(commands: list[list[str]], tmp_path: Path) -> None:
    environments = Environments(root=tmp_path / "root")
    (tmp_path / "tool.txt").write_text("broken\n")
    for tries in (1, 2):
        with pytest.raises(EnvironmentError_, match="no such package"):
            environments.of("tool")
        assert len(commands) == 2 * tries
    (half,) = (tmp_path / "root").glob("tool-*")
    assert not (half / ".ready").exists()


def test_why_one_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentError_, match=r"its environment cannot be made: .*nowhere"):
        subject._done([str(tmp_path / "nowhere")], {})
    with pytest.raises(EnvironmentError_, match="its environment cannot be made: not found"):
        subject._done(["/bin/sh", "-c", "echo not found >&2; exit 1"], {})


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "cdk_validation"])
def test_every_scanner_that_is_a_command_has_a_lock_with_hashes(name: str) -> None:
    text = (_LOCKS / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    pins = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert pins
    assert [
        one
        for one in pins
        if not re.match(r"[A-Za-z0-9._-]+(\[[a-z,-]+\])?==\S+ .*--hash=sha256:|linux-\w+ [0-9a-f]{64} https://", one)
    ] == []
