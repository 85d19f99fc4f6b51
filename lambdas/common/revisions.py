"""What a commit is called wherever something is made of it; pure."""

from __future__ import annotations

import re

from lambdas.common.errors import GranaryError

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_REVISION_LIMIT = 64


def revision_of(resolved_source_version: str) -> str:
    """Turn a resolved source version (commit id, S3 version id, ARN) into a revision: 1 to 64 of [A-Za-z0-9._-].

    Raises:
        GranaryError: nothing is left to name the release by.
    """
    revision = _UNSAFE.sub("-", resolved_source_version.rsplit("/", 1)[-1])[:_REVISION_LIMIT].strip(".-")
    if not revision:
        raise GranaryError(f"source version {resolved_source_version!r} cannot name a release")
    return revision
