"""Where a run keeps what is too large for an item, and where it says which release is current."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common.aws_errors import NO_OBJECT, ignoring
from lambdas.common.versioned_json import plain
from lambdas.saas.model.releases import Release
from lambdas.saas.model.rings import Item, Skipped, to_items
from lambdas.saas.release.genuine import Published

# To who may not list the bucket, S3 says of an object that is not there that it may not be read.
_NO_VERSION = (*NO_OBJECT, "NoSuchVersion", "InvalidArgument", "AccessDenied")
_CHUNK_BYTES = 1024 * 1024


class Shelf(Protocol):
    """Port to the releases bucket (its name) and the release parameter."""

    @property
    def bucket(self) -> str: ...
    def published(self, key: str, version_id: str) -> Published | None: ...
    def put_items(self, key: str, items: Sequence[Item]) -> None: ...
    def put_skipped(self, key: str, skipped: Sequence[Skipped]) -> None: ...
    def make_current(self, release: Release) -> None: ...


@dataclass(frozen=True, kw_only=True)
class ReleaseShelf:
    """The releases bucket in S3, and the parameter in SSM."""

    s3: Any
    ssm: Any
    bucket: str
    parameter: str

    def published(self, key: str, version_id: str) -> Published | None:
        """Read a version of an object whole; None when there is none."""
        with ignoring(*_NO_VERSION):
            found = self.s3.get_object(Bucket=self.bucket, Key=key, VersionId=version_id)
            digest = hashlib.sha256()
            for chunk in found["Body"].iter_chunks(_CHUNK_BYTES):
                digest.update(chunk)
            return Published(sha256=digest.hexdigest(), metadata=found["Metadata"], modified=found["LastModified"])
        return None

    def put_items(self, key: str, items: Sequence[Item]) -> None:
        """Write the deployments that the state machine takes one by one."""
        self._put(key, to_items(items))

    def put_skipped(self, key: str, skipped: Sequence[Skipped]) -> None:
        """Write the deployments that a run leaves out, for people."""
        self._put(key, json.dumps(plain(skipped)))

    def make_current(self, release: Release) -> None:
        """Make a release the one that new tenants get."""
        self.ssm.put_parameter(Name=self.parameter, Value=release.to_json(), Type="String", Overwrite=True)

    def _put(self, key: str, text: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode(), ContentType="application/json")
