"""The global table of failovers: a replica in each Region, and nobody reads another Region's.

A conditional write holds within its Region only; between Regions, the later write of an item wins. So of an item that
both Regions write, the placement of a group, there is one in the end whoever wrote, and a request that it does not
name is superseded. Everything else has one writer: a request's progress the Region that it leads to, facts their own
Region. A lease holds in a Region; one that both Regions take saves double work, as a rule, and guards nothing. What was
said is never changed.

What cannot be read harms nothing but itself: of several items it is left out, facts and drills are as none, and how far
a request is, nobody knows. Only where a group is has to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from lambdas.common.aws_errors import ignoring
from lambdas.common.clock import AHEAD, moment, since, stamp
from lambdas.common.dynamo import read_item, write_value
from lambdas.common.errors import UnreadableError
from lambdas.common.transactions import transact
from lambdas.common.versioned_json import Text, read
from lambdas.resilience.model.failover.catalogue import Application, Group
from lambdas.resilience.model.failover.placement import UNKNOWN, Placement, initial, weighed
from lambdas.resilience.model.failover.readiness import REPLICATED, Facts
from lambdas.resilience.model.failover.request import Progress, Request, State
from lambdas.resilience.model.failover.tenants import Seen

Kind = TypeVar("Kind")
_NEW = "attribute_not_exists(id)"
# The key of the names in DNS that are tenants'.
CLAIMS = "claims"


@dataclass(frozen=True, kw_only=True)
class FailoverTable:
    """The replica of a Region; items have an `id`, a `sort` within it, and their `text`.

    `unread` are the items that could not be read since this was made, each in a sentence.
    """

    client: Any
    name: str
    region: str
    unread: set[str] = field(default_factory=set)

    def applications(self, group: str) -> list[Application]:
        """The applications of a group, whoever has written them down."""
        return self._all(Application.from_json, applications_of(group))

    def register(self, digest: str, applications: Sequence[Application], groups: Sequence[Group]) -> None:
        """Write the configuration's applications down, and take away those that it has no more; once a digest."""
        if self._readable(str, self._item("registered", self.region)) == digest:
            return
        wanted = {(one.group, one.name): one for one in applications}
        for group in groups:
            for one in self.applications(group.name):
                if one.source == "configuration" and (one.group, one.name) not in wanted:
                    self.forget(applications_of(one.group), one.name)
        for one in wanted.values():
            self.put(applications_of(one.group), one)
        self._put("registered", self.region, digest)

    def by_name(self, key: str) -> dict[str, Application | None]:
        """The applications of a group (`applications/<group>`), or the claims of names; None cannot be read."""
        return {item["sort"]: self._readable(Application.from_json, item) for item in self._query(key)}

    def put(self, key: str, one: Application) -> None:
        """Write an application, or a claim, down."""
        self._put(key, one.name, one)

    def forget(self, key: str, name: str) -> None:
        """Take an application, or a claim, away."""
        self.client.delete_item(TableName=self.name, Key=_key(key, name))

    def seen(self, group: str) -> Seen:
        """What was told of a group's tenants last."""
        return self._readable(Seen.from_json, self._item("seen", group)) or Seen()

    def tell_seen(self, group: str, seen: Seen) -> None:
        """Write it down, after it was told."""
        self._put("seen", group, seen)

    def placement(self, group: Group) -> Placement:
        """Where a group is.

        Raises:
            UnreadableError: nobody can read it. What needs nothing of it goes on with `unknown`.
        """
        item = self._item("placements", group.name)
        return weighed(self._made(Placement.from_json, item), group) if item else initial(group)

    def unknown(self, group: Group) -> Placement:
        """A placement that says nothing but how often it was written, instead of one that cannot be read."""
        item = self._item("placements", group.name) or {}
        version = self._made(int, {**item, "text": item.get("version")})
        return Placement(active=UNKNOWN, favourite=UNKNOWN, version=version)

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
        """A request by its id.

        Raises:
            UnreadableError: nobody can read it.
        """
        item = self._item(f"requests/{group}", request) if request else None
        return self._made(Request.from_json, item) if item else None

    def requests(self, group: str) -> list[Request]:
        """All requests of a group, the newest first."""
        found = self._all(Request.from_json, f"requests/{group}")
        return sorted(found, key=lambda one: (one.at, one.id), reverse=True)

    def unfinished(self, group: str) -> list[Request]:
        """The requests of a group that are OPEN, the newest first."""
        known = {item["sort"]: self._progress(item).state for item in self._query(f"progress/{group}")}
        return [one for one in self.requests(group) if known.get(_place(one), State.OPEN) is State.OPEN]

    def progress(self, request: Request) -> Progress:
        """How far a request is; one that was taken again by a Region that had not heard of it begins anew."""
        item = self._item(f"progress/{request.group}", _place(request))
        return self._progress(item) if item else Progress()

    def known(self, group: str, request: str) -> tuple[Request, Progress] | None:
        """A request by its id, and how far it is; None when it is not here, or not yet, or nobody can read it."""
        with suppress(UnreadableError):
            if found := self.request(group, request):
                return found, self.progress(found)
        return None

    def is_open(self, group: str, request: str) -> bool:
        """Whether a request may be open: also one that is not replicated to this Region yet, or cannot be read."""
        last = self.known(group, request)
        return last is None or last[1].state in {State.OPEN, State.UNREADABLE}

    def save(self, request: Request, progress: Progress) -> None:
        """Write down how far a request is: only in the Region that it leads to, by who has the lease."""
        self._put(f"progress/{request.group}", _place(request), progress)

    def facts(self, region: str) -> Facts:
        """What a Region said of itself last."""
        return self._readable(Facts.from_json, self._item("facts", region)) or Facts()

    def is_silent(self, region: str, *, now: datetime) -> bool:
        """Whether a Region is not heard of: what it has written since may not be in this Region's table."""
        return since(self.facts(region).at, now) >= REPLICATED

    def tell_facts(self, facts: Facts) -> None:
        """Say it of this Region, unless something newer is said: of two runs, the one that began first may end last.

        `at` is beside the text for that. Without one, as it was before, it is older; so is what nobody can have said.
        """
        item = self._put_request("facts", self.region, facts.to_json(), at=facts.at)
        values = {":at": facts.at, ":ahead": stamp(moment(facts.at) + AHEAD), ":text": "S"}
        with ignoring("ConditionalCheckFailedException"):
            self.client.put_item(
                **item,
                ConditionExpression="NOT attribute_type(#at, :text) OR #at <= :at OR #at > :ahead",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={name: write_value(value) for name, value in values.items()},
            )

    def drilled_at(self, group: str) -> str:
        """When the last drill of a group succeeded; empty when none has."""
        return self._readable(_stamp, self._item("drills", group)) or ""

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
        return [one.what for one in self._all(Line.from_json, f"history/{group}")]

    def lease(self, what: str, holder: str, *, now: datetime, lasts: timedelta) -> bool:
        """Take the lease of something; False while somebody else has it, as far as is known here. It ends by itself."""
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

    def _item(self, key: str, sort: str) -> dict[str, Any] | None:
        answer = self.client.get_item(TableName=self.name, Key=_key(key, sort), ConsistentRead=True)
        return read_item(answer["Item"]) if "Item" in answer else None

    def _all(self, make: Callable[[str], Kind], key: str) -> list[Kind]:
        found = (self._readable(make, item) for item in self._query(key))
        return [one for one in found if one is not None]

    def _readable(self, make: Callable[[str], Kind], item: Mapping[str, Any] | None) -> Kind | None:
        with suppress(UnreadableError):
            return self._made(make, item) if item else None
        return None

    def _progress(self, item: Mapping[str, Any]) -> Progress:
        try:
            return self._made(Progress.from_json, item)
        except UnreadableError as error:
            return Progress(state=State.UNREADABLE, problem=str(error))

    def _made(self, make: Callable[[str], Kind], item: Mapping[str, Any]) -> Kind:
        try:
            return make(read(_Item, item).text)
        except (ValueError, OverflowError) as error:
            what = f"{item.get('id')} {item.get('sort')} in table {self.name} of {self.region}"
            problem = f"{what} cannot be read ({error}): the runbook says what to do"
            self.unread.add(problem)
            raise UnreadableError(problem) from error

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
class _Item:
    text: str


@dataclass(frozen=True, kw_only=True)
class Line(Text):
    """A line of the history."""

    what: dict[str, str]


def applications_of(group: str) -> str:
    """The key of a group's applications."""
    return f"applications/{group}"


def _key(key: str, sort: str) -> dict[str, Any]:
    return {"id": write_value(key), "sort": write_value(sort)}


def _stamp(text: str) -> str:
    moment(text)
    return text


def _place(request: Request) -> str:
    """What the progress of a request is known by, in its group."""
    return f"{request.at}/{request.id}"
