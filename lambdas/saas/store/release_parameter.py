"""The release that provisioning builds run from, in an SSM parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common.errors import NotReleasedError, UnreadableError
from lambdas.saas.model.releases import Release

REPAIR = "`granary repair --release`"


class BadReleaseError(NotReleasedError, UnreadableError):
    """The parameter holds no release: whatever needs one waits, as it does before the first."""


class Releases(Protocol):
    """Port to the current release."""

    def current(self) -> Release: ...


@dataclass(frozen=True, kw_only=True)
class ReleaseParameter:
    """The current release, kept in an SSM parameter that the release machine writes when a run has succeeded."""

    client: Any
    name: str

    def current(self) -> Release:
        """Read the current release.

        Raises:
            NotReleasedError: no run of a release has succeeded yet.
            BadReleaseError: the parameter holds none.
        """
        try:
            value = self.client.get_parameter(Name=self.name)["Parameter"]["Value"]
        except self.client.exceptions.ParameterNotFound as error:
            raise NotReleasedError(
                "no release has been published yet: push the source; provisioning begins when CI/CD has passed it"
            ) from error
        try:
            return Release.from_json(value)
        except ValueError as error:
            raise BadReleaseError(
                f"the release parameter {self.name} holds no release ({error}): run {REPAIR}"
            ) from error
