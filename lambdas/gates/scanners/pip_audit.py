"""Known vulnerabilities of Python packages, with pip-audit and the advisories of an OSV service (option `osv_url`).

The option `files` names the requirements. pip-audit does not rate what it finds: its findings are UNKNOWN.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lambdas.common import clock
from lambdas.common.evidence.finding import Package
from lambdas.gates.model.gate import Scanned
from lambdas.gates.scanners.scanner import CommandScanner, Options, named

_OSV = "https://api.osv.dev/v1/query"


def _find(target: Path, options: Options) -> Sequence[Path]:
    return named(target, options, "files", otherwise=sorted(target.glob("requirements*.txt")))


def _words(found: Sequence[Path], report: Path, options: Options) -> list[str]:
    words = ["--strict", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    words += ["--vulnerability-service", "osv", "--osv-url", str(options.get("osv_url") or _OSV)]
    return [*words, "--output", str(report), *(word for file in found for word in ("--requirement", str(file)))]


def _sift(scanned: Scanned, _found: Sequence[Path], report: Path, _options: Options) -> Scanned:
    """The service is asked anew each time; what was skipped has no version, and is a trouble already."""
    listed = json.loads(report.read_text(encoding="utf-8"))["dependencies"]
    packages = [Package(name=one["name"], installed=one["version"]) for one in listed if "version" in one]
    return replace(scanned, packages=packages, data_of=clock.stamp(clock.now()))


def _plant(folder: Path) -> None:
    (folder / "requirements.txt").write_text("pyyaml==5.3.1\n")


SCANNER = CommandScanner(name="pip_audit", words=_words, plant=_plant, find=_find, sift=_sift)
