"""The fixed entry of a job: it runs the commands that the job's `buildspec.yaml` has in this very source.

Deployed projects name entries (`python -m buildspecs.<room>.<job>`), never what they run: projects of one revision meet
sources of another, after a release and after a rollback.
"""

from __future__ import annotations

import shlex
import subprocess
import sys

from stacks.buildspecs import fixed_entry, source_commands


def run_job(package: str) -> int:
    """Run the commands of the job in `package`, one after the other; answers the exit code of the first that fails."""
    _, room, job = package.split(".")
    commands = source_commands(room, job)
    for command in (*commands.install, *commands.build):
        if command == fixed_entry(room, job):
            print(f"buildspecs/{room}/{job}/buildspec.yaml names its own entry: name the module that does the work")
            return 1
        if code := _run(shlex.split(command)):
            print(f"`{command}` ended with {code}", flush=True)
            return code
    return 0


def _run(words: list[str]) -> int:
    print("running:", *words, flush=True)
    program = sys.executable if words[0] == "python" else words[0]
    try:
        return subprocess.run([program, *words[1:]], check=False).returncode  # noqa: S603 - fixed words of the source
    except FileNotFoundError:
        return 127
