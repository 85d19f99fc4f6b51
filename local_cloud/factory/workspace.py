"""A copy of the project as its user has it: a git repository with its own configuration, to commit in and to push."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from local_cloud.cloud import PROJECT_ROOT
from local_cloud.factory.zone import NOTHING_RUNS, addition

# The one file of tests that the factory's CI/CD runs.
_TESTED = "tests/unit/lambdas/saas/model/test_next_steps.py"
# What a person would write into the configuration to use the local cloud: see this package's README.
OVERLAY: dict[str, dict[str, Any]] = {
    "toolchain": {
        "ci": {
            "test_command": [
                "python",
                "-m",
                "pytest",
                _TESTED,
                "-q",
                "-p",
                "no:cacheprovider",
            ]
        },
        "provisioning": {"max_ids_per_build": 50, "deploy_concurrency": 2, "sweep_minutes": 1},
        "releases": {
            "strategy": "rings",
            "concurrency": 4,
            "pipeline_timeout_minutes": 60,
            "rings": [{"name": "canary"}, {"name": "early"}, {"name": "general"}],
        },
        "lifecycle": {"grace_hours": 0, "archive": "snapshot", "on_row_removed": "keep", "tombstone_days": 90},
    },
    "workloads": {"component": NOTHING_RUNS},
}

_IDENTITY = ("-c", "user.name=Granary", "-c", "user.email=granary@example.com", "-c", "commit.gpgsign=false")


class Workspace:
    """A git repository with Granary's source; `root` is its folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def create(
        cls, root: Path, *, overlay: Mapping[str, Mapping[str, Any]] = OVERLAY, revision: str = "", whole: bool = True
    ) -> Workspace:
        """Make `root`, which is emptied, a repository that holds what `fill` writes.

        It is not `whole` where what no build reads is left out: other tests than that of the overlay, and this package.
        """
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        workspace = cls(root)
        workspace._git("init", "--quiet", "--initial-branch", "main")
        workspace.fill(overlay=overlay, revision=revision, whole=whole)
        workspace.commit("The factory, configured for the local cloud")
        return workspace

    def fill(
        self, *, overlay: Mapping[str, Mapping[str, Any]] = OVERLAY, revision: str = "", whole: bool = True
    ) -> None:
        """Replace all files by the project's (those that git tracks or would), or by those of one of its revisions."""
        for old in self.root.iterdir():
            if old.is_dir() and old.name != ".git":
                shutil.rmtree(old)
            elif old.is_file():
                old.unlink()
        if revision:
            archive = _run(["git", "archive", "--format=tar", revision], cwd=PROJECT_ROOT)
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(self.root, filter="data")
        else:
            self._copy_project(whole=whole)
        for part, values in overlay.items():
            self.configure(part, values)

    def _copy_project(self, *, whole: bool) -> None:
        for name in _project_files():
            if not whole and _is_unread(name):
                continue
            source, target = PROJECT_ROOT / name, self.root / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)

    def configure(self, part: str, values: Mapping[str, Any]) -> None:
        """Change top-level keys of `config/<part>.yaml`, which is made if it is not there."""
        path = self.root / "config" / f"{part}.yaml"
        document = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(yaml.safe_dump({**document, **values}, sort_keys=False), encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace a text in a file.

        Raises:
            ValueError: the text is not there exactly once.
        """
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        if (count := text.count(old)) != 1:
            raise ValueError(f"{name} has {old!r} {count} times, not once: the file has changed, adapt the text")
        path.write_text(text.replace(old, new), encoding="utf-8")

    def add_to_components(self, lines: str) -> None:
        """Have every component's first stack get more: lines of Python with `cdk`, `stack` and `tenant`."""
        with (self.root / "component/__init__.py").open("a", encoding="utf-8") as file:
            file.write(addition(lines))

    def renew_components(self, message: str) -> str:
        """Commit a change of the users' zone that changes no template: a release of it still goes to every tenant."""
        with (self.root / "component/__init__.py").open("a", encoding="utf-8") as file:
            file.write(f"# {message}\n")
        return self.commit(message)

    def commit(self, message: str) -> str:
        """Commit everything; returns the commit's id."""
        self._git("add", "--all", ".")
        self._git(*_IDENTITY, "commit", "--quiet", "--allow-empty", "--message", message)
        return self._git("rev-parse", "HEAD").strip()

    def committed(self) -> str:
        """The last commit's id, if that is all that there is; otherwise empty."""
        return "" if self._git("status", "--porcelain").strip() else self._git("rev-parse", "HEAD").strip()

    def revert(self) -> None:
        """Undo the last commit with another."""
        self._git(*_IDENTITY, "revert", "--no-edit", "HEAD")

    def archive(self) -> bytes:
        """The committed source as a zip, as `git archive` makes it."""
        return _run(["git", "archive", "--format=zip", "HEAD"], cwd=self.root)

    def _git(self, *words: str) -> str:
        return _run(["git", *words], cwd=self.root).decode()


def _is_unread(name: str) -> bool:
    """Whether no build of such a factory reads a file: that is half of all, which each build unpacks and takes away."""
    if not name.startswith("tests/") or name.startswith("tests/component/"):
        return name.startswith("local_cloud/")
    path, tested = Path(name), Path(_TESTED)
    return path != tested and (path.parent not in tested.parents or path.name.startswith("test_"))


def _project_files() -> list[str]:
    listed = _run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=PROJECT_ROOT)
    return [name for name in listed.decode().split("\0") if name]


def _run(command: Sequence[str], *, cwd: Path) -> bytes:
    return subprocess.run(command, cwd=cwd, capture_output=True, check=True, timeout=60).stdout
