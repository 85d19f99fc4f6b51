"""Plans, and which grants are ours, in a bucket by their digests; and the table that says which of them count.

The table has one item for each account and Region: who applies a plan there now, the last plan, and which grants are
ours. Grants are written down as ours before they are made: a run that dies leaves none that nobody knows of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from lambdas.common import dynamo
from lambdas.common.aws_errors import NO_OBJECT, code_of, ignoring
from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.common.versioned_json import Text
from lambdas.lake.model.governance.grants import Grant
from lambdas.lake.model.governance.plan import Plan

T = TypeVar("T")
# No function works for longer, so whoever holds it for longer is dead.
_LEASE = timedelta(minutes=16)
_FREE = "attribute_not_exists( #holder ) OR #until < :now OR #holder = :run"


class BusyError(GranaryError):
    """Another run has the lease: it is free again when that run has ended, or is dead."""


@dataclass(frozen=True, kw_only=True)
class Ours(Text):
    """The grants that plans made in an account and Region."""

    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Applied(Text):
    """What became of a plan: who approved it, what was not done, and how many steps were left."""

    plan: str
    at: str
    run: str
    approved_by: str = ""
    failed: tuple[str, ...] = ()
    left: int = 0


@dataclass(frozen=True, kw_only=True)
class Plans:
    """The plans and the ledger of an account and Region (`place`), by the names of bucket and table."""

    s3: Any
    dynamodb: Any
    bucket: str
    table: str
    place: str
    clock: Callable[[], datetime]

    def keep(self, plan: Plan, page: str) -> None:
        """Keep a plan and its page as the last one; one that is kept already stays as it is."""
        self._put(f"{self._folder}/{plan.digest}.json", plan.to_json())
        self._put(f"{self._folder}/{plan.digest}.md", page)
        dynamo.update(self.dynamodb, table=self.table, key=self._key, sets={"plan": plan.digest})

    def read(self, digest: str) -> Plan:
        """Read a plan.

        Raises:
            GranaryError: there is none, or it is not what its name says.
        """
        return self._made(digest, Plan.from_json, f"{self._folder}/{digest}.json")

    def last(self) -> Plan | None:
        """The last plan; None before the first one, or where it cannot be read."""
        digest = str(self._item().get("plan") or "")
        try:
            return self.read(digest) if digest else None
        except GranaryError:
            return None

    def ours(self) -> frozenset[Grant]:
        """The grants that are ours."""
        digest = str(self._item().get("ours") or "")
        if not digest:
            return frozenset()
        advice = (
            f"bring the object's version back, or take `ours` out of the item {self._key} of table {self.table}: what "
            "the file grants becomes ours again, and all else is told as granted by others"
        )
        return frozenset(self._made(digest, Ours.from_json, f"{self._folder}/ours/{digest}.json", advice=advice).grants)

    def write_ours(self, grants: frozenset[Grant], *, run: str) -> None:
        """Write down what is ours.

        Raises:
            GranaryError: the run does not hold the lease any more.
        """
        text = Ours(grants=tuple(sorted(grants, key=repr))).to_json()
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._put(f"{self._folder}/ours/{digest}.json", text)
        held = dynamo.update(
            self.dynamodb,
            table=self.table,
            key=self._key,
            sets={"ours": digest},
            condition="#holder = :run",
            values={"run": run},
        )
        if not held:
            raise GranaryError(
                f"another run applies a plan to {self.place} now: this one stops, and its plan goes on there"
            )

    def take(self, run: str) -> None:
        """Take the lease, from a run that is dead as well.

        Raises:
            BusyError: another run has it.
        """
        now = self.clock()
        free = dynamo.update(
            self.dynamodb,
            table=self.table,
            key=self._key,
            sets={"holder": run, "until": stamp(now + _LEASE)},
            condition=_FREE,
            values={"now": stamp(now), "run": run},
        )
        if not free:
            raise BusyError(f"another run applies a plan to {self.place}: wait for it, and make a new plan then")

    def release(self, applied: Applied) -> None:
        """Keep what became of the plan, and give the lease back."""
        self._put(f"{self._folder}/applied/{applied.at}-{applied.plan[:12]}.json", applied.to_json())
        dynamo.update(
            self.dynamodb,
            table=self.table,
            key=self._key,
            sets={"applied": applied.plan, "applied_at": applied.at},
            removes=("holder", "until"),
            condition="#holder = :run",
            values={"run": applied.run},
        )

    def applied(self, month: str) -> list[Applied]:
        """What became of the plans that were applied in a month, in that order."""
        prefix = f"{self._folder}/applied/{month}-"
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
        texts = (self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode() for key in keys)
        return list(map(Applied.from_json, texts))

    @property
    def _folder(self) -> str:
        return f"plans/{self.place}"

    @property
    def _key(self) -> str:
        return f"governance/{self.place}"

    def _item(self) -> dict[str, Any]:
        return dynamo.get(self.dynamodb, table=self.table, key=self._key) or {}

    def _made(self, digest: str, make: Callable[[str], T], key: str, *, advice: str = "make a new plan") -> T:
        try:
            text = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if code_of(error) not in NO_OBJECT:
                raise
            raise GranaryError(f"there is no {key} in bucket {self.bucket}: {advice}") from error
        if hashlib.sha256(text).hexdigest() != digest:
            raise GranaryError(f"{key} in bucket {self.bucket} is not what its name says: ask why, and {advice}")
        try:
            return make(text.decode())
        except ValueError as error:
            raise UnreadableError(f"{key} cannot be read ({error}): a later version has written it") from error

    def _put(self, key: str, text: str) -> None:
        with ignoring("PreconditionFailed"):
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode(), IfNoneMatch="*")
