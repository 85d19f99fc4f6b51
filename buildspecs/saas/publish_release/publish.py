"""Publishing a release: the object, and the start of the machine that takes it to the tenants; safe to repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from buildspecs.archive import digest
from lambdas.common.aws_errors import NO_OBJECT, ignoring
from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.revisions import DIGEST_METADATA, release_key
from lambdas.saas.model.contract import CONTRACT
from lambdas.saas.model.releases import PUBLISHED_METADATA, Release, tenants_of
from lambdas.saas.model.runs import run_name
from lambdas.saas.store.release_starts import ReleaseMachine, start_run


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Where releases go: the bucket, and the release machine (its ARN); `gates` name those whose verdicts they need.

    With `starts`, publishing a release starts it; without, a person does.
    """

    s3: Any
    stepfunctions: Any
    bucket: str
    machine: str
    gates: tuple[str, ...]
    starts: bool
    clock: Callable[[], datetime]

    def publish(self, revision: str, archive: bytes, *, tenants: str = "") -> Release:
        """Publish the archive, and have it released if that is wanted; `tenants` is the digest of what they get of it.

        Which release is current the machine decides when it is through.

        Raises:
            GranaryError: the revision was published before with other contents.
        """
        new = Release(
            revision=revision,
            key=release_key(revision),
            version_id="",
            sha256=digest(archive),
            published_at=stamp(self.clock()),
            contract=CONTRACT,
            gates=self.gates,
            tenants=tenants,
        )
        release = self._put(new, archive)
        if self.starts:
            machine = ReleaseMachine(client=self.stepfunctions, machine_arn=self.machine)
            start_run(machine, run_name(release), release=release)
        return release

    def _put(self, new: Release, archive: bytes) -> Release:
        """Put the object, unless it is there; answers the release as it was published first.

        A stage that is run again must not make an old release a new one, which would take over a later one.
        """
        existing = self._head(new.key)
        if existing is None:
            put = self.s3.put_object(Bucket=self.bucket, Key=new.key, Body=archive, Metadata=new.metadata)
            return replace(new, version_id=put["VersionId"])
        if existing["Metadata"].get(DIGEST_METADATA) != new.sha256:
            raise GranaryError(
                f"revision {new.revision} was published before with other contents: a release never changes; "
                "commit again"
            )
        published = existing["Metadata"].get(PUBLISHED_METADATA) or stamp(existing["LastModified"])
        tenants = tenants_of(existing["Metadata"])
        return replace(new, version_id=existing["VersionId"], published_at=published, tenants=tenants)

    def _head(self, key: str) -> dict[str, Any] | None:
        with ignoring(*NO_OBJECT):
            head: dict[str, Any] = self.s3.head_object(Bucket=self.bucket, Key=key)
            return head
        return None
