"""The component's build steps: run once a build, before a tenant is synthesized, and by no role of a tenant's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from buildspecs.saas import build_steps
from component import SPEC
from constructs_lib.saas.component_spec import BuildStep
from lambdas.common.errors import GranaryError


@pytest.fixture(autouse=True)
def new_build() -> Iterator[None]:
    """Nothing has run yet, nor has it when the test is over."""
    build_steps._outcome.cache_clear()
    yield
    build_steps._outcome.cache_clear()


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The source, with a program that notes that it ran."""
    (tmp_path / "note.py").write_text("import sys; open('notes', 'a').write(sys.argv[1] + ' ')", encoding="utf-8")
    monkeypatch.setattr(build_steps, "ROOT", tmp_path)
    return tmp_path


def ask_for(monkeypatch: pytest.MonkeyPatch, *steps: BuildStep) -> None:
    monkeypatch.setattr(build_steps, "SPEC", replace(SPEC, build_steps=steps))


def test_steps_run_in_their_order_once_a_build_and_without_a_shell(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    commands = ("python note.py 1;touch", "python note.py '2 a'")
    ask_for(
        monkeypatch, BuildStep(name="one", commands=commands), BuildStep(name="two", commands=("python note.py 3",))
    )
    build_steps.make_ready()
    build_steps.make_ready()
    assert (root / "notes").read_text(encoding="utf-8") == "1;touch 2 a 3 "


@pytest.mark.parametrize(("command", "code"), [("python not_there.py", 2), ("no-such-program-anywhere", 127)])
def test_one_that_fails_ends_it_and_is_not_tried_for_the_next_tenant(
    monkeypatch: pytest.MonkeyPatch, root: Path, command: str, code: int
) -> None:
    steps = [
        BuildStep(name=name, commands=(words,)) for name, words in (("bad", command), ("after", "python note.py x"))
    ]
    ask_for(monkeypatch, *steps)
    for _ in range(2):
        with pytest.raises(
            GranaryError, match=f"build step bad of the component failed: `{command}` ended with {code}"
        ):
            build_steps.make_ready()
    assert not (root / "notes").exists()


def test_a_component_without_steps_runs_nothing(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    ask_for(monkeypatch)
    build_steps.make_ready()
    assert {path.name for path in root.iterdir()} == {"note.py"}
