"""`upstream`: what a merge brings outside the users' zone, and what both sides have changed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.common.exits import Exit
from cli.saas.commands import upstream
from cli.saas.zone import in_zone

_WHO = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", *_WHO, *words], cwd=root, check=True, capture_output=True)


def commit(root: Path, branch: str, files: dict[str, str]) -> None:
    """Commit files on a branch, which is made where HEAD is when there is none."""
    git(root, "checkout", "-q", "-B" if branch == "main" else "-b", branch)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    git(root, "add", "--all")
    git(root, "commit", "-qm", "x")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone in which the component was replaced, while upstream went on in both parts."""
    root = tmp_path / "clone"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    commit(root, "main", {"component/__init__.py": "demo\n", "stacks/a b.py": "1\n", "config/toolchain.yaml": "a\n"})
    theirs = {"component/__init__.py": "demo 2\n", "stacks/a b.py": "1\n2\n", "cli/new.py": "x\n", "a.bin": "\0"}
    commit(root, "theirs", theirs)
    git(root, "checkout", "-q", "main")
    commit(
        root, "main", {"component/__init__.py": "ours\n", "component/shop.py": "x\n", "config/toolchain.yaml": "b\n"}
    )
    monkeypatch.setattr(upstream, "_ROOT", root)
    return root


def ask(*words: str) -> Any:
    return CliRunner().invoke(app, ["upstream", *words])


def test_what_changes_outside_the_zone_is_listed_and_what_both_have_changed(clone: Path) -> None:
    answer = ask("--from", "theirs", "--json")
    assert answer.exit_code == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert told["outside"] == [
        {"path": "a.bin", "added": 0, "removed": 0},
        {"path": "cli/new.py", "added": 1, "removed": 0},
        {"path": "stacks/a b.py", "added": 1, "removed": 0},
    ]
    assert told["both"] == ["component/__init__.py"]


def test_it_is_told_in_lines_too(clone: Path) -> None:
    git(clone, "rm", "-q", "stacks/a b.py")
    git(clone, "commit", "-qm", "we needed it no more")
    assert ask("--from", "theirs").stdout.splitlines() == [
        "3 files outside component/ and your configuration, +2 -0",
        "  a.bin  +0 -0",
        "  cli/new.py  +1 -0",
        "  stacks/a b.py  +1 -0",
        "2 files that you have changed, too",
        "  component/__init__.py",
        "  stacks/a b.py  (outside your zone)",
    ]


@pytest.mark.parametrize("revision", ["upstream/main", "--output=x", "-h", ""])
def test_a_revision_that_there_is_not_is_told(clone: Path, revision: str) -> None:
    answer = ask(f"--from={revision}")
    assert answer.exit_code == Exit.NOT_FOUND
    assert "git knows no revision" in answer.stderr
    assert not (clone / "x").exists()


def test_a_copy_of_the_files_cannot_be_merged(clone: Path) -> None:
    git(clone, "checkout", "-q", "--orphan", "strange")
    git(clone, "commit", "-qm", "x")
    answer = ask("--from", "theirs")
    assert answer.exit_code == Exit.USAGE
    assert "no commit in common" in answer.stderr


def test_without_a_repository_it_says_where_to_run_it(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (clone / ".git").rename(clone / "no.git")
    answer = ask("--from", "theirs")
    assert answer.exit_code == Exit.USAGE
    assert "run this in a clone of the repository" in answer.stderr


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("component/demo.py", True),
        ("component/lambdas/read/handler.py", True),
        ("tests/component/test_demo.py", True),
        ("config/workloads.yaml", True),
        ("config/accounts.txt", True),
        ("config/policies/workload-execution.json", True),
        ("config/policies/people/operator.json", True),
        ("config/policies/delivery-execution.json", False),
        ("cdk.context.json", True),
        ("config/examples/all/workloads.yaml", False),
        ("config/models/saas.py", False),
        ("config/schema/toolchain.schema.json", False),
        ("cdk.json", False),
        ("stacks/saas/component.py", False),
    ],
)
def test_the_zone_is_what_the_guide_says(path: str, *, ours: bool) -> None:
    assert in_zone(path) is ours
