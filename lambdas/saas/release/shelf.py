"""Where a run keeps what is too large for an item, and where it says which release is current."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common.versioned_json import plain
from lambdas.saas.model.releases import Published, Release
from lambdas.saas.model.rings import Item, Skipped, to_items
from lambdas.saas.store.published import read_published


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
        return read_published(self.s3, bucket=self.bucket, key=key, version_id=version_id)

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
