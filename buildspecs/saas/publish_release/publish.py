"""Publishing a release: object, pointer, event; safe to repeat."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from buildspecs.saas.publish_release.archive import digest
from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.releases import REVISION_METADATA, Release, release_key

DETAIL_TYPE = "Release Published"
_DIGEST_METADATA = "granary-sha256"


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Where releases go: bucket, parameter and bus."""

    s3: Any
    ssm: Any
    events: Any
    bucket: str
    parameter: str
    bus: str
    source: str
    clock: Callable[[], datetime]

    def publish(self, revision: str, archive: bytes) -> Release:
        """Make the archive the current release.

        Raises:
            GranaryError: the revision was published before with other contents.
        """
        release = Release(
            revision=revision,
            key=release_key(revision),
            version_id=self._put(revision, archive),
            sha256=digest(archive),
            published_at=stamp(self.clock()),
        )
        self.ssm.put_parameter(Name=self.parameter, Value=release.to_json(), Type="String", Overwrite=True)
        self._tell(release)
        return release

    def _put(self, revision: str, archive: bytes) -> str:
        key = release_key(revision)
        sha256 = digest(archive)
        existing = self._head(key)
        if existing is None:
            put = self.s3.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=archive,
                Metadata={REVISION_METADATA: revision, _DIGEST_METADATA: sha256},
            )
            version: str = put["VersionId"]
            return version
        if existing["Metadata"].get(_DIGEST_METADATA) != sha256:
            raise GranaryError(
                f"revision {revision} was published before with other contents: a release never changes; commit again"
            )
        kept: str = existing["VersionId"]
        return kept

    def _head(self, key: str) -> dict[str, Any] | None:
        try:
            head: dict[str, Any] = self.s3.head_object(Bucket=self.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                return None
            raise
        return head

    def _tell(self, release: Release) -> None:
        answer = self.events.put_events(
            Entries=[
                {
                    "EventBusName": self.bus,
                    "Source": self.source,
                    "DetailType": DETAIL_TYPE,
                    "Detail": json.dumps({"revision": release.revision, "sha256": release.sha256}),
                }
            ]
        )
        if answer["FailedEntryCount"]:
            raise GranaryError(f"the release was published, but not told: {answer['Entries'][0].get('ErrorMessage')}")
