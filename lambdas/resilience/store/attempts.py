"""The table of attempts: each write names the version that it has read, so that of two at once one is refused."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lambdas.common import dynamo
from lambdas.common.aws_errors import ignoring
from lambdas.common.errors import GranaryError, UnreadableError
from lambdas.common.versioned_json import plain, read
from lambdas.resilience.model.tenant import INDEX, OPEN, Tenant

Result = TypeVar("Result")
_TRIES = 5


class OvertakenError(GranaryError):
    """Somebody else has written the item meanwhile: what they wrote holds."""


def retried(work: Callable[[], Result]) -> Result:
    """What work comes to that reads an item and writes it, begun anew while somebody else is faster.

    Raises:
        OvertakenError: somebody was each time.
    """
    for _ in range(_TRIES - 1):
        with suppress(OvertakenError):
            return work()
    return work()


@dataclass(frozen=True, kw_only=True)
class AttemptsTable:
    """Reads and writes tenants' items."""

    client: Any
    table: str

    def get(self, deployment: str) -> Tenant:
        """A tenant; one that nobody has experimented with is as new.

        Raises:
            UnreadableError: a later version has written the item, or somebody by hand.
        """
        item = dynamo.get(self.client, table=self.table, key=deployment)
        return _tenant(item) if item else Tenant(id=deployment)

    def held(self) -> Iterator[Tenant | UnreadableError]:
        """The tenants that an attempt holds; one that cannot be read is an error that names it."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            IndexName=INDEX,
            KeyConditionExpression="#open = :open",
            ExpressionAttributeNames={"#open": INDEX},
            ExpressionAttributeValues={":open": {"S": OPEN}},
        )
        # In any order: a sweep that does not come to the end is not held up by the same ones the next time.
        ids = [item["id"]["S"] for page in pages for item in page["Items"]]
        for found in random.sample(ids, len(ids)):
            try:
                yield self.get(found)  # an index is behind its table
            except UnreadableError as error:
                yield error

    def all(self) -> Iterator[Tenant | UnreadableError]:
        """Every tenant that somebody has experimented with."""
        for item in dynamo.scan_pages(self.client, table=self.table):
            try:
                yield _tenant(item)
            except UnreadableError as error:
                yield error

    def save(self, tenant: Tenant) -> Tenant:
        """Write a tenant as it was read and changed since; answers it as it stands then.

        Raises:
            OvertakenError: it was written since.
        """
        written = replace(tenant, version=tenant.version + 1)
        with ignoring("ConditionalCheckFailedException"):
            self.client.put_item(
                TableName=self.table,
                Item={name: dynamo.write_value(value) for name, value in plain(written).items()},
                ConditionExpression="attribute_not_exists(#version) OR #version = :version",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":version": dynamo.write_value(tenant.version)},
            )
            return written
        raise OvertakenError(f"the attempt at {tenant.id} was written by somebody else meanwhile")


def _tenant(item: Mapping[str, Any]) -> Tenant:
    try:
        return read(Tenant, item)
    except ValueError as error:
        raise UnreadableError(
            f"the item of {item.get('id')!r} in the table of attempts cannot be read ({error}): if the toolchain was "
            "rolled back, update it again; otherwise delete the item, when no experiment of the tenant is running"
        ) from error
