"""Standing in for the processes that builds start."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Commands:
    """Remembers every command instead of running it; `effect` is what running it does.

    The app leaves an assembly, which has no more than the lookups that are `missing`.
    """

    returncode: int = 0
    stdout: str = ""
    stderr: str = ""
    missing: tuple[str, ...] = ()
    effect: Callable[[], Any] = lambda: None
    run: list[list[str]] = field(default_factory=list)
    options: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.run.append(list(command))
        self.options.append(options)
        self.effect()
        if "app.py" in command:
            assembly = Path(options["env"]["CDK_OUTDIR"])
            assembly.mkdir(exist_ok=True)
            manifest = {"missing": [{"key": key} for key in self.missing], "artifacts": {}}
            (assembly / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return subprocess.CompletedProcess(command, self.returncode, self.stdout, self.stderr)


class Process:
    """What `subprocess.Popen` answers: the command runs when its end is waited for."""

    def __init__(self, commands: Commands, command: list[str], **options: Any) -> None:
        self.commands, self.args, self.options = commands, command, options
        self.returncode = commands.returncode

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def communicate(self, *, timeout: float) -> tuple[str, str]:
        done = self.commands(self.args, **self.options, timeout=timeout)
        return done.stdout, done.stderr


def stand_in(monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Let no process start during this test."""
    commands = Commands()
    monkeypatch.setattr(subprocess, "run", commands)
    monkeypatch.setattr(subprocess, "Popen", partial(Process, commands))
    return commands
