"""Configuration that is not safe, in templates, with checkov."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from lambdas.gates.model.assembly import templates_below
from lambdas.gates.scanners.scanner import CommandScanner, Options


def _words(found: Sequence[Path], report: Path, options: Options) -> list[str]:
    skipped = options.get("skip")
    words = ["--framework", "cloudformation", "--output", "json", "--output-file-path", str(report.parent)]
    words += ["--quiet", "--skip-download", "--compact"]
    if isinstance(skipped, (list, tuple)) and skipped:
        words += ["--skip-check", ",".join(map(str, skipped))]
    return [*words, *(word for file in found for word in ("--file", str(file)))]


def _plant(folder: Path) -> None:
    open_to_all = {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicReadWrite"}}
    (folder / "planted.template.json").write_text(json.dumps({"Resources": {"Planted": open_to_all}}))


SCANNER = CommandScanner(
    name="checkov",
    words=_words,
    plant=_plant,
    find=lambda target, _: templates_below(target),
    report="results_json.json",
)
