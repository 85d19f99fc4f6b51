"""Faults in Python code, with bandit; the option `paths` names the folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lambdas.gates.scanners.scanner import CommandScanner, Options


def _find(target: Path, options: Options) -> Sequence[Path]:
    names = options.get("paths")
    folders = [target / str(name) for name in names] if isinstance(names, (list, tuple)) else [target]
    return [folder for folder in folders if folder.exists() and next(folder.rglob("*.py"), None)]


def _words(found: Sequence[Path], report: Path, _options: Options) -> list[str]:
    return ["--quiet", "--recursive", *map(str, found), "--format", "json", "--output", str(report)]


def _plant(folder: Path) -> None:
    (folder / "planted.py").write_text("import subprocess\n\nsubprocess.call(input(), shell=True)\n")


SCANNER = CommandScanner(name="bandit", words=_words, plant=_plant, find=_find)
