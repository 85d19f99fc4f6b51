"""Where a run keeps what is too large for an item, and where it says which release is current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common.releases import Release
from lambdas.common.rings import Item, to_items


class Shelf(Protocol):
    """Port to the releases bucket and the release parameter."""

    def put_items(self, key: str, items: Sequence[Item]) -> None: ...
    def make_current(self, release: Release) -> None: ...


@dataclass(frozen=True, kw_only=True)
class ReleaseShelf:
    """The releases bucket in S3, and the parameter in SSM."""

    s3: Any
    ssm: Any
    bucket: str
    parameter: str

    def put_items(self, key: str, items: Sequence[Item]) -> None:
        """Write the deployments that the state machine takes one by one."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=to_items(items).encode(), ContentType="application/json")

    def make_current(self, release: Release) -> None:
        """Make a release the one that new tenants get."""
        self.ssm.put_parameter(Name=self.parameter, Value=release.to_json(), Type="String", Overwrite=True)
