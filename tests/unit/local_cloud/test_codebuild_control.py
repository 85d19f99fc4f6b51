"""Ending a build's processes, those in sessions of their own included."""

from __future__ import annotations

import select
import signal
import subprocess
from pathlib import Path

import pytest

from local_cloud.codebuild.control import BuildControl

# Its child leads a session of its own, in which a child of that holds the pipe open: a build that runs the CLI.
_CHILD = "import subprocess; subprocess.run(['sleep', '600'])"
_BUILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {_CHILD!r}], start_new_session=True).wait()"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="descendants are read from /proc")
def test_a_build_that_is_stopped_leaves_no_process_behind() -> None:
    script = f"import os; os.write(1, b'.')\n{_BUILD}"
    process = subprocess.Popen(["python3", "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout
    control = BuildControl()
    control.adopt(process)
    try:
        assert process.stdout.read(1) == b"."
        _wait_for_sleep(process.pid)
        control.interrupt("STOPPED")
        assert select.select([process.stdout], [], [], 5)[0], "the pipe ends with its last holder"
        assert process.stdout.read() == b""
    finally:
        process.kill()
        process.wait()


def test_a_group_that_has_ended_is_not_signalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given the shell of a phase that is over, then a signal does not hit who has its number by then."""
    control, signalled = BuildControl(), list[int]()
    ended = subprocess.Popen(["true"], start_new_session=True)
    control.adopt(ended)
    ended.wait()
    control.forget_ended()
    monkeypatch.setattr("os.killpg", lambda group, _: signalled.append(group))
    control.end_processes(signal.SIGKILL)
    assert signalled == []


def _wait_for_sleep(pid: int) -> None:
    """Until the build has started what it starts, which the kernel tells as the children of each process."""
    for _ in range(2):
        children = Path(f"/proc/{pid}/task/{pid}/children")
        while not (found := children.read_text().split()):
            pass
        pid = int(found[0])
