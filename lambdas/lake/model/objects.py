"""Versions of objects that arrive in the lake, and how far each has come; pure.

The key of everything is (bucket, key, version id): an event that comes twice, late or out of order changes nothing, and
two versions of one key are two objects.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lambdas.common.clock import Stamp
from lambdas.common.versioned_json import Text, plain, read

_ID_LETTERS = 32


class Phase(StrEnum):
    """How far an object version has come."""

    CLAIMED = "CLAIMED"
    STARTED = "STARTED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    # It is no dataset's: nothing was started.
    REFUSED = "REFUSED"


@dataclass(frozen=True, kw_only=True)
class ObjectVersion:
    """One version of an object, by which everything that it becomes is found."""

    bucket: str
    key: str
    version: str

    @property
    def id(self) -> str:
        """32 hexadecimal digits that stand for it in names, partitions and the audit table."""
        return hashlib.sha256("\0".join((self.bucket, self.key, self.version)).encode()).hexdigest()[:_ID_LETTERS]


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An object version that has arrived, on a day (UTC, YYYY-MM-DD), of so many bytes."""

    object: ObjectVersion
    day: str
    size: int = 0

    @property
    def is_marker(self) -> bool:
        """Whether it only stands for a folder, as consoles and Hadoop write them: it has no content."""
        return self.object.key.endswith(("/", "_$folder$"))


@dataclass(frozen=True, kw_only=True)
class AuditRow(Text):
    """What is known of an object version: the row of the audit table under its `id`.

    `run` is the state machine's execution that has it now: `<id>-<attempt>`. `size` is in bytes;
    `read`, `good` and `quarantined` are rows of the object, as its commit has them.
    """

    id: str
    bucket: str
    key: str
    version: str
    day: str
    dataset: str = ""
    phase: Phase = Phase.CLAIMED
    attempt: int = 1
    claimed_at: Stamp = ""
    updated_at: Stamp = ""
    reason: str = ""
    size: int = 0
    read: int = 0
    good: int = 0
    quarantined: int = 0

    @property
    def run(self) -> str:
        return f"{self.id}-{self.attempt}"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Where the raw objects of a dataset are, and the table that they become."""

    dataset: str
    prefix: str
    table: str


def read_folders(text: str) -> tuple[Folder, ...]:
    """Read what `write_folders` wrote."""
    return tuple(read(Folder, one) for one in json.loads(text))


def write_folders(folders: Sequence[Folder]) -> str:
    """Write folders for the functions that look keys up."""
    return json.dumps(plain(folders), sort_keys=True)
