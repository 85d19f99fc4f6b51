"""What cdk-nag and every other plugin of a synth hold against it, as the CDK has written it down beside the templates.

The option `plugins` names those that must have looked. What is acknowledged in the source, with a reason, is closed.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from lambdas.gates.model.gate import Scanned, Word
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.scanner import Options, Trouble, read, several

_REPORT, _MANIFEST = "validation-report.json", "manifest.json"
# It says "success" beside a violation.
_KNOWN_BAD = {
    "version": "55.0.0",
    "title": "Validation Report",
    "pluginReports": [
        {
            "pluginName": "Planted",
            "conclusion": "success",
            "violations": [
                {
                    "ruleName": "Planted",
                    "description": "It was written to be found",
                    "severity": "error",
                    "violatingConstructs": [{"constructPath": "Planted/Resource"}],
                }
            ],
        }
    ],
}


class CdkValidation:
    """Reads the report of the synth that has made the templates."""

    def scan(self, target: Path, *, work: Path, options: Options, environments: Environments) -> Scanned:
        """Read it."""
        report, manifest = target / _REPORT, target / _MANIFEST
        if not report.exists():
            raise Trouble(Word.DID_NOT_RUN, f"there is no {_REPORT}: synthesize without CDK_VALIDATION=false")
        if manifest.exists() and report.stat().st_mtime < manifest.stat().st_mtime:
            raise Trouble(Word.DID_NOT_RUN, f"{_REPORT} is of an earlier synth")
        scanned = read(report, name="cdk_validation", version="")
        document = json.loads(report.read_text(encoding="utf-8"))
        looked = {one["pluginName"] for one in document["pluginReports"]}
        missing = sorted(set(several(options, "plugins")) - looked)
        troubles = [(Word.INCOMPLETE, f"{one} has not looked") for one in missing]
        if not (version := str(document.get("version") or "")):
            troubles.append((Word.NO_VERSION, "the report has none"))
        return replace(scanned, tool_version=version, troubles=[*scanned.troubles, *troubles])

    def plant(self, folder: Path) -> None:
        """Write a report of a known fault."""
        (folder / _REPORT).write_text(json.dumps(_KNOWN_BAD))


SCANNER = CdkValidation()
