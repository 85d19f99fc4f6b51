"""The releases that rows pin: each is read as it was published, and passes the gates that a run of it would pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError, NotReleasedError
from lambdas.common.revisions import DIGEST_METADATA, GATES_METADATA, release_key
from lambdas.saas.model.contract import unfit, usable
from lambdas.saas.model.releases import PUBLISHED_METADATA, Release, contract_of, tenants_of
from lambdas.saas.store.published import read_published
from lambdas.saas.store.release_parameter import Releases
from lambdas.saas.store.verdicts import ReleaseVerdicts, Verdicts


class Pins(Protocol):
    """Port to the releases that rows may pin."""

    def release(self, revision: str) -> Release: ...
    def why_not(self, revision: str, needs: int) -> str: ...
    def remembering(self) -> Pins: ...


@dataclass(frozen=True, kw_only=True)
class CheckedPins:
    """The releases in the releases bucket (its name), and what stands against placing a deployment at one.

    Only CI/CD may write them there, and nothing deletes them. `releases` knows the current release. With a `memory`,
    each release is read once.
    """

    s3: Any
    bucket: str
    verdicts: Verdicts
    releases: Releases
    memory: dict[str, Release] | None = None

    def remembering(self) -> CheckedPins:
        """The same for one piece of work, which may look at a fleet that is pinned to one release."""
        return replace(self, memory={})

    def find(self, revision: str) -> Release:
        """Read a release from its object, whose bytes are hashed again; whoever names it knows nothing else of it.

        Raises:
            NotReleasedError: there is none, or it is not what was published.
        """
        if self.memory is None:
            return self._read(revision)
        if revision not in self.memory:
            self.memory[revision] = self._read(revision)
        return self.memory[revision]

    def _read(self, revision: str) -> Release:
        found = read_published(self.s3, bucket=self.bucket, key=(key := release_key(revision)))
        if found is None:
            raise NotReleasedError(
                f"release {revision} is not published, or its source is gone from the releases bucket: name one that "
                "is there by its whole revision, or publish it"
            )
        if found.metadata.get(DIGEST_METADATA, found.sha256) != found.sha256:
            raise NotReleasedError(f"release {revision} is refused: the sha256 of its object is not what it says")
        return Release(
            revision=revision,
            key=key,
            version_id=found.version_id,
            sha256=found.sha256,
            published_at=found.metadata.get(PUBLISHED_METADATA) or stamp(found.modified),
            contract=contract_of(found.metadata),
            gates=tuple(filter(None, found.metadata.get(GATES_METADATA, "").split(","))),
            tenants=tenants_of(found.metadata),
        )

    def release(self, revision: str) -> Release:
        """Read the release that a row pins.

        Raises:
            NotReleasedError: there is none, or these functions cannot handle it.
        """
        return usable(self.find(revision))

    def why_not(self, revision: str, needs: int) -> str:
        """Tell why no deployment that needs a contract may be placed at a release, and what to do; empty when it may.

        That a verdict has expired holds nobody up who goes back to what is current, or to what came before it.
        """
        try:
            release = self.release(revision)
        except NotReleasedError as error:
            return f"revision cannot be placed: {error}"
        why = unfit(release, needs) or self.verdicts.why_not(release, forward=self._is_ahead(release))
        return f"revision {revision} cannot be placed: {why}" if why else ""

    def _is_ahead(self, release: Release) -> bool:
        try:
            return release.published_at > self.releases.current().published_at
        except GranaryError:
            return True


def checked_pins(s3: Any, *, bucket: str, releases: Releases, clock: Callable[[], datetime]) -> CheckedPins:
    """Put together what reads pins from the releases bucket (its name)."""
    verdicts = ReleaseVerdicts(s3=s3, bucket=bucket, clock=clock)
    return CheckedPins(s3=s3, bucket=bucket, verdicts=verdicts, releases=releases)
