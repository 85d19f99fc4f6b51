"""The pure parts of the CodeBuild engine: buildspecs and archives."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from local_cloud.codebuild import archives, buildspec
from local_cloud.codebuild.buildspec import ArtifactSpec, BuildspecError
from local_cloud.codebuild.control import BuildControl
from local_cloud.codebuild.failure import BuildFailure, BuildInterrupted
from tests.local.local_cloud_fixtures import zipped


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "must be a mapping"),
        ("version: 0.2\nphase: {}", "unknown phase"),
        ("version: 0.2\nrun-as: root", "run-as"),
        ("version: 0.2\nenv: {shell: powershell.exe}", "powershell.exe"),
        ("version: 0.2\nphases: {build: {on-failure: RETRY}}", "RETRY"),
        ("version: 0.2\nphases: {test: {}}", "unknown test"),
        ("version: 0.2\nartifacts: {files: []}", "names no file"),
        ("version: 0.2\nenv: {variables: {A: [1]}}", "env/variables/A"),
    ],
)
def test_a_wrong_buildspec_says_where_it_is_wrong(text: str, message: str) -> None:
    with pytest.raises(BuildspecError, match=message):
        buildspec.parse(text)


def test_what_is_accepted_and_not_applied_is_noted() -> None:
    spec = buildspec.parse(
        "version: 0.2\ncache: {paths: [a]}\nreports: {r: {files: [x]}}\n"
        "phases: {install: {runtime-versions: {nodejs: 22}}}"
    )
    assert [note.split(":")[0].split(" ")[0] for note in spec.notes] == ["cache", "reports", "install/runtime-versions"]


def test_scalars_become_the_text_that_a_shell_sees() -> None:
    spec = buildspec.parse("version: 0.2\nenv: {variables: {A: 1, B: true, C: 1.5}}\nphases: {build: {commands: ls}}")
    assert spec.variables == {"A": "1", "B": "true", "C": "1.5"}
    assert spec.phases["build"].commands == ("ls",)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("out/a.txt", "out/deep/b.txt", "out/deep/er/c.js", "top.yml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        (ArtifactSpec(files=("**/*",)), ["out/a.txt", "out/deep/b.txt", "out/deep/er/c.js", "top.yml"]),
        (ArtifactSpec(files=("**/*",), base_directory="out"), ["a.txt", "deep/b.txt", "deep/er/c.js"]),
        (ArtifactSpec(files=("out/*",)), ["out/a.txt"]),
        (ArtifactSpec(files=("**/*.js", "top.yml")), ["out/deep/er/c.js", "top.yml"]),
        (ArtifactSpec(files=("**/*",), exclude_paths=("out/**/*",)), ["top.yml"]),
        (ArtifactSpec(files=("out/deep/**/*",), discard_paths=True), ["b.txt", "c.js"]),
        (ArtifactSpec(files=("*.txt",), base_directory="o*"), ["a.txt"]),
    ],
)
def test_which_files_an_artifact_holds(tree: Path, spec: ArtifactSpec, names: list[str]) -> None:
    assert sorted(archives.select(spec, tree)) == names


@pytest.mark.parametrize("spec", [ArtifactSpec(files=("*.none",)), ArtifactSpec(files=("*",), base_directory="none")])
def test_an_artifact_without_files_is_a_failure(tree: Path, spec: ArtifactSpec) -> None:
    with pytest.raises(BuildFailure, match="no matching"):
        archives.select(spec, tree)


def test_a_packed_artifact_unpacks_with_its_permissions(tree: Path, tmp_path: Path) -> None:
    script = tree / "out" / "a.txt"
    script.chmod(0o755)
    archives.unpack(archives.pack(archives.select(ArtifactSpec(files=("**/*.txt",)), tree)), tmp_path / "again")
    assert (tmp_path / "again/out/a.txt").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "again/out/deep/b.txt").read_text() == "out/deep/b.txt"


def test_a_source_that_leaves_its_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildFailure, match="outside"):
        archives.unpack(zipped({"../escaped.txt": "x"}), tmp_path / "target")
    with pytest.raises(BuildFailure, match="not a zip file"):
        archives.unpack(b"plain", tmp_path / "target")


def test_a_build_that_times_out_ends_with_its_processes() -> None:
    control = BuildControl()
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    control.adopt(process)
    control.check()
    control.interrupt("TIMED_OUT")
    control.interrupt("STOPPED")
    assert process.wait(timeout=10) == -signal.SIGTERM
    with pytest.raises(BuildInterrupted, match="TIMED_OUT"):
        control.check()
