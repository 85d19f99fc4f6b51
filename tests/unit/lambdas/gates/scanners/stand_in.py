"""A stand-in for a scanner's command: it writes a recorded report and ends with the recorded code. It scans nothing."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdas.gates.scanners.environments import Environments


@dataclass(frozen=True, kw_only=True)
class StandIn(Environments):
    """An environment that has a command of each name: what it writes, where, and the code that it ends with."""

    report: str | None
    code: int = 0
    version: str = "1.2.3"
    written_to: str = "report.json"

    def of(self, name: str) -> Path:
        place = self.root / name
        (place / "bin").mkdir(parents=True, exist_ok=True)
        command = place / "bin" / name.replace("_", "-")
        lines = ["#!/bin/sh", f'if [ "$1" = --version ]; then echo {shlex.quote(self.version)}; exit 0; fi']
        if self.report is not None:
            (place / "recorded").write_text(self.report, encoding="utf-8")
            # Its report goes where its words say, of which the runner's own are not known to it.
            lines.append(f'for word in "$@"; do case "$word" in */{self.written_to}) out="$word";; esac; done')
            lines.append(f'for word in "$@"; do [ -z "$out" ] && [ -d "$word" ] && out="$word/{self.written_to}"; done')
            lines.append(f'cat {shlex.quote(str(place / "recorded"))} > "$out"')
        lines.append(f"exit {self.code}")
        command.write_text("\n".join(lines), encoding="utf-8")
        command.chmod(0o755)
        return place


def document(value: Any) -> str:
    """A report in JSON."""
    return json.dumps(value)
