"""A bundle: the immutable record of everything that a delivery deploys, by digest; pure.

Its JSON is a statement as in-toto defines it, so that other tools can read it:
https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Self

from lambdas.common.errors import UnreadableError
from lambdas.common.versioned_json import Text, plain

_TYPES = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "urn:granary:bundle"}


@dataclass(frozen=True, kw_only=True)
class Digest:
    """Digest of a subject's bytes, in hex."""

    sha256: str


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Something that is deployed, by its name in the bundle."""

    name: str
    digest: Digest


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
class Bundle(Text):
    """What a delivery deploys (`subject`, as in-toto calls it, one a digest), and where it comes from."""

    subject: tuple[Subject, ...]
    predicate: Origin

    @property
    def digest(self) -> str:
        """SHA-256 of its JSON: whoever has it knows whether a bundle is the one that was meant."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` of this or a later version wrote.

        Raises:
            UnreadableError: that is no bundle.
        """
        try:
            return super().from_json(text)
        except ValueError as error:
            raise UnreadableError(f"no bundle can be read ({error}): publish a newer delivery") from error

    def to_json(self) -> str:
        """Write the statement; the same bundle has the same text."""
        return json.dumps({**_TYPES, **plain(self)}, sort_keys=True)
