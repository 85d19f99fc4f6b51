"""Builds that CodePipeline starts: which artifacts they take and where theirs go.

The pipeline engine announces a build by its idempotency token just before it calls StartBuild; a real pipeline hands
the same facts over inside AWS.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

Location = tuple[str, str]
"""Bucket and key."""


@dataclass(frozen=True, kw_only=True)
class PipelineBuild:
    """What CodePipeline knows about one build."""

    sources: Mapping[str, Location]
    primary: str
    artifacts: Mapping[str, Location]
    kms_key_id: str | None
    initiator: str
    resolved_version: str | None


_lock = threading.Lock()
_expected: dict[str, PipelineBuild] = {}


def expect(
    *,
    token: str,
    sources: Mapping[str, Location],
    primary: str,
    artifacts: Mapping[str, Location],
    kms_key_id: str | None,
    initiator: str,
    resolved_version: str | None,
) -> None:
    """Announce the build whose idempotencyToken will be `token`."""
    build = PipelineBuild(
        sources=dict(sources),
        primary=primary,
        artifacts=dict(artifacts),
        kms_key_id=kms_key_id,
        initiator=initiator,
        resolved_version=resolved_version,
    )
    with _lock:
        _expected[token] = build


def expected(token: str | None) -> PipelineBuild | None:
    """The announced build, if `token` announces one."""
    with _lock:
        return _expected.get(token) if token is not None else None
