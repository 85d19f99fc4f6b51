"""The folder of programs whose place a client takes, and the parents that they ask."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from local_cloud.server.settings import Settings

_HERE = Path(__file__).parent
# A path of more is no address of a socket.
_LONGEST_ADDRESS = 100
_PARENTS = 2


def prepare(settings: Settings) -> None:
    """Write the programs; until there are parents, each is the real one."""
    real, folder = Path(sys.executable), settings.programs_dir
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        _write(folder / name, settings, real=real.parent / name, script="")
    aws = real.parent / "aws"
    _write(folder / "aws", settings, real=aws, script=str(aws))


def begin(settings: Settings) -> list[subprocess.Popen[bytes]]:
    """Start the parents; they end when their standard input is closed, so with this process."""
    return [
        subprocess.Popen(
            [sys.executable, str(_HERE / "parent.py"), address, str(settings.programs_dir / "compiled")],
            stdin=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        for address in addresses(settings)
        if len(address) <= _LONGEST_ADDRESS
    ]


def end(parents: Sequence[subprocess.Popen[bytes]]) -> None:
    """End the parents, whatever they are at; what they have forked goes on."""
    for parent in parents:
        parent.terminate()
    for parent in parents:
        parent.wait()


def addresses(settings: Settings) -> list[str]:
    """Where the parents listen."""
    return [str(settings.programs_dir / f"parent-{number}") for number in range(_PARENTS)]


def _write(path: Path, settings: Settings, *, real: Path, script: str) -> None:
    base = getattr(sys, "_base_executable", sys.executable)
    given = {
        "sockets": addresses(settings),
        "real": str(real),
        "script": script,
        "executable": str(settings.programs_dir / "python"),
    }
    lines = (
        f"#!{base} -IS",
        "import sys",
        f"sys.path.insert(0, {str(_HERE)!r})",
        "from client import main",
        f"main(**{given!r})",
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o755)
