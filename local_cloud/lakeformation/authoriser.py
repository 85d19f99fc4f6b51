"""Who may read what: asked by the catalog, and by queries before they read.

https://docs.aws.amazon.com/lake-formation/latest/dg/implicit-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import iam

from local_cloud.glue import catalog
from local_cloud.lakeformation import state
from local_cloud.lakeformation.state import EVERYBODY, Held
from local_cloud.lakeformation.things import ALL, EVERY, Thing, columns_of
from local_cloud.server import stack_roles
from local_cloud.server.json_api import ServiceError

# The predicates of the rows that a column may be read of; None stands for all rows.
Rows = tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a principal may do with a table: know of columns and read some; `refused` are of those asked for."""

    described: frozenset[str]
    columns: Mapping[str, Rows]
    refused: tuple[str, ...]

    @property
    def visible(self) -> bool:
        """Whether the principal may know that there is such a table."""
        return bool(self.described)


def caller() -> str:
    """The role or user that a request is from; of CloudFormation's changes the one that it acts as."""
    return principal_of(stack_roles.acting_arn() or iam_evaluator.caller_arn())


def principal_of(arn: str) -> str:
    """The role of a session's ARN, or the ARN itself."""
    if ":assumed-role/" not in arn:
        return arn
    account, name = arn.split(":")[4], arn.split("/")[1]
    role = iam._roles.get_scoped(account, None, name)
    return str(role["Arn"]) if role else arn


def is_administrator(principal: str, *, reading: bool = False) -> bool:
    """Whether a principal is the account's root or an administrator; for `reading`, a read-only one is enough."""
    given = state.settings()
    named = [*given["DataLakeAdmins"], *(given["ReadOnlyAdmins"] if reading else ())]
    return is_root(principal) or principal in {one["DataLakePrincipalIdentifier"] for one in named}


def is_root(principal: str) -> bool:
    """Whether this is the root of the caller's account, who may do everything here."""
    return principal == f"arn:aws:iam::{get_account_id()}:root"


def may(principal: str, database: str, table: str, columns: Sequence[str] = ()) -> Decision:
    """Decide on a table; raises ServiceError when there is none."""
    known = columns_of(catalog.table(database, table))
    readable: dict[str, set[str | None]] = {}
    described: set[str] = set()
    if is_administrator(principal, reading=True):
        described.update(known or {""})
    if is_root(principal):
        readable = {name: {None} for name in known}
    for thing, its in _about(principal, database, table):
        for name, rows in _reads(thing, its, database, table, known):
            readable.setdefault(name, set()).add(rows)
        if thing.kind in ("Table", "LFTagPolicy") and _described(thing, database, table):
            described.update(known or {""})
    found: dict[str, Rows] = {
        name: (None,) if None in readable[name] else tuple(sorted(filter(None, readable[name])))
        for name in known
        if name in readable
    }
    refused = tuple(name for name in columns if name not in found)
    return Decision(described=frozenset(described | found.keys()), columns=found, refused=refused)


def _about(principal: str, database: str, table: str) -> Iterator[tuple[Thing, Held]]:
    for who in (principal, f"{get_account_id()}:IAMPrincipals", EVERYBODY):
        for place in ((database, table), (database, EVERY), ("", "")):
            yield from list(state.held(who, place).items())


def _reads(
    thing: Thing, its: Held, database: str, table: str, known: Sequence[str]
) -> Iterator[tuple[str, str | None]]:
    """The columns that one grant lets be read, each with the predicate of its rows."""
    if not its.permissions & {"SELECT", ALL}:
        return
    if thing.kind == "Table":
        yield from ((name, None) for name in known)
    elif thing.kind == "TableWithColumns":
        yield from ((name, None) for name in known if name == thing.name or (thing.rest and name not in thing.rest))
    elif thing.kind == "LFTagPolicy" and thing.name == "TABLE":
        yield from ((name, None) for name in known if _matches(thing, database, table, name))
    elif thing.kind == "DataCellsFilter":
        cells = state.filters[database, table, thing.name]
        out = cells.get("ColumnWildcard", {}).get("ExcludedColumnNames", ())
        wanted = cells.get("ColumnNames") or [name for name in known if name not in out]
        yield from ((name, cells.get("RowFilter", {}).get("FilterExpression")) for name in wanted)


def _described(thing: Thing, database: str, table: str) -> bool:
    return thing.kind == "Table" or (thing.name == "TABLE" and _matches(thing, database, table))


def _matches(thing: Thing, database: str, table: str = "", column: str = "") -> bool:
    return matches(thing.rest, state.effective_tags(database, table, column))


def matches(expression: Sequence[tuple[str, Sequence[str]]], tags: Mapping[str, str]) -> bool:
    """Whether tags have one of the values of each key."""
    return all(tags.get(key) in values for key, values in expression)


def sees_database(principal: str, database: str) -> bool:
    """Whether a principal has any permission on a database or on something in it."""
    if is_administrator(principal, reading=True):
        return True
    for who in (principal, f"{get_account_id()}:IAMPrincipals", EVERYBODY):
        if any(place[0] == database and its for place, its in list(state.grants.get(who, {}).items())):
            return True
        policies = [thing for thing in state.held(who, ("", "")) if thing.kind == "LFTagPolicy"]
        if any(thing.name == "DATABASE" and _matches(thing, database) for thing in policies):
            return True
        if policies and any(may(principal, database, one["Name"]).visible for one in catalog.tables(database)):
            return True
    return False


def require_grantable(principal: str, thing: Thing, permissions: set[str]) -> None:
    """Raise ServiceError when a principal may not hand on permissions on a thing."""
    if is_administrator(principal):
        return
    places = ((thing.database, thing.table), (thing.database, EVERY))
    wider = Thing(kind="Table", database=thing.database, table=thing.table)
    every = Thing(kind="Table", database=thing.database, table=EVERY)
    held: set[str] = set()
    for place in places:
        its = state.held(principal, place)
        held.update(*(its[one].grantable for one in {thing, *((wider, every) if thing.table else ())} if one in its))
    if ALL not in held and (lacks := permissions - held):
        words = ", ".join(f"Grantable {word.title()}" for word in sorted(lacks))
        raise denied(words, thing.table or thing.database or thing.name)


def denied(required: str, what: Any) -> ServiceError:
    """The refusal, in Lake Formation's words."""
    return ServiceError(
        "AccessDeniedException", f"Insufficient Lake Formation permission(s): Required {required} on {what}"
    )


def require_administrator(what: Any) -> None:
    """Raise ServiceError when the caller is no administrator."""
    if not is_administrator(caller()):
        raise denied("to be a data lake administrator", what)
