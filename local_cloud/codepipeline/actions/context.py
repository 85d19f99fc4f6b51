"""What an action gets to work with, and what it gives back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local_cloud.codepipeline import artifacts
from local_cloud.codepipeline.definition import Action, ArtifactStore
from local_cloud.codepipeline.errors import ActionAbandoned, ActionFailed, configuration_error
from local_cloud.codepipeline.executions import ActionExecution, Execution, Halt, S3Location, SourceRevision
from local_cloud.codepipeline.identity import Identity
from local_cloud.codepipeline.store import Pipeline

POLL_SECONDS = 0.2
_ENDING = frozenset({Halt.ABANDON, Halt.CANCEL, Halt.SUPERSEDE})


@dataclass(kw_only=True)
class Outcome:
    """A successful action's result; artifacts are those that the action itself did not write to ``outputs``."""

    variables: dict[str, str] = field(default_factory=dict)
    revision: SourceRevision | None = None
    written: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Context:
    """One run of an action: its declaration, identities, resolved configuration and artifacts."""

    pipeline: Pipeline
    execution: Execution
    run: ActionExecution
    base: Identity
    identity: Identity

    @property
    def action(self) -> Action:
        """The action's declaration."""
        return self.run.action

    @property
    def store(self) -> ArtifactStore:
        """The artifact store of the action's Region."""
        return artifacts.store_of(self.execution.definition, self.action.region)

    def client(self, service: str) -> Any:
        """A boto3 client with the action's credentials in the action's Region."""
        return self.identity.client(service, region=self.action.region)

    def setting(self, name: str) -> str:
        """A required configuration value."""
        try:
            return self.run.configuration[name]
        except KeyError:
            raise configuration_error(f"Action configuration lacks {name}") from None

    def optional(self, name: str, default: str = "") -> str:
        """An optional configuration value."""
        return self.run.configuration.get(name, default)

    def json_setting(self, name: str, default: Any) -> Any:
        """A configuration value that is JSON."""
        text = self.run.configuration.get(name)
        if not text:
            return default
        try:
            return json.loads(text)
        except ValueError as error:
            raise configuration_error(f"{name} is not valid JSON: {error}") from error

    @property
    def artifact_reader(self) -> Identity:
        """Who reads and writes artifacts: the action, or the pipeline's role when the action acts in another account.

        S3 is per account in the local cloud, so that a bucket policy cannot let another account in.
        """
        return self.identity if self.identity.account == self.base.account else self.base

    def read(self, *, artifact: str, path: str) -> bytes:
        """A file out of an input artifact."""
        location = self.run.inputs.get(artifact)
        if location is None:
            raise configuration_error(f"Artifact {artifact} is not an input of action {self.action.name}")
        body = artifacts.get(self.artifact_reader, location=location, region=self.action.region)
        return artifacts.member(body, artifact=artifact, path=path)

    def read_reference(self, reference: str) -> bytes:
        """A file named as ``artifact::path``."""
        artifact, separator, path = reference.partition("::")
        if not separator:
            raise configuration_error(f"{reference!r} is not of the form artifact::path")
        return self.read(artifact=artifact, path=path)

    def write(self, *, artifact: str, body: bytes) -> None:
        """Write an output artifact."""
        location = self.run.outputs[artifact]
        artifacts.put(self.artifact_reader, body=body, location=location, store=self.store, region=self.action.region)

    def describe(self, *, external_id: str, url: str | None = None) -> None:
        """Name the thing that the action drives, such as a build or a stack."""
        with self.pipeline.changed:
            self.run.external_id, self.run.external_url = external_id, url
            self.pipeline.changed.notify_all()

    def wait(self, done: Callable[[], bool], *, default_minutes: int) -> None:
        """Ask ``done`` until it is true, the action's time is up, or the execution ends (ActionAbandoned)."""
        minutes = self.action.timeout_minutes or default_minutes
        deadline = time.monotonic() + minutes * 60
        while not done():
            if time.monotonic() > deadline:
                raise ActionFailed("JobTimedOut", f"The action did not complete within {minutes} minutes")
            self.pause(POLL_SECONDS)

    def pause(self, seconds: float) -> None:
        """Sleep, but wake up when the pipeline's state changes; raises ActionAbandoned when the execution ends."""
        with self.pipeline.changed:
            if self.execution.halt not in _ENDING:
                self.pipeline.changed.wait(seconds)
            if self.execution.halt in _ENDING:
                raise ActionAbandoned


def bucket_url(location: S3Location) -> str:
    """The console-like address of an object."""
    return f"https://s3.console.aws.amazon.com/s3/object/{location.bucket}/{location.key}"
