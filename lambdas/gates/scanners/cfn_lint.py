"""Faults in templates, with cfn-lint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from lambdas.gates.model.assembly import templates_below
from lambdas.gates.scanners.scanner import CommandScanner, Options

# Bits: errors, warnings, remarks. https://github.com/aws-cloudformation/cfn-lint#exit-codes
_CODES = frozenset(range(0, 16, 2))


def _words(found: Sequence[Path], report: Path, options: Options) -> list[str]:
    ignored = options.get("ignore")
    words = ["--format", "json", "--output-file", str(report)]
    if isinstance(ignored, (list, tuple)) and ignored:
        words += ["--ignore-checks", *map(str, ignored)]
    return [*words, "--", *map(str, found)]


def _plant(folder: Path) -> None:
    wrong = {"Type": "AWS::SQS::Queue", "Properties": {"NoSuchProperty": True}}
    (folder / "planted.template.json").write_text(json.dumps({"Resources": {"Planted": wrong}}))


SCANNER = CommandScanner(
    name="cfn_lint", words=_words, plant=_plant, codes=_CODES, find=lambda target, _: templates_below(target)
)
