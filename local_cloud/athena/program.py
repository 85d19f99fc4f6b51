"""The program that executes queries, in an environment of its own that is made when it is first used."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lambdas.gates.scanners.environments import Environments

_VARIABLE, _SECONDS = "GRANARY_DUCKDB", 300


class FailedError(Exception):
    """The program has not answered."""


def python() -> Path:
    """The Python that has DuckDB: below GRANARY_DUCKDB, or in the user's cache. The first call installs it.

    Raises:
        lambdas.gates.scanners.environments.EnvironmentError_: it cannot be made.
    """
    root = Path(os.environ.get(_VARIABLE) or Path.home() / ".cache" / "granary" / "duckdb")
    return Environments(root=root, locks=Path(__file__).parent).of("duckdb") / "bin" / "python"


def run(
    request: Mapping[str, Any], started: Callable[[subprocess.Popen[bytes]], None] = lambda _: None
) -> dict[str, Any]:
    """What the program answers; `started` is told of its process.

    Raises:
        FailedError: it has not answered.
    """
    process = subprocess.Popen(
        [str(python()), "-I", str(Path(__file__).with_name("runner.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"LANG": "C.UTF-8", "TZ": "UTC", "HOME": "/nonexistent"},
    )
    started(process)
    try:
        said, errors = process.communicate(json.dumps(request).encode(), timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        process.kill()
        raise FailedError(f"Query timeout: {_SECONDS} seconds") from error
    if process.returncode:
        raise FailedError(f"GENERIC_INTERNAL_ERROR: {errors.decode()[-500:]}")
    answer: dict[str, Any] = json.loads(said)
    return answer
