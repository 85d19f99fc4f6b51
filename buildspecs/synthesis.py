"""Synthesizing pipelines, the same way in a provisioning build and within the pipeline itself.

The app is run without the CDK CLI, which would only start it: that saves a Node process, and the two synths cannot
differ in what a CLI version adds, which would look like a change of the pipeline and start it over.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from lambdas.common.errors import GranaryError

ROOT = Path(__file__).parents[1]
_TIMEOUT_SECONDS = 600
_SHOWN_LINES = 5
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Plan(Protocol):
    """What is to be synthesized; `mode` is the context key that asks the app for it."""

    @property
    def mode(self) -> str: ...
    def write(self, path: Path) -> None: ...


class SynthesisError(GranaryError):
    """The app could not be synthesized; the text ends with what it printed, or with the context that it lacks."""


def synthesize(plan: Plan, *, out: Path, validated: bool = False, asked: Mapping[str, str] = _NOTHING) -> None:
    """Write the cloud assembly of a plan's pipelines to the folder `out`.

    It is `validated` where the commit need not have been through CI/CD, which validates: that takes twice the time.
    `asked` is more context.

    Raises:
        SynthesisError: the app failed, or it asked for context that is not committed.
    """
    plan_file = out.with_suffix(".plan.json")
    plan.write(plan_file)
    context = {**_committed_context(), **asked, plan.mode: str(plan_file)}
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(out),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_VALIDATION": str(validated).lower(),
    }
    # The rows' values are in the plan file only.
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        print(done.stderr, flush=True)
        raise SynthesisError("synth failed: " + " | ".join(done.stderr.strip().splitlines()[-_SHOWN_LINES:]))
    if lacking := missing_context(out):
        raise SynthesisError(
            f"synth failed: cdk.context.json lacks {', '.join(lacking)}: let the CDK look it up with credentials of "
            'that account, and commit the file (see "Adding a stack to the component" in CONTRIBUTING.md)'
        )


def leave_self_mutation(out: Path) -> None:
    """Put beside an assembly what its pipeline's self-mutation runs, which has no other source."""
    for path in (Path(__file__).with_name("self_mutate.py"), ROOT / "package.json", ROOT / "cdk.json"):
        shutil.copy(path, out)


def missing_context(assembly: Path) -> list[str]:
    """The lookups for which an assembly has a made-up value: the CLI would look them up, and nobody else does."""
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    return [entry["key"] for entry in manifest.get("missing", ())]


def _committed_context() -> dict[str, Any]:
    """The context that the CLI would pass on: results of lookups, and the settings of the app, which go first."""
    lookups, settings = ROOT / "cdk.context.json", ROOT / "cdk.json"
    found: dict[str, Any] = json.loads(lookups.read_text(encoding="utf-8")) if lookups.exists() else {}
    return {**found, **json.loads(settings.read_text(encoding="utf-8"))["context"]}
