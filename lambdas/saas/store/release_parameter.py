"""The release that provisioning builds run from, in an SSM parameter."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common.errors import NotReleasedError, UnreadableError
from lambdas.common.written import cut
from lambdas.saas.model.releases import Release

REPAIR = "`granary repair --release`"


class BadReleaseError(NotReleasedError, UnreadableError):
    """The parameter holds no release: whatever needs one waits, as it does before the first."""


class Releases(Protocol):
    """Port to the current release."""

    def current(self) -> Release: ...


@dataclass(frozen=True, kw_only=True)
class ReleaseParameter:
    """The current release, kept in an SSM parameter that the release machine writes when a run has succeeded.

    `kept` reads what the releases table keeps under a revision: with it, a parameter that names another object is none.
    """

    client: Any
    name: str
    kept: Callable[[str], Release | None] = lambda _revision: None

    def current(self) -> Release:
        """Read the current release.

        Raises:
            NotReleasedError: no run of a release has succeeded yet.
            BadReleaseError: the parameter holds none, or another than is kept: builds from it would fail for ever.
        """
        try:
            value = self.client.get_parameter(Name=self.name)["Parameter"]["Value"]
        except self.client.exceptions.ParameterNotFound as error:
            raise NotReleasedError(
                "no release has been published yet: push the source; provisioning begins when CI/CD has passed it"
            ) from error
        try:
            found = Release.from_json(value)
        except ValueError as error:
            raise BadReleaseError(
                f"the release parameter {self.name} holds no release ({error}): run {REPAIR}"
            ) from error
        kept = None
        with suppress(UnreadableError):  # told where it is read for itself
            kept = self.kept(found.revision)
        if kept and _object(kept) != _object(found):
            raise BadReleaseError(
                f"the release parameter {self.name} names version {cut(found.version_id)} of {cut(found.key)}, and "
                f"the release {found.revision} that is kept is version {kept.version_id} of {kept.key}, or has another "
                f"sha256: run {REPAIR}"
            )
        return found


def _object(release: Release) -> tuple[str, str, str]:
    return release.key, release.version_id, release.sha256
