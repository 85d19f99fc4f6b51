"""Environments of programs that tests on the local cloud use, made beforehand: `python -m tests.environments`.

On a new machine that takes minutes, which mostly are the network's: CI has them made while the unit tests run. What
cannot be made is told here, and fails the test that needs it, which tries again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from lambdas.gates.scanners.environments import EnvironmentError_, Environments
from local_cloud.athena import program
from local_cloud.glue import environment


def makers() -> Iterator[tuple[str, Callable[[], Path]]]:
    """What makes each of them, by name, the longest first."""
    yield "spark", environment.spark
    scanners = Environments.here()
    # Snyk asks for an account, and no test runs it.
    for name in sorted({lock.stem for lock in scanners.locks.glob("*.txt")} - {"snyk"}):
        yield name, partial(scanners.of, name)
    yield "duckdb", program.python


def _trouble(maker: tuple[str, Callable[[], Path]]) -> str:
    """Why one cannot be made; empty when it is there."""
    name, make = maker
    try:
        make()
    except EnvironmentError_ as error:
        return f"{name}: {error}"
    return ""


def main() -> int:
    """Make them all, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        troubles = list(filter(None, pool.map(_trouble, makers())))
    print(*troubles, sep="\n", file=sys.stderr)
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
