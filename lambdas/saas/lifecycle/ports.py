"""The ports of the lifecycle function: what it reads and changes outside the tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lambdas.saas.lifecycle.facts import Pipeline, Stack
from lambdas.saas.model.releases import Release
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import StackRef


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An archive: what it is, for people, and whether what it was taken of may go."""

    text: str
    ready: bool = True


class Pipelines(Protocol):
    """Port to the tenants' pipelines, by name; each change is safe to repeat."""

    def look(self, name: str) -> Pipeline: ...
    def disable(self, name: str, *, stage: str, reason: str) -> None: ...
    def enable(self, name: str, *, stage: str) -> None: ...
    def stop(self, name: str, *, execution_id: str, reason: str) -> None: ...
    def start(self, name: str, *, token: str) -> None: ...


class Stacks(Protocol):
    """Port to the stacks of a deployment, wherever they are; GranaryError: the deletion was refused."""

    def look(self, ref: StackRef) -> Stack: ...
    def delete(self, ref: StackRef) -> None: ...


class Archives(Protocol):
    """Port to archives; asked again under the same name, it is the same archive. GranaryError: it cannot be taken."""

    def keep(self, stateful: Stateful, *, ref: StackRef, name: str) -> Kept: ...


class BuildLogs(Protocol):
    """Port to the logs of tenants' builds; safe to repeat. GranaryError: a deletion was refused."""

    def remove(self, deployment_type: str, deployment_id: str) -> None: ...


class Copies(Protocol):
    """Port to the current release (None before the first one), and to the tenants' own copies of a release."""

    def current(self) -> Release | None: ...
    def move(self, deployment_type: str, deployment_id: str, release: Release) -> None: ...
    def remove(self, deployment_type: str, deployment_id: str) -> None: ...
