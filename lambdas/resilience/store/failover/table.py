"""The global table of failovers: a replica in each Region, and nobody reads another Region's.

A conditional write holds within its Region only; between Regions, the later write of an item wins. So of an item that
both Regions write, the placement of a group, there is one in the end whoever wrote, and a request that it does not
name is superseded. Everything else has one writer: a request's progress the Region that it leads to, facts their own
Region, leases are of a Region. What was said is never changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from lambdas.common.aws_errors import ignoring
from lambdas.common.clock import stamp
from lambdas.common.dynamo import read_item, write_value
from lambdas.common.errors import UnreadableError
from lambdas.common.transactions import transact
from lambdas.common.versioned_json import Text
from lambdas.resilience.model.failover.catalogue import Application, Group
from lambdas.resilience.model.failover.placement import Placement, initial
from lambdas.resilience.model.failover.readiness import Facts
from lambdas.resilience.model.failover.request import Progress, Request, State

Kind = TypeVar("Kind", bound=Text)
_NEW = "attribute_not_exists(id)"


@dataclass(frozen=True, kw_only=True)
class FailoverTable:
    """The replica of a Region; items have an `id`, a `sort` within it, and their `text`."""

    client: Any
    name: str
    region: str

    def applications(self, group: str) -> list[Application]:
        """The applications of a group, whoever has written them down."""
        return [Application.from_json(item["text"]) for item in self._query(f"applications/{group}")]

    def register(self, digest: str, applications: Sequence[Application], groups: Sequence[Group]) -> None:
        """Write the configuration's applications down, and take away those that it has no more; once a digest."""
        if self._text("registered", self.region) == digest:
            return
        wanted = {(one.group, one.name): one for one in applications}
        for group in groups:
            for one in self.applications(group.name):
                if one.source == "configuration" and (one.group, one.name) not in wanted:
                    self.client.delete_item(TableName=self.name, Key=_key(f"applications/{one.group}", one.name))
        for one in wanted.values():
            self._put(f"applications/{one.group}", one.name, one)
        self._put("registered", self.region, digest)

    def placement(self, group: Group) -> Placement:
        """Where a group is."""
        text = self._text("placements", group.name)
        return Placement.from_json(text) if text else initial(group)

    def accept(self, request: Request, placement: Placement) -> bool:
        """Write a request and the placement that it leads to, or nothing: another came in between, in this Region."""
        text = placement.to_json()
        move = self._put_request("placements", request.group, text, version=str(placement.version))
        condition = "attribute_not_exists(id) OR #version = :before"
        move |= {
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":before": write_value(str(placement.version - 1))},
        }
        new = self._put_request(f"requests/{request.group}", request.id, request.to_json())
        new |= {"ConditionExpression": _NEW}
        return transact(self.client, [{"Put": new}, {"Put": move}]) is None

    def request(self, group: str, request: str) -> Request | None:
        """A request by its id."""
        text = self._text(f"requests/{group}", request) if request else ""
        return _made(Request, text) if text else None

    def requests(self, group: str) -> list[Request]:
        """All requests of a group, the newest first."""
        found = [_made(Request, item["text"]) for item in self._query(f"requests/{group}")]
        return sorted(found, key=lambda one: (one.at, one.id), reverse=True)

    def unfinished(self, group: str) -> list[Request]:
        """The requests of a group that are OPEN, the newest first."""
        known = {item["sort"]: _made(Progress, item["text"]).state for item in self._query(f"progress/{group}")}
        return [one for one in self.requests(group) if known.get(_place(one), State.OPEN) is State.OPEN]

    def progress(self, request: Request) -> Progress:
        """How far a request is; one that was taken again by a Region that had not heard of it begins anew."""
        text = self._text(f"progress/{request.group}", _place(request))
        return _made(Progress, text) if text else Progress()

    def save(self, request: Request, progress: Progress) -> None:
        """Write down how far a request is: only in the Region that it leads to, by who has the lease."""
        self._put(f"progress/{request.group}", _place(request), progress)

    def facts(self, region: str) -> Facts:
        """What a Region said of itself last."""
        text = self._text("facts", region)
        return _made(Facts, text) if text else Facts()

    def tell_facts(self, facts: Facts) -> None:
        """Say it of this Region."""
        self._put("facts", self.region, facts)

    def drilled_at(self, group: str) -> str:
        """When the last drill of a group succeeded; empty when none has."""
        return self._text("drills", group)

    def drilled(self, group: str, at: str) -> None:
        """Write down a drill that succeeded."""
        self._put("drills", group, at)

    def say(self, group: str, what: Mapping[str, Any], *, key: str) -> bool:
        """Add a line to the history of a group; False when it was said already. Lines are never changed."""
        item = self._put_request(f"history/{group}", key, Line(what=dict(what)).to_json())
        with ignoring("ConditionalCheckFailedException"):
            self.client.put_item(**item, ConditionExpression=_NEW)
            return True
        return False

    def history(self, group: str) -> list[dict[str, Any]]:
        """What was said of a group, the oldest first."""
        return [Line.from_json(item["text"]).what for item in self._query(f"history/{group}")]

    def lease(self, what: str, holder: str, *, now: datetime, lasts: timedelta) -> bool:
        """Take the lease of something; False while somebody else in this Region has it. It ends by itself."""
        item = self._put_request("leases", what, "", holder=holder, until=stamp(now + lasts))
        with ignoring("ConditionalCheckFailedException"):
            self.client.put_item(
                **item,
                ConditionExpression="attribute_not_exists(id) OR #until < :now OR #holder = :holder",
                ExpressionAttributeNames={"#until": "until", "#holder": "holder"},
                ExpressionAttributeValues={":now": write_value(stamp(now)), ":holder": write_value(holder)},
            )
            return True
        return False

    def give_back(self, what: str, holder: str, *, now: datetime) -> None:
        """Let the next one have a lease at once."""
        self.lease(what, holder, now=now, lasts=timedelta(seconds=-1))

    def _put(self, key: str, sort: str, what: Text | str) -> None:
        self.client.put_item(**self._put_request(key, sort, what if isinstance(what, str) else what.to_json()))

    def _put_request(self, key: str, sort: str, text: str, **more: str) -> dict[str, Any]:
        item = {"id": key, "sort": sort, "text": text, **more}
        return {"TableName": self.name, "Item": {name: write_value(value) for name, value in item.items()}}

    def _text(self, key: str, sort: str) -> str:
        answer = self.client.get_item(TableName=self.name, Key=_key(key, sort), ConsistentRead=True)
        return str(read_item(answer["Item"])["text"]) if "Item" in answer else ""

    def _query(self, key: str) -> Iterator[dict[str, Any]]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.name,
            KeyConditionExpression="id = :id",
            ExpressionAttributeValues={":id": write_value(key)},
            ConsistentRead=True,
        )
        for page in pages:
            yield from map(read_item, page["Items"])


@dataclass(frozen=True, kw_only=True)
class Line(Text):
    """A line of the history."""

    what: dict[str, str]


def _key(key: str, sort: str) -> dict[str, Any]:
    return {"id": write_value(key), "sort": write_value(sort)}


def _place(request: Request) -> str:
    """What the progress of a request is known by, in its group."""
    return f"{request.at}/{request.id}"


def _made(kind: type[Kind], text: str) -> Kind:
    try:
        return kind.from_json(text)
    except ValueError as error:
        raise UnreadableError(
            f"what is kept of a failover cannot be read ({error}): a later version wrote it"
        ) from error
