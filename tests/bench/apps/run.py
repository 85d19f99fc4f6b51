"""Running an app for comparison as provisioning builds run theirs: no CLI, no validation, the same feature flags."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from buildspecs.synthesis import ROOT

_APPS = Path(__file__).parent
_CLI = ROOT / "node_modules" / ".bin" / "cdk"
_TIMEOUT_SECONDS = 600


def feature_flags() -> dict[str, Any]:
    """The context of `cdk.json`, which the CLI would pass on."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return context


def run_app(name: str, *, out: Path, context: Mapping[str, Any] | None = None) -> None:
    """Synthesize `apps/<name>.py` into the folder `out`.

    Raises:
        RuntimeError: the app failed; the text is what it printed.
    """
    given = {"CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps({**feature_flags(), **(context or {})})}
    _run(name, [sys.executable, str(_APPS / f"{name}.py")], given)


def run_app_through_cli(name: str, *, out: Path) -> None:
    """Synthesize `apps/<name>.py` with `cdk synth`, as a person does.

    Raises:
        RuntimeError: the app failed; the text is what it printed.
    """
    app = shlex.join([sys.executable, str(_APPS / f"{name}.py")])
    _run(name, [str(_CLI), "synth", "--quiet", "--app", app, "--output", str(out)], {})


def _run(name: str, command: list[str], given: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CDK_VALIDATION": "false", **given},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"app {name} could not be synthesized:\n{done.stderr}")
