"""The commit that is scanned: the one that was pushed, with its history, and with nothing of other branches."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from buildspecs.gates.checkout import CheckoutError, checkout

_IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *_IDENTITY, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", name)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a repository whose commit of main is checked out: a file of its first one is gone."""
    made = tmp_path / "clone"
    made.mkdir()
    git(made, "init", "--quiet", "--initial-branch", "main")
    commit(made, "old.py", "old")
    git(made, "checkout", "--quiet", "-b", "other")
    commit(made, "other.py", "other")
    git(made, "checkout", "--quiet", "main")
    git(made, "rm", "--quiet", "old.py")
    commit(made, "new.py", "new")
    git(made, "checkout", "--quiet", "--detach")
    return made


@pytest.fixture
def target(tmp_path: Path) -> Path:
    made = tmp_path / "target"
    made.mkdir()
    return made


def test_it_is_the_commit_with_its_history_and_no_other_branch(clone: Path, target: Path) -> None:
    head = git(clone, "rev-parse", "HEAD")
    digest = checkout(clone, head, target)
    assert sorted(path.name for path in target.iterdir()) == [".git", "new.py"]
    assert git(target, "log", "--all", "--format=%s").splitlines() == ["new.py", "old.py"]
    assert git(target, "cat-file", "--batch-all-objects", "--batch-check").count(" blob ") == 2
    raw = subprocess.run(["git", "cat-file", "commit", head], cwd=clone, capture_output=True, check=True).stdout
    assert digest == hashlib.sha256(raw).hexdigest()


def test_another_commit_than_the_one_that_was_pushed_is_refused(clone: Path, target: Path) -> None:
    with pytest.raises(CheckoutError, match=f"commit {'0' * 40} was pushed"):
        checkout(clone, "0" * 40, target)


def test_a_clone_without_history_is_refused(clone: Path, target: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth", "1", clone.as_uri(), "shallow")
    with pytest.raises(CheckoutError, match="has no history"):
        checkout(tmp_path / "shallow", git(clone, "rev-parse", "HEAD"), target)


def test_a_link_leads_nowhere(clone: Path, target: Path) -> None:
    (clone / "link").symlink_to("/etc/passwd")
    head = commit(clone, "with-link", "")
    checkout(clone, head, target)
    assert not (target / "link").is_symlink()
    assert (target / "link").read_text(encoding="utf-8") == "/etc/passwd"


def test_no_hook_of_the_clone_runs(clone: Path, target: Path, tmp_path: Path) -> None:
    for name in ("post-checkout", "reference-transaction"):
        hook = clone / ".git" / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
        hook.chmod(0o755)
    checkout(clone, git(clone, "rev-parse", "HEAD"), target)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "attribute", ["working-tree-encoding=UTF-7", "working-tree-encoding=UTF-16", "filter=ours", "ident", "eol=crlf"]
)
def test_what_is_scanned_is_what_was_committed(
    clone: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attribute: str
) -> None:
    """Given attributes by which git writes something else, and a filter that the machine has, then neither counts."""
    text = 'print("a+b")\n# $Id$\n'
    (tmp_path / "config").write_text(f'[filter "ours"]\n\tsmudge = touch {tmp_path}/ran\n', encoding="utf-8")
    commit(clone, "pay.py", text)
    (clone / ".gitattributes").write_text(f"[attr]odd {attribute}\n*.py odd {attribute}\n", encoding="utf-8")
    git(clone, "add", ".gitattributes")
    git(clone, "commit", "--quiet", "--message", "attributes")
    head = git(clone, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    checkout(clone, head, target)
    assert (target / "pay.py").read_bytes() == text.encode()
    assert not (tmp_path / "ran").exists()


def test_what_is_no_repository_is_told(tmp_path: Path, target: Path) -> None:
    with pytest.raises(CheckoutError, match="git rev-parse: "):
        checkout(tmp_path, "0" * 40, target)
