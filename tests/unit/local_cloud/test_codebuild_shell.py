"""What a phase's shell says, to its last line."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud.codebuild import shell
from local_cloud.codebuild.control import BuildControl


class _Log:
    """A log that a busy machine holds up at the line `slow`, for longer than a shell may be silent."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        if text == "slow":
            threading.Event().wait(1.5 * shell._SILENCE_SECONDS)
        self.lines.append(text)


@pytest.fixture
def control() -> Iterator[BuildControl]:
    """Ends what a test leaves running."""
    control = BuildControl()
    yield control
    control.end_processes(signal.SIGKILL)


def _run(command: str, *, folder: Path, control: BuildControl) -> list[str]:
    log: Any = _Log()
    state = shell.ShellState(variables={"PATH": "/usr/bin:/bin"}, directory=folder)
    given: dict[str, Any] = {"shell": "/bin/sh", "scratch": folder / "scratch"}
    shell.run([command], state=state, control=control, log=log, **given)
    return [line for line in log.lines if not line.startswith("[Container]")]


def test_the_last_lines_are_logged_however_busy_the_machine_is(tmp_path: Path, control: BuildControl) -> None:
    assert _run("echo slow; seq 3", folder=tmp_path, control=control) == ["slow", "1", "2", "3"]


def test_a_background_process_that_is_silent_is_not_waited_for(
    tmp_path: Path, control: BuildControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "_DRAIN_SECONDS", math.inf)
    assert _run("echo said; sleep 600 &", folder=tmp_path, control=control) == ["said"]


def test_a_background_process_that_talks_on_is_not_waited_for(
    tmp_path: Path, control: BuildControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "_DRAIN_SECONDS", 0.5)
    assert set(_run("while echo on; do sleep 0.1; done &", folder=tmp_path, control=control)) == {"on"}
