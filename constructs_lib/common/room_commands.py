"""The commands of a room's step in the factory's pipeline."""

from __future__ import annotations

from constructs_lib.common.build_commands import BuildCommands


def room_commands(room: str, job: str) -> BuildCommands:
    """Run `python -m buildspecs.<room>.<job>`; what else the job needs comes with the source.

    A source of before the room has no such job, and nothing that the job could be about: then the step passes.
    """
    folder = f"buildspecs/{room}/{job}"
    absent = f"this source has no {folder}: it is older than the room, and nothing is to be done"
    return BuildCommands(
        install=["python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt"],
        build=[f'if [ -d {folder} ]; then python -m buildspecs.{room}.{job}; else echo "{absent}"; fi'],
        rest={
            "version": "0.2",
            "env": {"shell": "bash"},
            "phases": {"install": {"runtime-versions": {"python": "3.13"}}},
        },
    )
