"""What deployed projects run, and what the source that they run on adds to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from constructs_lib.common.build_commands import BuildCommands

_BUILDSPECS = Path(__file__).parent.parent / "buildspecs"

# A project keeps its commands until its stack is deployed anew, and meets sources of other revisions before that: newer
# ones after a release, older ones after a rollback. So it runs what all revisions have, and that never changes.
# Not compiled: that takes five times as long as the rest, and a build imports a tenth of it.
_REQUIREMENTS = "python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile -r requirements.txt"
_INSTALL: Mapping[tuple[str, str], Sequence[str]] = {
    ("saas", "ci"): (f"{_REQUIREMENTS} -r requirements-dev.txt", "npm ci --no-audit --no-fund"),
}
# Of sources whose entry does not synthesize yet.
_AFTER: Mapping[tuple[str, str], Sequence[str]] = {
    ("saas", "ci"): ("test -e cdk.out/manifest.json || npx cdk synth --quiet",),
}


def fixed_entry(room: str, job: str) -> str:
    """The one command of a job that deployed projects name."""
    return f"python -m buildspecs.{room}.{job}"


@cache
def source_commands(room: str, job: str) -> BuildCommands:
    """What `buildspecs/<room>/<job>/buildspec.yaml` of this source says."""
    text = (_BUILDSPECS / room / job / "buildspec.yaml").read_text(encoding="utf-8")
    return BuildCommands.from_buildspec(yaml.safe_load(text))


def commands_of(room: str, job: str) -> BuildCommands:
    """What a project runs that holds its commands: the fixed entry, which runs the file's commands."""
    build = (fixed_entry(room, job), *_AFTER.get((room, job), ()))
    return replace(source_commands(room, job), install=_INSTALL.get((room, job), (_REQUIREMENTS,)), build=build)


def with_reports(commands: BuildCommands, rooms: Sequence[str]) -> BuildCommands:
    """The commands, with reports of what these rooms' jobs leave beside them."""
    groups = {name: group for room in rooms for name, group in _reports(room).items()}
    return replace(commands, rest={**commands.rest, "reports": groups}) if groups else commands


def _reports(room: str) -> Mapping[str, Any]:
    """What a job leaves there are reports of tests in the console; one that leaves nothing has none."""
    kinds = (("", "*.xml", "JUNITXML"), ("-cucumber", "*.json", "CUCUMBERJSON"))
    return {
        f"{room}{suffix}": {"files": [files], "base-directory": f".build/{room}", "file-format": kind}
        for suffix, files, kind in kinds
    }


def room_commands(room: str, job: str, exports: Sequence[str] = ()) -> BuildCommands:
    """What a room's step of CI/CD runs: the fixed entry; what else the job needs comes with the source.

    `exports` are variables that the build exports: the job leaves them in a file, whether it passes or not.
    A source of before the room has no such job, and nothing that the job could be about: then the step passes.
    """
    folder = f"buildspecs/{room}/{job}"
    left = f".build/{room}/variables.sh"
    absent = f"this source has no {folder}: it is older than the room, and nothing is to be done"
    return BuildCommands(
        install=[_REQUIREMENTS],
        build=[f'if [ -d {folder} ]; then {fixed_entry(room, job)}; else echo "{absent}"; fi'],
        rest={
            "version": "0.2",
            "env": {"shell": "bash"} | ({"exported-variables": list(exports)} if exports else {}),
            "phases": {
                "install": {"runtime-versions": {"python": "3.13"}},
                **({"build": {"finally": [f"if [ -f {left} ]; then . {left}; fi"]}} if exports else {}),
            },
            "cache": {"paths": ["/root/.cache/granary/**/*"]},
            "reports": _reports(room),
        },
    )
