"""Faults in templates, with cfn-lint; the option `ignore` names rules that do not count, by their beginning.

Neither a template's metadata (`--mandatory-checks`) nor a file `.cfnlintrc` (`--config-file`) silences it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lambdas.gates.model.gate import Scanned, Word
from lambdas.gates.model.template_files import templates_below
from lambdas.gates.scanners.scanner import CommandScanner, Options, several

# Bits: errors, warnings, remarks. https://github.com/aws-cloudformation/cfn-lint#exit-codes
_CODES = frozenset(range(0, 16, 2))
_OWN = "E00"  # rules about its own work: what it cannot read, and rules that break


def _words(found: Sequence[Path], report: Path, _options: Options) -> list[str]:
    words = ["--config-file", os.devnull, "--mandatory-checks", "E", "W", "--format", "json"]
    return [*words, "--output-file", str(report), "--", *map(str, found)]


def _sift(scanned: Scanned, _found: Sequence[Path], _report: Path, options: Options) -> Scanned:
    own = [one for one in scanned.findings if one.rule.startswith(_OWN)]
    return replace(
        scanned,
        findings=[one for one in scanned.findings if not one.rule.startswith((_OWN, *several(options, "ignore")))],
        troubles=[*scanned.troubles, *((Word.INCOMPLETE, f"{one.rule} {one.place.path} {one.title}") for one in own)],
    )


def _plant(folder: Path) -> None:
    wrong = {"Type": "AWS::SQS::Queue", "Properties": {"NoSuchProperty": True}}
    (folder / "planted.template.json").write_text(json.dumps({"Resources": {"Planted": wrong}}))


SCANNER = CommandScanner(
    name="cfn_lint",
    words=_words,
    plant=_plant,
    codes=_CODES,
    find=lambda target, _: templates_below(target),
    sift=_sift,
)
