"""The releases that rows pin: each is read as it was published, and passes the gates that a run of it would pass."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lambdas.common.aws_errors import NO_OBJECT, ignoring
from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError, NotReleasedError
from lambdas.common.revisions import DIGEST_METADATA, GATES_METADATA, release_key
from lambdas.saas.model.contract import unfit, usable
from lambdas.saas.model.releases import PUBLISHED_METADATA, Release, contract_of, tenants_of
from lambdas.saas.store.release_parameter import Releases
from lambdas.saas.store.verdicts import ReleaseVerdicts, Verdicts

# To who may not list the bucket, S3 says of an object that is not there that it may not be read.
_NOT_THERE = (*NO_OBJECT, "AccessDenied")


class Pins(Protocol):
    """Port to the releases that rows may pin."""

    def release(self, revision: str) -> Release: ...
    def why_not(self, revision: str, needs: int) -> str: ...


@dataclass(frozen=True, kw_only=True)
class CheckedPins:
    """The releases in the releases bucket (its name), and what stands against placing a deployment at one.

    Only CI/CD may write them there, and nothing deletes them. `releases` knows the current release.
    """

    s3: Any
    bucket: str
    verdicts: Verdicts
    releases: Releases

    def find(self, revision: str) -> Release:
        """Read a release from its object, whose bytes are hashed again; whoever names it knows nothing else of it.

        Raises:
            NotReleasedError: there is none, or it is not what was published.
        """
        key = release_key(revision)
        with ignoring(*_NOT_THERE):
            found = self.s3.get_object(Bucket=self.bucket, Key=key)
            digest, metadata = hashlib.sha256(found["Body"].read()).hexdigest(), found["Metadata"]
            if metadata.get(DIGEST_METADATA, digest) != digest:
                raise NotReleasedError(f"release {revision} is refused: the sha256 of its object is not what it says")
            return Release(
                revision=revision,
                key=key,
                version_id=found["VersionId"],
                sha256=digest,
                published_at=metadata.get(PUBLISHED_METADATA) or stamp(found["LastModified"]),
                contract=contract_of(metadata),
                gates=tuple(filter(None, metadata.get(GATES_METADATA, "").split(","))),
                tenants=tenants_of(metadata),
            )
        raise NotReleasedError(
            f"release {revision} is not published, or its source is gone from the releases bucket: name one that is "
            "there by its whole revision, or publish it"
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
