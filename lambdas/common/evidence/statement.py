"""A statement about subjects, each by its digest, in in-toto's form, so that other tools can read it; pure.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar, Self

from lambdas.common.errors import UnreadableError
from lambdas.common.versioned_json import Text, plain
from lambdas.common.written import shown

_TYPE = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True, kw_only=True)
class Digest:
    """Digest of a subject's bytes, in hex."""

    sha256: str


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What something is said about, by its name in the statement."""

    name: str
    digest: Digest


class Statement(Text):
    """Base of the statements: `kind` is the word for one, `advice` what to do where one cannot be read."""

    kind: ClassVar[str]
    advice: ClassVar[str]

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` of this or a later version wrote.

        Raises:
            UnreadableError: that is no such statement.
        """
        try:
            read = super().from_json(text)
            if (told := json.loads(text).get("predicateType")) != cls._type_of_predicate():
                raise ValueError(f"it is of type {shown(told)}")  # noqa: TRY301 - whatever is wrong, it is said the same way
        except ValueError as error:
            raise UnreadableError(f"no {cls.kind} can be read ({error}): {cls.advice}") from error
        return read

    @classmethod
    def _type_of_predicate(cls) -> str:
        return f"urn:granary:{cls.kind}"

    def to_json(self) -> str:
        """Write the statement; the same one has the same text."""
        types = {"_type": _TYPE, "predicateType": self._type_of_predicate()}
        return json.dumps({**types, **plain(self)}, sort_keys=True)
