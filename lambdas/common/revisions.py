"""What a commit is called wherever something is made of it, and what the object of its release says; pure."""

from __future__ import annotations

import re

from lambdas.common.errors import GranaryError

# Metadata of the object: the digest of its bytes, and the gates whose verdicts it needs.
DIGEST_METADATA = "granary-sha256"
GATES_METADATA = "granary-gates"

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


def release_key(revision: str) -> str:
    """Object key of a release's source in the releases bucket."""
    return f"releases/{revision}/source.zip"
