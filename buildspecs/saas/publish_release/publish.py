"""Publishing a release: the object, and the start of the machine that takes it to the tenants; safe to repeat."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from buildspecs.saas.publish_release.archive import digest
from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.releases import REVISION_METADATA, Release, release_key
from lambdas.common.runs import run_name

_DIGEST_METADATA = "granary-sha256"


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Where releases go: the bucket, and the release machine (its ARN)."""

    s3: Any
    stepfunctions: Any
    bucket: str
    machine: str
    clock: Callable[[], datetime]

    def publish(self, revision: str, archive: bytes) -> Release:
        """Publish the archive, and have it released; which release is current the machine decides when it is through.

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
        self._start(release)
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

    def _start(self, release: Release) -> None:
        try:
            self.stepfunctions.start_execution(
                stateMachineArn=self.machine,
                name=run_name(release),
                input=json.dumps({"release": asdict(release), "resumes": ""}),
            )
        except ClientError as error:
            # A stage that is retried: the release is on its way.
            if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
