"""The fixed entry: what its file says is run, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from buildspecs.entry import run_job
from stacks import buildspecs


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source of its own with one job; the answer is its buildspec."""
    monkeypatch.setattr(buildspecs, "_BUILDSPECS", tmp_path)
    buildspecs.source_commands.cache_clear()
    file = tmp_path / "room" / "job" / "buildspec.yaml"
    file.parent.mkdir(parents=True)
    return file


def write(job: Path, *, install: list[str] | None = None, build: list[str]) -> None:
    phases = {"build": {"commands": build}} | ({"install": {"commands": install}} if install else {})
    job.write_text(yaml.safe_dump({"version": "0.2", "phases": phases}), encoding="utf-8")


def test_the_commands_are_run_in_their_order_until_one_fails(job: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(job, install=["echo first"], build=["python -c 'raise SystemExit(3)'", "echo never"])
    assert run_job("buildspecs.room.job") == 3
    said = capfd.readouterr().out
    assert "\nfirst\n" in said
    assert "SystemExit(3)'` ended with 3" in said
    assert "never" not in said


def test_the_shell_of_nobody_reads_them(job: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(job, build=["echo $HOME"])
    assert run_job("buildspecs.room.job") == 0
    assert "\n$HOME\n" in capfd.readouterr().out


def test_python_is_the_one_that_runs_the_entry(job: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(job, build=["python -c 'import sys; print(sys.executable)'"])
    assert run_job("buildspecs.room.job") == 0
    assert f"\n{sys.executable}\n" in capfd.readouterr().out


def test_a_program_that_is_not_there_fails_like_in_a_shell(job: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(job, build=["no-such-program --at-all"])
    assert run_job("buildspecs.room.job") == 127
    assert "`no-such-program --at-all` ended with 127" in capfd.readouterr().out


def test_an_entry_that_its_own_file_names_does_not_run_itself(
    job: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a source whose file was written for a factory of before there were entries."""
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it runs something"))
    write(job, build=["python -m buildspecs.room.job"])
    assert run_job("buildspecs.room.job") == 1
    assert "buildspecs/room/job/buildspec.yaml names its own entry" in capsys.readouterr().out
