"""`python -m tests.bench`: measures what the factory promises, and tells what falls short.

Exits with 1 only when a benchmark could not be run: a figure that falls short is shown, not hidden behind an exit code.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from rich.console import Console

from tests.bench.figures import Section
from tests.bench.render import show, write

# Imported when their turn comes: some import the CDK, which starts Node.
BENCHMARKS = {
    "synth": "tests.bench.synth",
    "resources": "tests.bench.resources",
    "builds": "tests.bench.builds",
    "burst": "tests.bench.burst.report",
    "imports": "tests.bench.imports",
    "release": "tests.bench.release.report",
    "planner": "tests.bench.planner",
    "list": "tests.bench.fleet_list",
    "findings": "tests.bench.findings",
    "parsers": "tests.bench.parsers",
    "gates": "tests.bench.gates",
    "permissions": "tests.bench.permissions",
    "arrivals": "tests.bench.arrivals",
    "failover": "tests.bench.failover",
    "chaos": "tests.bench.chaos",
}
_WIDTH = 150


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that were asked for."""
    options = _parse(arguments)
    # What is compared has its bytecode cached, as installed packages have.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # jsii starts the first `node` on the PATH: the one beside this Python, whether or not its environment is active.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    sections: list[Section] = []
    failed: list[str] = []
    for name in options.only or BENCHMARKS:
        try:
            section: Section = import_module(BENCHMARKS[name]).measure(options.rounds)
        except Exception:
            traceback.print_exc()
            failed.append(name)
            continue
        show(section, console=console)
        sections.append(section)
    if options.json:
        write(sections, path=options.json)
    if failed:
        print(f"could not be run: {', '.join(failed)} (see above)", file=sys.stderr)
    return 1 if failed else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what the factory promises.")
    parser.add_argument("--only", nargs="+", choices=list(BENCHMARKS), help="run these benchmarks")
    parser.add_argument("--rounds", type=int, default=7, help="repetitions of what is timed (default: 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
