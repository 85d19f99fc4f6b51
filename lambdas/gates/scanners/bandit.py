"""Faults in Python code, with bandit; the option `paths` names files and folders.

Neither a comment (`--ignore-nosec`) nor a file `.bandit` (`--ini`) in what is scanned silences it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lambdas.gates.scanners.scanner import CommandScanner, Options, named


def _find(target: Path, options: Options) -> Sequence[Path]:
    found = named(target, options, "paths", otherwise=[target])
    return [path for path in found if path.suffix == ".py" or next(path.rglob("*.py"), None)]


def _words(found: Sequence[Path], report: Path, _options: Options) -> list[str]:
    words = ["--quiet", "--recursive", "--ignore-nosec", "--ini", os.devnull, "--format", "json"]
    return [*words, "--output", str(report), *map(str, found)]


def _plant(folder: Path) -> None:
    (folder / "planted.py").write_text("import subprocess\n\nsubprocess.call(input(), shell=True)\n")


SCANNER = CommandScanner(name="bandit", words=_words, plant=_plant, find=_find)
