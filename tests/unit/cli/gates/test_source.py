"""What `granary gates run` scans of a checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cli.gates.source import as_committed


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose files are committed, one of them though ignored, changed, removed, new and installed."""
    folder = tmp_path / "checkout"
    (folder / ".venv").mkdir(parents=True)
    for name, text in ((".gitignore", ".venv\n*.log\n"), ("kept.py", "1"), ("gone.py", "1"), ("kept.log", "1")):
        (folder / name).write_text(text)
    for words in (("init",), ("add", "--force", ".gitignore", "kept.py", "gone.py", "kept.log")):
        subprocess.run(("git", *words), cwd=folder, check=True, capture_output=True)
    (folder / "gone.py").unlink()
    (folder / "kept.py").write_text("2")
    (folder / "new ä.py").write_text("1")
    (folder / "link").symlink_to(".venv")
    (folder / ".venv" / "example.py").write_text("AKIA")
    return folder


def test_it_is_what_a_commit_would_have(checkout: Path) -> None:
    """`make setup` made the page's own command fail: packages' examples have keys."""
    with as_committed(checkout) as scanned:
        found = {str(path.relative_to(scanned)) for path in scanned.rglob("*")}
        assert (scanned / "kept.py").read_text() == "2"
        assert (scanned / "link").is_symlink()
    assert found == {".gitignore", "kept.py", "kept.log", "new ä.py", "link"}
    assert not scanned.exists()


def test_what_git_keeps_nothing_of_is_scanned_as_it_is(checkout: Path, tmp_path: Path) -> None:
    for folder in (checkout / ".venv", tmp_path / "nothing"):
        with as_committed(folder) as scanned:
            assert scanned == folder


def test_a_checkout_runs_no_program(checkout: Path) -> None:
    program = checkout / "program"
    program.write_text("#!/bin/sh\ntouch ran\n")
    program.chmod(0o755)
    subprocess.run(("git", "config", "core.fsmonitor", str(program)), cwd=checkout, check=True)
    with as_committed(checkout):
        assert not (checkout / "ran").exists()
