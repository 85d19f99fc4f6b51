"""CI's last word on rooms: each that is on is asked, and one that fails stops CI."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildspecs import check_rooms
from stacks.room import Room


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the jobs `good` and `bad` of the room `lab`; each leaves a file."""
    for job, code in (("good", 0), ("bad", 3)):
        folder = tmp_path / "buildspecs" / "lab" / job
        folder.mkdir(parents=True)
        text = f"import pathlib, sys\npathlib.Path({job!r}).touch()\nsys.exit({code})\n"
        (folder / "__main__.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("checks", "code"), [((), 0), (("good",), 0), (("bad", "good"), 1)])
def test_every_check_runs_and_one_that_fails_counts(
    jobs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    checks: tuple[str, ...],
    code: int,
) -> None:
    monkeypatch.setattr(check_rooms, "rooms_on", lambda _: [(Room(name="lab", checks=checks), None)])
    assert check_rooms.main() == code
    assert [job for job in ("good", "bad") if (jobs / job).exists()] == sorted(checks, reverse=True)
    assert ("FAILED: buildspecs.lab.bad" in capfd.readouterr().out) == bool(code)
