"""Known vulnerabilities of Python packages, with pip-audit and the advisories of an OSV service (option `osv_url`).

The option `files` names the requirements. pip-audit does not rate what it finds: its findings are UNKNOWN. Left alone
it passes over files that a file names, and over pins whose marker is about another Python than its own: so it is given
every pin, and of a package with several versions one at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from lambdas.common import clock
from lambdas.common.evidence.finding import Package
from lambdas.gates.model.gate import Scanned, Word
from lambdas.gates.model.requirements import UnpinnedError, every_pin
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.scanner import CommandScanner, Options, Trouble, named

_OSV = "https://api.osv.dev/v1/query"
_FILE = "requirements.txt"


def _words(_found: Sequence[Path], report: Path, options: Options) -> list[str]:
    words = ["--strict", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    words += ["--vulnerability-service", "osv", "--osv-url", str(options.get("osv_url") or _OSV)]
    return [*words, "--output", str(report), "--requirement", _FILE]


def _sift(scanned: Scanned, _found: Sequence[Path], report: Path, _options: Options) -> Scanned:
    """The service is asked anew each time; what was skipped has no version, and is a trouble already."""
    listed = json.loads(report.read_text(encoding="utf-8"))["dependencies"]
    packages = [Package(name=one["name"], installed=one["version"]) for one in listed if "version" in one]
    return replace(scanned, packages=packages, data_of=clock.stamp(clock.now()))


def _plant(folder: Path) -> None:
    (folder / _FILE).write_text("pyyaml==5.3.1\n")


@dataclass(frozen=True, kw_only=True)
class _PipAudit(CommandScanner):
    """Runs the tool on what the files pin."""

    def scan(self, target: Path, *, work: Path, options: Options, environments: Environments) -> Scanned:
        """Look up all pins."""
        files = named(target, options, "files", otherwise=sorted(target.glob("requirements*.txt")))
        each = []
        for number, pins in enumerate(_rounds(pin for file in files for pin in _pinned(file, files, target))):
            (folder := work / str(number)).mkdir()
            (folder / _FILE).write_text("".join(f"{name}=={version}\n" for name, version in pins), encoding="utf-8")
            each.append(super().scan(folder, work=folder, options=options, environments=environments))
        if not each:
            raise Trouble(Word.NOTHING, f"there is no package in the requirements below {target.name or target}")
        return Scanned(
            findings=[finding for one in each for finding in one.findings],
            tool_version=each[0].tool_version,
            data_of=min(one.data_of for one in each),
            packages=[package for one in each for package in one.packages],
            troubles=[trouble for one in each for trouble in one.troubles],
        )


def _pinned(file: Path, files: Sequence[Path], target: Path) -> Sequence[tuple[str, str]]:
    try:
        return [*every_pin(file.read_text(encoding="utf-8"), read=lambda other: file.parent / other in files)]
    except (OSError, ValueError, UnpinnedError) as error:
        raise Trouble(Word.INCOMPLETE, f"{file.relative_to(target)}: {error}") from error


def _rounds(pins: Iterable[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    """Pins such that no package is there twice in a round."""
    versions: dict[str, dict[str, None]] = {}
    for name, version in pins:
        versions.setdefault(name, {})[version] = None
    columns = zip_longest(*([(name, version) for version in each] for name, each in versions.items()))
    for column in columns:
        yield [pin for pin in column if pin]


SCANNER = _PipAudit(name="pip_audit", words=_words, plant=_plant, sift=_sift)
