"""Running the component's build steps, once a build, before its stacks are synthesized."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

from buildspecs.synthesis import ROOT
from component import SPEC
from constructs_lib.saas.component_spec import BuildStep
from lambdas.common.errors import GranaryError


def make_ready() -> None:
    """Run the steps of this source, unless this build has.

    Raises:
        GranaryError: a command failed; its output is in the build's log.
    """
    if problem := _outcome(SPEC.build_steps):
        raise GranaryError(problem)


@cache
def _outcome(steps: Sequence[BuildStep]) -> str:
    """What went wrong, which is not tried again for the next tenant of the same build; empty when nothing did."""
    for step in steps:
        for command in step.commands:
            print(f"build step {step.name}: {command}", flush=True)
            if code := _run(shlex.split(command)):
                return f"build step {step.name} of the component failed: `{command}` ended with {code}"
    return ""


def _run(words: list[str]) -> int:
    program = sys.executable if words[0] == "python" else words[0]
    try:
        return subprocess.run([program, *words[1:]], cwd=ROOT, check=False).returncode  # noqa: S603 - words of the source
    except FileNotFoundError:
        return 127
