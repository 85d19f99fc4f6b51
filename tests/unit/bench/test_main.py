"""The command: what it prints and writes, and what its exit code tells."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.bench import __main__ as command
from tests.bench.figures import Section, at_most


def short_of_its_target(rounds: int) -> Section:
    return Section(title="Speed", figures=(at_most("delay", rounds, limit=1, how="measured"),), notes=("noisy",))


def broken(_rounds: int) -> Section:
    raise RuntimeError("no Node here")


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two benchmarks, and an environment that is put back."""
    for name in ("PATH", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    for name, measure in (("broken", broken), ("speed", short_of_its_target)):
        module = ModuleType(name)
        monkeypatch.setattr(module, "measure", measure, raising=False)
        monkeypatch.setitem(sys.modules, f"bench_{name}", module)
    monkeypatch.setattr(command, "BENCHMARKS", {"broken": "bench_broken", "speed": "bench_speed"})


def test_a_figure_that_falls_short_is_shown_and_no_failure(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    assert command.main(["--only", "speed", "--rounds", "3", "--json", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "short" in printed
    assert "noisy" in printed
    (section,) = json.loads(path.read_text(encoding="utf-8"))["sections"]
    (figure,) = section["figures"]
    assert (figure["name"], figure["value"], figure["target"], figure["verdict"]) == ("delay", "3", "<= 1", "short")


def test_a_benchmark_that_cannot_be_run_fails_the_command_and_not_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main([]) == 1
    printed = capsys.readouterr()
    assert "Speed" in printed.out
    assert "could not be run: broken" in printed.err
    assert "no Node here" in printed.err
