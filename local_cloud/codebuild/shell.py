"""Runs the commands of one phase in one shell."""

from __future__ import annotations

import math
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from local_cloud.codebuild.control import BuildControl
from local_cloud.codebuild.failure import BuildFailure
from local_cloud.codebuild.logs import BuildLog

# A finished shell's last lines, and those of its background processes, are waited for until it is silent for so long.
_SILENCE_SECONDS = 1.0
# A background process may go on talking until the build's end.
_DRAIN_SECONDS = 60.0
_LOOKED_SECONDS = 0.05


@dataclass(kw_only=True)
class ShellState:
    """What one phase hands to the next, as in buildspec version 0.2: exported variables and the directory."""

    variables: dict[str, str]
    directory: Path


def run(
    commands: Sequence[str], *, shell: str, state: ShellState, scratch: Path, control: BuildControl, log: BuildLog
) -> None:
    """Run the commands one after the other until one fails; raises BuildFailure naming it, updates `state`."""
    scratch.mkdir(parents=True, exist_ok=True)
    position = scratch / "position"
    script = _write_script(commands, scratch=scratch, position=position)
    control.check()
    process = subprocess.Popen(
        [shell, str(script)],
        cwd=state.directory,
        env=state.variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    control.adopt(process)
    output = _Output(process, log)
    output.start()
    status = process.wait()
    output.drain()
    control.forget_ended()
    control.check()
    _take_over_state(state, scratch)
    if status:
        command = commands[int(position.read_text() or 0)] if position.exists() else commands[0]
        raise BuildFailure(
            "COMMAND_EXECUTION_ERROR", f"Error while executing command: {command}. Reason: {_reason(status)}"
        )


def _write_script(commands: Sequence[str], *, scratch: Path, position: Path) -> Path:
    """Each command is a file of its own, so that its quoting and its syntax errors stay its own."""
    lines = [f"trap '/usr/bin/env -0 > {scratch}/variables; pwd > {scratch}/directory' EXIT"]
    for index, command in enumerate(commands):
        file = scratch / f"command-{index}.sh"
        file.write_text(f"{command}\n")
        lines += [
            f"printf %s {index} > {quote(str(position))}",
            f"printf '%s\\n' {quote(f'[Container] Running command {command}')}",
            f". {quote(str(file))}",
            'phase_status=$?; [ "$phase_status" -eq 0 ] || exit "$phase_status"',
        ]
    script = scratch / "phase.sh"
    script.write_text("\n".join(lines) + "\n")
    return script


class _Output(threading.Thread):
    """Copies what a shell and its background processes say to the log."""

    def __init__(self, process: subprocess.Popen[bytes], log: BuildLog) -> None:
        super().__init__(daemon=True)
        self._lines = process.stdout or ()
        self._log = log
        # When the last line was logged; without end while one is.
        self._heard = time.monotonic()

    def run(self) -> None:
        """Copy line by line, until nobody is left who could say something."""
        for line in self._lines:
            self._heard = math.inf
            self._log.line(line.decode(errors="replace").rstrip("\n"))
            self._heard = time.monotonic()

    def drain(self) -> None:
        """Wait for the last lines of a shell that has ended."""
        ended = now = time.monotonic()
        while self.is_alive() and now - max(ended, self._heard) < _SILENCE_SECONDS and now - ended < _DRAIN_SECONDS:
            self.join(_LOOKED_SECONDS)
            now = time.monotonic()


def _take_over_state(state: ShellState, scratch: Path) -> None:
    variables, directory = scratch / "variables", scratch / "directory"
    if not variables.exists() or not directory.exists():
        return
    pairs = (item.partition("=") for item in variables.read_text(errors="surrogateescape").split("\0") if item)
    state.variables = _without_shell_internals({name: value for name, _, value in pairs})
    state.directory = Path(directory.read_text().rstrip("\n"))


def _without_shell_internals(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name not in ("_", "SHLVL")}


def _reason(status: int) -> str:
    return f"exit status {status}" if status > 0 else f"signal {-status}"
