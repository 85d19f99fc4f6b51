"""A bundle: the immutable record of everything that a delivery deploys, by digest; pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from lambdas.common.evidence.statement import Statement, Subject


@dataclass(frozen=True, kw_only=True)
class Source:
    """The object in S3 that a delivery's source is in, pinned by its version."""

    bucket: str
    key: str
    version_id: str


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a delivery comes from; `revision` names its commit."""

    revision: str
    source: Source
    published_at: str


@dataclass(frozen=True, kw_only=True)
class Bundle(Statement):
    """What a delivery deploys (`subject`, as in-toto calls it, one a digest), and where it comes from."""

    kind = "bundle"
    advice = "publish a newer delivery"

    subject: tuple[Subject, ...]
    predicate: Origin

    @property
    def digest(self) -> str:
        """SHA-256 of its JSON: whoever has it knows whether a bundle is the one that was meant."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()
