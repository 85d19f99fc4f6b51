"""Ends a running build from outside: StopBuild, timeout, server stop."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import threading
from pathlib import Path

from local_cloud.codebuild.failure import BuildInterrupted

_GRACE_SECONDS = 3.0


class BuildControl:
    """The build's process groups and the wish to end it, if there is one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: list[int] = []
        self._reason: str | None = None
        self.interrupted = threading.Event()

    def check(self) -> None:
        """Raise BuildInterrupted when the build shall end."""
        if self._reason is not None:
            raise BuildInterrupted(self._reason)

    def adopt(self, process: subprocess.Popen[bytes]) -> None:
        """Remember a process that leads its own group, to end the group with the build."""
        with self._lock:
            self._groups.append(process.pid)
            interrupted = self._reason is not None
        if interrupted:
            self.end_processes(signal.SIGKILL)

    def interrupt(self, status: str) -> None:
        """End the build as STOPPED or TIMED_OUT; the first reason stays."""
        with self._lock:
            if self._reason is not None:
                return
            self._reason = status
        self.interrupted.set()
        self.end_processes(signal.SIGTERM)
        killer = threading.Timer(_GRACE_SECONDS, self.end_processes, args=(signal.SIGKILL,))
        killer.daemon = True
        killer.start()

    def forget_ended(self) -> None:
        """Forget the groups of which nothing is left: the system soon gives their numbers to processes of others."""
        with self._lock:
            self._groups = [group for group in self._groups if _is_there(group)]

    def end_processes(self, number: signal.Signals) -> None:
        """Signal every process group of the build, those that its processes lead themselves included."""
        self.forget_ended()
        with self._lock:
            # Remembered: once a group's leader is gone, nothing leads from the build to what that has started.
            self._groups += sorted(_groups_below(set(self._groups)) - set(self._groups))
            groups = tuple(self._groups)
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError as error:
        return error.errno != errno.ESRCH
    return True


def _groups_below(groups: set[int]) -> set[int]:
    """Groups of the processes that descend from these groups; a machine without /proc tells of none."""
    processes: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            parent, group = path.read_text().rpartition(")")[2].split()[1:3]
            processes[int(path.parent.name)] = (int(parent), int(group))
    found = set(groups)
    while more := {
        group
        for parent, group in processes.values()
        if group not in found and processes.get(parent, (0, 0))[1] in found
    }:
        found |= more
    return found
