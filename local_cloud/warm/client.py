"""A program's place: has a parent run it and passes its end on, or is the real program where there is no parent.

Python runs it without site packages; what it imports costs next to nothing.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` makes classes that take longer than the rest
import _socket
import marshal
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

LENGTH_BYTES = 4
_NEVER_IGNORED = (_signal.SIGKILL, _signal.SIGSTOP)
_KNOWN_OPTIONS = ("-m", "-c")


def main(*, sockets: Sequence[str], real: str, script: str, executable: str) -> NoReturn:
    """Be `real`, which is a script of Python's if `script` says where; `executable` is what Python calls itself."""
    words = [script, *sys.argv[1:]] if script else sys.argv[1:]
    if not words or (words[0].startswith("-") and words[0] not in _KNOWN_OPTIONS):
        os.execv(real, [real, *sys.argv[1:]])  # noqa: S606
    parent = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        # Parents differ in how they order sets, as any two Pythons do.
        parent.connect(sockets[os.getpid() % len(sockets)])
    except OSError:
        os.execv(real, [real, *sys.argv[1:]])  # noqa: S606
    asked = marshal.dumps(
        {
            "words": words,
            "environment": dict(os.environb),
            "directory": os.getcwd(),  # noqa: PTH109 - pathlib takes longer than the rest
            "umask": _umask(),
            "executable": executable,
        }
    )
    streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)]
    parent.sendmsg([len(asked).to_bytes(LENGTH_BYTES, "big")], rights)
    parent.sendall(asked)
    told = parent.recv(LENGTH_BYTES)
    status = int.from_bytes(told, "big", signed=True) if told else 1
    if status < 0:
        # Whoever has started this may ignore the signal that the program has ended by.
        if -status not in _NEVER_IGNORED:
            _signal.signal(-status, _signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _umask() -> int:
    before = os.umask(0o077)
    os.umask(before)
    return before
