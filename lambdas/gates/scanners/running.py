"""Running a gate: the same on a laptop, in a build and in a function."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from lambdas.common.errors import GranaryError
from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.exceptions import Exception_
from lambdas.gates.model.gate import Gate, Ran, Scanned, Word, aged, decide
from lambdas.gates.scanners import scanners
from lambdas.gates.scanners.environments import Environments
from lambdas.gates.scanners.scanner import Scanner, Trouble, run, said_by

# Options that are about what is scanned, and not about what is planted.
_OF_THE_TARGET = frozenset(
    {
        "allow_external_principals",
        "files",
        "ignore_finding",
        "monitor",
        "paths",
        "project",
    }
)
_GIT = ("git", "-c", "user.name=Granary", "-c", "user.email=granary@localhost", "-c", "commit.gpgsign=false")

logger = logging.getLogger(__name__)


def run_gate(
    gate: Gate, target: Path, *, exceptions: Iterable[Exception_], today: date, environments: Environments
) -> Ran:
    """Scan the target with the gate's scanner, and what is planted; whatever goes wrong is an error of the gate."""
    try:
        scanned = _scan(_scanner(gate.scanner), gate, target.resolve(), environments)
    except Trouble as error:
        scanned = Scanned(troubles=[(error.word, error.text)])
    except GranaryError as error:
        scanned = Scanned(troubles=[(Word.DID_NOT_RUN, str(error))])
    except Exception as error:  # a gate that breaks has not passed
        logger.exception("gate %s", gate.name)
        scanned = Scanned(troubles=[(Word.DID_NOT_RUN, repr(error))])
    scanned = aged(gate, scanned, today=today)
    return Ran(gate=gate, scanned=scanned, decision=decide(gate, scanned, exceptions, today=today))


def _scanner(name: str) -> Scanner:
    if name not in scanners():
        raise Trouble(Word.DID_NOT_RUN, f"there is no scanner of this name: {', '.join(scanners())}")
    return scanners()[name]


def _scan(scanner: Scanner, gate: Gate, target: Path, environments: Environments) -> Scanned:
    with TemporaryDirectory() as folder:
        work, planted, other = (Path(folder) / name for name in ("work", "planted", "other"))
        for made in (work, planted, other):
            made.mkdir()
        scanner.plant(planted)
        if gate.options.get("history") and getattr(scanner, "reads_history", False):
            _bury(planted)
        # A tool that has gone blind finds nothing, and says so with confidence.
        seen = scanner.scan(planted, work=other, options=_unscoped(gate), environments=environments)
        if not any(one.state is State.OPEN for one in seen.findings):
            blind = (Word.BLIND, "it found nothing in a file that was written to be found")
            raise Trouble(*next(iter(seen.troubles), blind))
        scanned = scanner.scan(target, work=work, options=gate.options, environments=environments)
    return replace(scanned, findings=tuple(_placed(one, target) for one in scanned.findings))


def _bury(folder: Path) -> None:
    """Commit what is planted, and remove it again: only who reads the history sees it."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder.parent)}
    commit = ("commit", "--quiet", "--allow-empty", "--message", "Planted")
    for words in (("init", "--quiet"), ("add", "--all"), commit, ("rm", "--quiet", "-r", "."), commit):
        done = run([*_GIT, *words], cwd=folder, environment=environment)
        if done.returncode:
            raise Trouble(Word.DID_NOT_RUN, f"git {words[0]}: {said_by(done)}")


def _unscoped(gate: Gate) -> dict[str, object]:
    """The options, without those that name what is in the target."""
    return {name: value for name, value in gate.options.items() if name not in _OF_THE_TARGET}


def _placed(finding: Finding, target: Path) -> Finding:
    path = finding.place.path.removeprefix(f"{target}/").removeprefix("./").lstrip("/")
    return replace(finding, place=replace(finding.place, path=path))
