"""Synthesizing tenants' pipelines, the same way in a provisioning build and within the pipeline itself.

The app is run without the CDK CLI, which would only start it: that saves a Node process, and the two synths cannot
differ in what a CLI version adds, which would look like a change of the pipeline and start it over.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from lambdas.common.errors import GranaryError
from stacks.saas.plan import TenantsPlan

ROOT = Path(__file__).parents[2]
_TIMEOUT_SECONDS = 600
_SHOWN_LINES = 5


class SynthesisError(GranaryError):
    """The app could not be synthesized; the text ends with the error that it printed."""


def synthesize(plan: TenantsPlan, *, out: Path) -> None:
    """Write the cloud assembly of the plan's pipelines to the folder `out`.

    Validation is off: CI has validated this very commit, and a validated synth takes more than twice the time.

    Raises:
        SynthesisError: the app failed.
    """
    plan_file = out.with_suffix(".plan.json")
    plan.write(plan_file)
    context = {**json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"], "tenants": str(plan_file)}
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(out),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_VALIDATION": "false",
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
        raise SynthesisError("synth failed: " + " | ".join(done.stderr.strip().splitlines()[-_SHOWN_LINES:]))
