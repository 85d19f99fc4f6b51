"""Trying a file: both jobs run on this machine, on nothing but this file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cli.common.errors import CliError, NotFoundError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.lake.datasets import definitions
from cli.lake.session import LakeSession

_JOBS = "lambdas.lake.spark.laptop"
# Makes the environment of Spark when it is first used, and runs the jobs in it.
_APART = "local_cloud.glue.laptop"
_NAMED = re.compile(r"^(Caused by: )?[\w.]+(Error|Exception): ")
_TOLD = 1_000


def try_file(session: LakeSession, output: Output, *, name: str, file: Path, folder: Path | None) -> Exit:
    """Run both jobs on a file, and tell what they make of it."""
    found = definitions(session, name)
    if not file.is_file():
        raise NotFoundError(f"there is no file {file}")
    with TemporaryDirectory(prefix="granary-lake-") as scratch:
        place = Path(scratch, "definitions")
        place.mkdir()
        for title, text in found.files.items():
            (place / title).write_text(text, encoding="utf-8")
        with nullcontext(folder) if folder else TemporaryDirectory(dir=scratch) as kept:
            output.say("running both jobs here; the first time, setting Spark up takes minutes")
            lines = _run([str(one) for one in (place, file.resolve(), kept)])
    told: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith("{")]
    tables, rows = [one for one in told if "table" in one], [one for one in told if "row" in one]
    output.result({"tables": tables, "quarantined": rows}, _lines(tables, rows))
    return Exit.WRONG if rows else Exit.OK


def _lines(tables: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> list[str]:
    said = [
        f"{one['table']:<24} {one['granary_read']} rows read: {one['granary_good']} good, "
        f"{one['granary_quarantined']} quarantined"
        for one in tables
    ]
    return said + [f"line {one['line'] or '?'}: {', '.join(one['rules'])}: {one['row']}" for one in rows]


def _run(words: Sequence[str]) -> list[str]:
    command = [sys.executable, "-m", _module(), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - words of ours
        said, errors = process.communicate()
    if process.returncode == Exit.UNREACHABLE:
        raise NoSparkError(f"there is no Spark here, and it cannot be set up: {_last(errors)}")
    if process.returncode:
        raise CliError(f"the file cannot be loaded: {_last(errors)}")
    return said.splitlines()


class NoSparkError(CliError):
    """Spark is nowhere on this machine."""

    code = Exit.UNREACHABLE


def _module() -> str:
    if find_spec("pyspark"):
        return _JOBS
    if find_spec("local_cloud"):
        return _APART
    raise NoSparkError("this Python has no pyspark: run the command in a checkout of Granary, which sets Spark up")


def _last(errors: str) -> str:
    """What was wrong: the last error that Python or Java named, without the name; else the last line that was said."""
    lines = [line for line in errors.splitlines() if line.strip()]
    named = [line for line in lines if _NAMED.match(line)]
    return _NAMED.sub("", (named or lines)[-1])[:_TOLD] if lines else "nothing was said"
