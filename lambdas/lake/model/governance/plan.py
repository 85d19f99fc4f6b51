"""A plan: what is to be changed, in which order and why, and who gains and loses what by it; pure.

The plan is the audit record. It is applied by its digest, and only while what is needed then is part of it: so another
run may finish what one has begun, and nothing is done that nobody has read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from lambdas.common.errors import GranaryError
from lambdas.common.evidence.finding import Finding
from lambdas.common.versioned_json import Text
from lambdas.common.written import cut
from lambdas.lake.model.governance.desired import Refused
from lambdas.lake.model.governance.grants import Filter, Grant, minus
from lambdas.lake.model.governance.observation import Place


class StaleError(GranaryError):
    """What a plan says is not what is needed any more."""


@dataclass(frozen=True, kw_only=True)
class NewValues:
    """Values that a key of ours is to have besides; `known` says whether it has any."""

    key: str
    values: tuple[str, ...]
    known: bool = False


@dataclass(frozen=True, kw_only=True)
class Tagging:
    """A value of a key that is put on a database, a table or columns; without a value, the key is taken off."""

    database: str
    key: str
    value: str = ""
    table: str = ""
    columns: tuple[str, ...] = ()
    was: str = ""

    def __str__(self) -> str:
        columns = f" ({', '.join(self.columns)})" if self.columns else ""
        change = f"{self.was or 'nothing'} -> {self.value or 'nothing'}"
        return f"{'.'.join(filter(None, (self.database, self.table)))}{columns}: {self.key} {change}"

    @property
    def places(self) -> Iterator[tuple[Place, str, str]]:
        """Each place with the key and the value."""
        for column in self.columns or ("",):
            yield (self.database, self.table, column), self.key, self.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A grant that is made or revoked."""

    grant: Grant
    why: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a principal gains and loses on tables of a database, in words; without tables, on the database itself."""

    principal: str
    database: str
    tables: tuple[str, ...] = ()
    persona: str = ""
    gained: str = ""
    lost: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan(Text):
    """The steps in their order: values, filters and tags; grants; revokes, and what is of no use after them.

    `approvals` says what a person has to approve before it is applied. `total` is how many grants there are then.
    `adopted` are grants that were there and become ours, and `forgotten` is how many of ours are gone by themselves.
    `had` is how many tables there were before, when the last plan waited for nobody.
    """

    catalog: str
    region: str
    day: str
    policy: str
    observation: str
    tables: int = 0
    had: int = 0
    total: int = 0
    previous: str = ""
    values: tuple[NewValues, ...] = ()
    filters: tuple[Filter, ...] = ()
    tags: tuple[Tagging, ...] = ()
    grants: tuple[Step, ...] = ()
    revokes: tuple[Step, ...] = ()
    untags: tuple[Tagging, ...] = ()
    dropped: tuple[Filter, ...] = ()
    adopted: tuple[Grant, ...] = ()
    forgotten: int = 0
    refused: tuple[Refused, ...] = ()
    changes: tuple[Change, ...] = ()
    approvals: tuple[str, ...] = ()
    drift: tuple[Finding, ...] = ()
    unseen: tuple[str, ...] = ()
    remark: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its JSON."""
        found = hashlib.sha256()
        for piece in self.pieces():
            found.update(piece.encode())
        return found.hexdigest()

    @property
    def agreed(self) -> int:
        """How many tables there were when there was nothing to be approved: what waits has not been agreed to."""
        return (self.had or self.tables) if self.approvals else self.tables

    def after(self, last: Plan | None) -> Plan:
        """This plan, or the last one if it says the same: who has read that one can approve it hours later, too."""
        same = last and replace(self, previous=last.previous, had=last.had).digest == last.digest
        return last if last and same else self

    @property
    def empty(self) -> bool:
        """Whether nothing is to be done."""
        before, after = (self.values, self.filters, self.tags), (self.revokes, self.untags, self.dropped)
        return not any((*before, self.grants, *after, self.adopted, self.forgotten))

    @property
    def lines(self) -> list[str]:
        """Each step in a line."""
        done = [f"tag value {one.key}: {', '.join(one.values)}" for one in self.values]
        done += [f"filter {one.name} on {one.database}.{one.table}: {one.rows}" for one in self.filters]
        done += [f"tag {one}" for one in (*self.tags, *self.untags)]
        done += [f"grant {one.grant.principal}: {one.grant} ({one.why})" for one in self.grants]
        done += [f"revoke {one.grant.principal}: {one.grant} ({one.why})" for one in self.revokes]
        done += [f"adopt {one.principal}: {one}" for one in self.adopted]
        return done + [f"drop filter {one.name} of {one.database}.{one.table}" for one in self.dropped]


def remaining(plan: Plan, fresh: Plan) -> Plan:
    """What of a plan is still to be done, as a plan of what is seen now says.

    Raises:
        StaleError: more, or something else, is needed now.
    """
    told = [f"the file has changed (it was {plan.policy[:12]})"] if plan.policy != fresh.policy else []
    if more := sorted([*set(_needed(fresh)).difference(_needed(plan)), *_granted(fresh, plan)]):
        told.append(f"{len(more)} steps are needed that it does not have, such as {cut(more[0], 300)}")
    if told:
        raise StaleError(
            f"plan {plan.digest[:12]} is of another state: {'; '.join(told)}. Make a new plan, and apply that"
        )
    return fresh


def differences(plan: Plan, last: Plan | None) -> list[str]:
    """What steps a plan has that the last one had not (`+`), and the other way round (`-`)."""
    now, before = set(plan.lines), set(last.lines if last else ())
    return [f"+ {line}" for line in sorted(now - before)] + [f"- {line}" for line in sorted(before - now)]


def _granted(fresh: Plan, plan: Plan) -> Iterator[str]:
    """Grants, revokes and adoptions of the one that the other does not have, column by column."""
    for word, these, those in (
        ("grant", [it.grant for it in fresh.grants], [it.grant for it in plan.grants]),
        ("revoke", [it.grant for it in fresh.revokes], [it.grant for it in plan.revokes]),
        ("adopt", fresh.adopted, plan.adopted),
    ):
        yield from (f"{word} {one.principal} {one}" for one in minus(these, those))


def _needed(plan: Plan) -> Iterator[str]:
    """Every other step on its own, whatever others it is done with."""
    for values in plan.values:
        yield from (f"value {values.key} {one}" for one in values.values)
    yield from (f"filter {one}" for one in plan.filters)
    yield from (f"drop {one}" for one in plan.dropped)
    for tagging in (*plan.tags, *plan.untags):
        yield from (f"tag {one}" for one in tagging.places)
