"""Containers that are processes of this machine, for ministack's ECS, which takes them for Docker's.

What a task runs is the program of this package, or what `images.json` of the state directory says of its image:
`{"registry/repository:*": ["command", "--port", "{port}"]}`, read at each start, the first pattern that fits.
"""

from __future__ import annotations

import fnmatch
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local_cloud.codebuild.control import BuildControl
from local_cloud.server import environment, faults, ports
from local_cloud.server import settings as server_settings

_HERE = Path(__file__).parent
# What a task takes from its placement to its first process; Fargate takes half a minute.
_START_SECONDS = 1.0
_LOOKED_SECONDS = 0.1
_GRACE_SECONDS = 2.0
_TASK_LABEL = "com.amazonaws.ecs.task-arn"
# An address of this machine's, as that of a network interface.
_NETWORKS = {"NetworkSettings": {"Networks": {"local": {"IPAddress": "127.0.0.1"}}}}


class Container:
    """A process in a folder and a process group of its own; the methods are those of Docker's containers."""

    def __init__(self, *, image: str, command: Sequence[str], variables: Mapping[str, str], task: str) -> None:
        self.id = secrets.token_hex(32)
        self.port = _ports.take()
        self.attrs = _NETWORKS
        self._folder = server_settings.current().scratch_dir / "ecs" / self.id[:12]
        (self._folder / "home").mkdir(parents=True)
        self._log = self._folder / "log"
        own = {"PORT": str(self.port), "IMAGE": image, "TASK": task, "HOME": str(self._folder / "home")}
        words = [word.replace("{port}", str(self.port)) for word in command]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                words,
                cwd=self._folder / "home",
                env={"PATH": environment.tools_path(), "LANG": "C.UTF-8", **variables, **own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._control = BuildControl()
        self._control.adopt(self._process)

    @property
    def group(self) -> int:
        """The process group that it leads."""
        return self._process.pid

    @property
    def status(self) -> str:
        """`running` or `exited`."""
        return "running" if self._process.poll() is None else "exited"

    def reload(self) -> None:
        """Nothing is remembered that could be out of date."""

    def wait(self) -> dict[str, int]:
        """How it ended; a signal is a number above 128, as in Docker."""
        status = self._process.wait()
        return {"StatusCode": status if status >= 0 else 128 - status}

    def logs(self, *, follow: bool = False, **_: Any) -> Any:
        """What it has written so far, or, followed, all of it in pieces."""
        return self._followed() if follow else self._log.read_bytes()

    def _followed(self) -> Iterator[bytes]:
        with self._log.open("rb") as log:
            ended = False
            while not ended:
                ended = self.status == "exited"
                yield from iter(log.readline, b"")
                time.sleep(0.2)

    def stop(self, **_: Any) -> None:
        """End it: gently, and after a while not."""
        self._control.end_processes(signal.SIGTERM)
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._control.end_processes(signal.SIGKILL)

    def remove(self, **_: Any) -> None:
        """End what is left of it, and forget it."""
        self._control.end_processes(signal.SIGKILL)
        self._process.wait()
        PROCESSES.forget(self)
        _ports.give_back(self.port)
        shutil.rmtree(self._folder, ignore_errors=True)


class _Ports:
    """Free ports of this machine: each is one container's, which listens there only some time after it was given it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: set[int] = set()

    def take(self) -> int:
        """A port that no other container has."""
        with self._lock:
            while (port := ports.free()) in self._given:
                continue
            self._given.add(port)
        return port

    def give_back(self, port: int) -> None:
        """Its container is gone."""
        with self._lock:
            self._given.discard(port)


class Images:
    """Every image is there, and no registry knows its digest."""

    def get(self, image: str) -> str:
        """The image, which needs no looking at."""
        return image

    def pull(self, image: str, **_: Any) -> str:
        """The same."""
        return image

    def get_registry_data(self, image: str, **_: Any) -> Any:
        """Raises KeyError: there is no registry."""
        raise KeyError(image)


class Processes:
    """All containers; takes the place of a Docker client and of its `containers`."""

    def __init__(self) -> None:
        self.containers = self
        self.images = Images()
        self._lock = threading.Lock()
        self._known: dict[str, Container] = {}
        self._warden: subprocess.Popen[str] | None = None

    def run(self, image: str, *, environment: Mapping[str, str], labels: Mapping[str, str], **given: Any) -> Container:
        """Start a task's container; what a task definition says of devices, volumes and users is not applied."""
        placed = time.monotonic()
        # Asked again and again: a test that held tasks up lets go of those that are on their way, too.
        while time.monotonic() - placed < _start_seconds():
            time.sleep(_LOOKED_SECONDS)
        command = _command_of(image) or given.get("command") or [sys.executable, "-IS", str(_HERE / "program.py")]
        task = labels[_TASK_LABEL].rpartition("/")[2]
        container = Container(image=image, command=command, variables=environment, task=task)
        with self._lock:
            self._known[container.id] = container
            self._tell_warden(f"+{container.group}")
        return container

    def get(self, name: str) -> Container:
        """A container; raises KeyError."""
        return self._known[name]

    def port_of(self, name: str) -> int:
        """Where a container answers; 0 when it is gone."""
        container = self._known.get(name)
        return container.port if container else 0

    def list(self, **_: Any) -> Sequence[Container]:
        """None to be cleared away: all are their tasks'."""
        return ()

    def forget(self, container: Container) -> None:
        """Drop a container that has ended."""
        with self._lock:
            if self._known.pop(container.id, None):
                self._tell_warden(f"-{container.group}")

    def stop_all(self) -> None:
        """End every process; the server is about to end."""
        for container in tuple(self._known.values()):
            container.remove()

    def _tell_warden(self, line: str) -> None:
        """Have a process of its own end the tasks' when the server is killed."""
        if self._warden is None:
            command = [sys.executable, "-IS", str(_HERE / "warden.py")]
            self._warden = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)
        if self._warden.stdin:
            self._warden.stdin.write(f"{line}\n")
            self._warden.stdin.flush()


PROCESSES = Processes()
_ports = _Ports()


def _start_seconds() -> float:
    setting = faults.board.setting("ecs", "start_seconds")
    return _START_SECONDS if setting is None else float(setting)


def _command_of(image: str) -> list[str]:
    """The command that the settings have for an image; empty when they have none."""
    file = server_settings.current().state_dir / "images.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return next((list(map(os.fspath, words)) for name, words in known.items() if fnmatch.fnmatch(image, name)), [])
