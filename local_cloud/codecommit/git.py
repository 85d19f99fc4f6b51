"""A bare repository, by the git command: objects, references, trees and commits."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_SECONDS = 120
_COMMIT = re.compile(r"[0-9a-f]{40}")
NOTHING = "0" * 40
EXECUTABLE, NORMAL, SYMLINK, FOLDER, SUBMODULE = "100755", "100644", "120000", "040000", "160000"


class GitError(Exception):
    """git refused; the text is what it said."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a tree holds under a name."""

    mode: str
    id: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Git:
    """The repository in a folder; ``lock`` is held by who changes references."""

    folder: Path
    lock: threading.RLock = field(default_factory=threading.RLock, compare=False)

    def create(self) -> None:
        """Make the folder an empty repository."""
        self.folder.mkdir(parents=True)
        self.run("init", "--quiet", "--bare", "--initial-branch", "main", ".")

    def run(self, *words: str, given: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """What a git command prints; raises GitError with what it says against it."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env={**environment(), "GIT_DIR": str(self.folder), **(env or {})},
            input=given,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise GitError(done.stderr.decode(errors="replace").strip())
        return done.stdout

    def text(self, *words: str, given: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """The same as text, without the last line's end."""
        return self.run(*words, given=given, env=env).decode(errors="replace").rstrip("\n")

    def references(self) -> dict[str, str]:
        """Branches and tags by full name, with the commits that they lead to."""
        listed = self.text(
            "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", "refs/heads", "refs/tags"
        )
        found = (line.split() for line in listed.splitlines())
        return {name: ids[-1] for name, *ids in found}

    def branch(self, name: str) -> str | None:
        """The commit of a branch."""
        return self.references().get(f"refs/heads/{name}")

    def set_reference(self, name: str, new: str, *, old: str) -> None:
        """Move a reference from one commit to another; NOTHING creates or deletes it."""
        self.run("update-ref", name, new, old)

    def is_type(self, identifier: str, kind: str) -> bool:
        """Whether a full id is that of such an object."""
        try:
            return bool(_COMMIT.fullmatch(identifier)) and self.text("cat-file", "-t", identifier) == kind
        except GitError:
            return False

    def tree(self, commit: str, path: str = "") -> str | None:
        """The id of the tree of a commit's folder."""
        try:
            found = self.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}:{path}")
        except GitError:
            return None
        return found if self.is_type(found, "tree") else None

    def entries(self, tree: str, *, recursive: bool = False) -> list[Entry]:
        """What a tree holds; recursively, all its files."""
        listed = self.run("ls-tree", "-z", *(("-r",) if recursive else ()), tree).decode(errors="surrogateescape")
        split = (item.partition("\t") for item in listed.split("\0") if item)
        return [Entry(mode=head.split()[0], id=head.split()[2], path=path) for head, _, path in split]

    def blob(self, identifier: str) -> bytes:
        """A file's content."""
        return self.run("cat-file", "blob", identifier)

    def write_blob(self, content: bytes) -> str:
        """Store a file's content; its id."""
        return self.text("hash-object", "-w", "--stdin", given=content)

    def write_tree(self, entries: Iterable[Entry]) -> str:
        """Store the tree of these files; its id."""
        lines = "".join(f"{entry.mode} {entry.id}\t{entry.path}\0" for entry in entries)
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            self.run("update-index", "-z", "--index-info", given=lines.encode(errors="surrogateescape"), env=index)
            return self.text("write-tree", env=index)

    def commit_tree(self, tree: str, *, parent: str | None, message: str, name: str, email: str) -> str:
        """Store a commit; its id."""
        who = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", name), ("EMAIL", email))
        }
        parents = ("-p", parent) if parent else ()
        return self.text("commit-tree", tree, *parents, given=message.encode(), env=who)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether one commit leads to the other by fast-forward."""
        try:
            self.run("merge-base", "--is-ancestor", old, new)
        except GitError:
            return False
        return True

    def archive(self, commit: str) -> bytes:
        """The files of a commit as a zip."""
        return self.run("archive", "--format=zip", commit)


def environment() -> dict[str, str]:
    """Variables for git: nothing of this machine's configuration counts."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LC_ALL": "C.UTF-8",
    }
