"""Configuration that is not safe, in templates, with checkov; the option `skip` names checks that do not count."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lambdas.gates.model.gate import Scanned, Word
from lambdas.gates.model.template_files import templates_below
from lambdas.gates.scanners.scanner import CommandScanner, Options, Trouble, several

# It reads them where it runs, whatever else it is told.
_OWN = (".checkov.yaml", ".checkov.yml")


def _find(target: Path, _options: Options) -> Sequence[Path]:
    if own := [name for name in _OWN if (target / name).exists()]:
        raise Trouble(Word.INCOMPLETE, f"{own[0]} is among the templates and would silence it: use the option `skip`")
    return templates_below(target)


def _words(found: Sequence[Path], report: Path, options: Options) -> list[str]:
    words = ["--framework", "cloudformation", "--output", "json", "--output-file-path", str(report.parent)]
    words += ["--quiet", "--skip-download", "--compact"]
    if skipped := several(options, "skip"):
        words += ["--skip-check", ",".join(skipped)]
    return [*words, *(word for file in found for word in ("--file", str(file)))]


def _sift(scanned: Scanned, found: Sequence[Path], report: Path, _options: Options) -> Scanned:
    """It passes over a template that it cannot read, and tells how many resources it has seen."""
    document = json.loads(report.read_text(encoding="utf-8"))
    seen = document.get("summary", document).get("resource_count", 0) if isinstance(document, dict) else 0
    there = sum(len(json.loads(path.read_text(encoding="utf-8"))["Resources"]) for path in found)
    if seen == there:
        return scanned
    return replace(scanned, troubles=[*scanned.troubles, (Word.INCOMPLETE, f"{seen} of {there} resources")])


def _plant(folder: Path) -> None:
    open_to_all = {"Type": "AWS::S3::Bucket", "Properties": {"AccessControl": "PublicReadWrite"}}
    (folder / "planted.template.json").write_text(json.dumps({"Resources": {"Planted": open_to_all}}))


SCANNER = CommandScanner(
    name="checkov",
    words=_words,
    plant=_plant,
    find=_find,
    report="results_json.json",
    sift=_sift,
)
