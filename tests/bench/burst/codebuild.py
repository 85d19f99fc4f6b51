"""A simulated CodeBuild: limits, throttling, tokens and a queue, behind the part of the client that is used."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from tests.bench.burst.simulation import Process, Simulation

TOKEN_MEMORY_SECONDS = 300.0
CALL_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What CodeBuild admits: builds at once, and five times as many in the queue.

    https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html. `throttled` is the share of StartBuild
    calls that fail after the SDK's own retries; `queued_seconds` is the project's queued timeout.
    """

    running: int = 20
    throttled: float = 0.1
    queued_seconds: float = 1800.0

    @property
    def queued(self) -> int:
        """Builds that may wait."""
        return 5 * self.running


@dataclass(kw_only=True)
class Counts:
    """What was asked of CodeBuild and what it answered."""

    calls: int = 0
    throttled: int = 0
    refused: int = 0
    repeated: int = 0
    timed_out: int = 0


@dataclass(eq=False, kw_only=True)
class Build:
    """A build: its id, the deployments that it is for, when it was asked for and whether it is over."""

    id: str
    ids: tuple[str, ...]
    asked_at: float
    request: dict[str, Any]
    complete: bool = False


class CodeBuild:
    """Starts builds as its limits allow; `work` is what a build does."""

    def __init__(
        self, simulation: Simulation, *, limits: Limits, seed: int, work: Callable[[Build, Process], None]
    ) -> None:
        self._simulation = simulation
        self._limits = limits
        self._random = Random(seed)  # noqa: S311 - the same in every run is what is wanted
        self._work = work
        self._running = 0
        self._queue: deque[Build] = deque()
        self.builds: dict[str, Build] = {}
        self.counts = Counts()

    def client(self, caller: Process) -> CodeBuildClient:
        """The client of a function or a build, whose time the calls take."""
        return CodeBuildClient(self, caller)

    def start(self, request: dict[str, Any]) -> str:
        """Answer StartBuild with the build's id.

        Raises:
            ClientError: throttled, at the limit, or a token that was used for another request.
        """
        self.counts.calls += 1
        if self._random.random() < self._limits.throttled:
            self.counts.throttled += 1
            raise _error("ThrottlingException", "Rate exceeded")
        if known := self._known(request):
            self.counts.repeated += 1
            return known.id
        if self._running >= self._limits.running and len(self._queue) >= self._limits.queued:
            self.counts.refused += 1
            raise _error(
                "AccountLimitExceededException", f"Cannot have more than {self._limits.queued} builds in queue"
            )
        return self._admit(request).id

    def _known(self, request: dict[str, Any]) -> Build | None:
        token = request.get("idempotencyToken")
        since = self._simulation.now - TOKEN_MEMORY_SECONDS
        for build in self.builds.values() if token else ():
            if build.asked_at >= since and build.request.get("idempotencyToken") == token:
                if build.request != request:
                    raise _error("InvalidInputException", "the token was used with other parameters")
                return build
        return None

    def _admit(self, request: dict[str, Any]) -> Build:
        variables = {entry["name"]: entry["value"] for entry in request["environmentVariablesOverride"]}
        build = Build(
            id=f"{request['projectName']}:{len(self.builds)}",
            ids=tuple(json.loads(variables["DEPLOYMENT_IDS"])),
            asked_at=self._simulation.now,
            request=request,
        )
        self.builds[build.id] = build
        self._queue.append(build)
        self._start_queued()
        return build

    def _start_queued(self) -> None:
        while self._queue and self._running < self._limits.running:
            build = self._queue.popleft()
            if self._simulation.now - build.asked_at > self._limits.queued_seconds:
                self.counts.timed_out += 1
                build.complete = True
                continue
            self._running += 1
            self._simulation.start(partial(self._do, build))

    def _do(self, build: Build, process: Process) -> None:
        self._work(build, process)
        build.complete = True
        self._running -= 1
        self._start_queued()


@dataclass(frozen=True)
class CodeBuildClient:
    """What Granary uses of boto3's CodeBuild client."""

    service: CodeBuild
    caller: Process

    def start_build(self, **request: Any) -> dict[str, Any]:
        """StartBuild."""
        self.caller.sleep(CALL_SECONDS)
        return {"build": {"id": self.service.start(request)}}

    def batch_get_builds(self, *, ids: Sequence[str]) -> dict[str, Any]:
        """BatchGetBuilds."""
        self.caller.sleep(CALL_SECONDS)
        found = [self.service.builds[key] for key in ids if key in self.service.builds]
        return {"builds": [{"id": build.id, "buildComplete": build.complete} for build in found]}


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "StartBuild")
