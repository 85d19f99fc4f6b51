"""The tenants' own copies of a release, in the releases bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lambdas.common.errors import NotReleasedError
from lambdas.saas.model.contract import usable
from lambdas.saas.model.releases import Release, tenant_key
from lambdas.saas.store.release_parameter import Releases
from lambdas.saas.store.tenant_copies import copy_release


@dataclass(frozen=True, kw_only=True)
class ReleaseCopies:
    """Copies of releases in S3; `releases` knows the current one."""

    s3: Any
    bucket: str
    releases: Releases

    def current(self) -> Release | None:
        """Read the current release; None before the first one, and while these functions cannot handle it."""
        try:
            return usable(self.releases.current())
        except NotReleasedError:
            return None

    def move(self, deployment_type: str, deployment_id: str, release: Release) -> None:
        """Make a release the tenant's own."""
        copy_release(self.s3, self.bucket, release, key=tenant_key(deployment_type, deployment_id))

    def remove(self, deployment_type: str, deployment_id: str) -> None:
        """Delete the tenant's copy; the bucket keeps the old version as long as it keeps any."""
        self.s3.delete_object(Bucket=self.bucket, Key=tenant_key(deployment_type, deployment_id))
