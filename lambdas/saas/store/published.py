"""Objects of the releases bucket as CI/CD has published them: their bytes are hashed again, a piece at a time."""

from __future__ import annotations

import hashlib
from typing import Any

from lambdas.common.aws_errors import NO_OBJECT, ignoring
from lambdas.saas.model.releases import Published

# To who may not list the bucket, S3 says of an object that is not there that it may not be read.
_NOT_THERE = (*NO_OBJECT, "NoSuchVersion", "InvalidArgument", "AccessDenied")
_CHUNK_BYTES = 1024 * 1024


def read_published(s3: Any, *, bucket: str, key: str, version_id: str = "") -> Published | None:
    """Read a version of an object whole, the latest when none is given; None when there is none."""
    version = {"VersionId": version_id} if version_id else {}
    with ignoring(*_NOT_THERE):
        found = s3.get_object(Bucket=bucket, Key=key, **version)
        digest = hashlib.sha256()
        for chunk in found["Body"].iter_chunks(_CHUNK_BYTES):
            digest.update(chunk)
        return Published(
            version_id=found["VersionId"],
            sha256=digest.hexdigest(),
            metadata=found["Metadata"],
            modified=found["LastModified"],
        )
    return None
