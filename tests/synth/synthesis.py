"""Synthesizing a case, once a test session: all workers share the result."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from filelock import FileLock, Timeout

from stacks.validation import add_rules
from tests.synth.cases import CASES, Case

_CDK_JSON = Path(__file__).parents[2] / "cdk.json"
REPORT = "validation-report.json"


def feature_flags() -> dict[str, Any]:
    """The context of `cdk.json`, which the CLI would pass on."""
    context: dict[str, Any] = json.loads(_CDK_JSON.read_text(encoding="utf-8"))["context"]
    return context


def synthesize(case: Case, *, cache: Path, wait: bool = True) -> Path:
    """The directory of the case's cloud assembly, made if nobody has made it yet.

    Every rule runs: cdk-nag's packs and, strictly, the CDK's own. What they find is in `validation-report.json`.

    Raises:
        filelock.Timeout: another worker is making it, and `wait` is false.
    """
    directory = cache / case.name
    with FileLock(cache / f"{case.name}.lock", blocking=wait):
        if not (directory / "manifest.json").exists():
            scratch = cache / f"{case.name}-scratch"
            scratch.mkdir()
            app = cdk.App(outdir=str(directory), context=feature_flags(), analytics_reporting=False)
            case.build(app, scratch)
            add_all_rules(app)
            synthesize_and_report(app)
    return directory


def begin(name: str, cache: Path) -> None:
    """Make the assembly of a case, unless another worker is making it."""
    with suppress(Timeout):
        synthesize(CASES[name], cache=cache, wait=False)


def add_all_rules(app: cdk.App) -> None:
    """The rules of a synthesis by the CLI, the CDK's own among them also where `CDK_VALIDATION=false`."""
    add_rules(app)
    cdk.Validations.of(app).add_plugins(cdk.CloudFormationValidatePlugin())


def synthesize_and_report(app: cdk.App) -> str:
    """Synthesize; a failed validation is not raised but returned, as it has left a report."""
    try:
        app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
        return str(error)
    return ""
