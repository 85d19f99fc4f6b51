"""Granting, revoking and listing.

https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GrantPermissions.html
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services import iam

from local_cloud.glue.paging import page
from local_cloud.lakeformation import authoriser, state, things
from local_cloud.lakeformation.state import EVERYBODY
from local_cloud.lakeformation.things import ALL, Thing
from local_cloud.server import faults
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
_MOST, _BATCH = 1000, 20
_IAM = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):(role|user)/(?:.*/)?([^/]+)")


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidInputException", message)


def _grant(entry: Request) -> None:
    principal, on = _principal(entry), things.parsed(entry["Resource"])
    permissions, grantable = set(entry["Permissions"]), set(entry.get("PermissionsWithGrantOption") or ())
    _check(entry, on, permissions | grantable)
    if not _exists(principal):
        raise _invalid(f"Invalid principal, {principal}")
    if not permissions or (ALL not in permissions and grantable - permissions):
        raise _invalid(
            "Permissions with grant option must be a subset of the permissions, of which there is at least one"
        )
    for thing in on:
        state.put(principal, thing, permissions, grantable, time.time())


def _revoke(entry: Request) -> None:
    principal, on = _principal(entry), things.parsed(entry["Resource"])
    permissions, grantable = set(entry["Permissions"]), set(entry.get("PermissionsWithGrantOption") or ())
    _check(entry, on, permissions | grantable)
    lacks = set[str]()
    for thing in on:
        held = state.held(principal, (thing.database, thing.table)).get(thing, state.Held())
        lacks |= permissions - _spelled(principal, thing, held.permissions)
        lacks |= grantable - _spelled(principal, thing, held.grantable)
    if lacks or not permissions | grantable:
        raise _invalid(f"No permissions revoked. Grantee does not have: {sorted(lacks)}")
    for thing in on:
        its = state.held(principal, (thing.database, thing.table))
        held = its[thing]
        held.permissions = _without(principal, thing, held.permissions, permissions)
        held.grantable = _without(principal, thing, held.grantable, permissions | grantable)
        if not held.permissions:
            del its[thing]


def _spelled(principal: str, thing: Thing, words: set[str]) -> set[str]:
    """All that ALL stands for; of everybody it is one word, which is taken away as one."""
    if principal != EVERYBODY and (ALL in words or words == thing.permissions - {ALL}):
        return words | thing.permissions
    return words


def _without(principal: str, thing: Thing, words: set[str], taken: set[str]) -> set[str]:
    if ALL in taken:
        return set()
    return _spelled(principal, thing, words) - {ALL} - taken if taken else words


def _principal(entry: Request) -> str:
    return str(entry["Principal"]["DataLakePrincipalIdentifier"])


def _check(entry: Request, on: tuple[Thing, ...], permissions: set[str]) -> None:
    if entry.get("Condition"):
        raise _invalid("The local cloud's Lake Formation has no conditions")
    for thing in on:
        authoriser.require_grantable(authoriser.caller(), thing, permissions)
        if refusal := things.missing(thing):
            raise refusal
        if wrong := permissions - thing.permissions:
            raise _invalid(f"Permissions modification is invalid: {sorted(wrong)} on {thing.kind}")


def _exists(principal: str) -> bool:
    """Whether there is such a role or user; other accounts' are not known here."""
    if principal in (EVERYBODY, f"{get_account_id()}:IAMPrincipals"):
        return True
    found = _IAM.fullmatch(principal)
    if found is None or found[1] != get_account_id():
        return found is not None
    known = (iam._roles if found[2] == "role" else iam._users).get(found[3])
    return known is not None and known["Arn"] == principal


def _one(change: Callable[[Request], None]) -> Operation:
    def call(request: Request) -> dict[str, Any]:
        change(request)
        return {}

    return call


def _batch(change: Callable[[Request], None]) -> Operation:
    """Each entry by itself: some may fail, one with the error that a test has ordered for `lakeformation:Entry`."""

    def call(request: Request) -> dict[str, Any]:
        entries, failures = request["Entries"], []
        if len(entries) > _BATCH or len({entry["Id"] for entry in entries}) < len(entries):
            raise _invalid(f"Entries are {_BATCH} at most, each with an Id of its own")
        for entry in entries:
            try:
                _refuse_when_ordered()
                change({"Permissions": [], **entry})
            except ServiceError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                failures.append({"RequestEntry": entry, "Error": detail})
        return {"Failures": failures}

    return call


def _refuse_when_ordered() -> None:
    if ordered := faults.board.error_for("lakeformation:Entry"):
        raise ServiceError(ordered, "Ordered by a test")


def _list(request: Request) -> dict[str, Any]:
    if request.get("IncludeRelated"):
        raise _invalid("The local cloud's Lake Formation does not list related permissions")
    wanted = request.get("Principal", {}).get("DataLakePrincipalIdentifier")
    caller = authoriser.caller()
    # Who is no administrator sees what is its own.
    only = {wanted} if wanted else set(state.grants)
    if not authoriser.is_administrator(caller, reading=True):
        only &= {caller}
    found = [row for principal in only for row in _rows(principal, request)]
    return page(
        found,
        request,
        under="PrincipalResourcePermissions",
        key=lambda row: [row["Principal"]["DataLakePrincipalIdentifier"], repr(row["Resource"]), row["Permissions"]],
        most=_MOST,
    )


def _rows(principal: str, request: Request) -> Iterator[dict[str, Any]]:
    """One principal's permissions; those on several columns of a table are one row."""
    on = things.parsed(request["Resource"]) if "Resource" in request else ()
    columns: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    last = 0.0
    for its in state.grants.get(principal, {}).values():
        for thing, held in its.items():
            if (on and not any(_is_about(thing, one) for one in on)) or not _is_of(thing, request.get("ResourceType")):
                continue
            last = held.changed
            if thing.kind == "TableWithColumns" and thing.name:
                key = (thing.database, thing.table, tuple(sorted(held.grantable)))
                columns.setdefault(key, []).append(thing.name)
                continue
            yield from _split(principal, thing, held)
    for (database, table, grantable), names in columns.items():
        thing = Thing(kind="TableWithColumns", database=database, table=table)
        yield _row(principal, things.written(thing, sorted(names)), {"SELECT"}, set(grantable), last)


def _split(principal: str, thing: Thing, held: state.Held) -> Iterator[dict[str, Any]]:
    """SELECT on a table is listed as SELECT on all of its columns, as in AWS."""
    select = held.permissions & {"SELECT"} if thing.kind == "Table" and principal != EVERYBODY else set()
    if select:
        columns = Thing(kind="TableWithColumns", database=thing.database, table=thing.table)
        yield _row(principal, things.written(columns, []), select, held.grantable & select, held.changed)
    if rest := held.permissions - select:
        yield _row(principal, things.written(thing, []), rest, held.grantable - select, held.changed)


def _row(principal: str, resource: Any, permissions: set[str], grantable: set[str], changed: float) -> dict[str, Any]:
    return {
        "Principal": {"DataLakePrincipalIdentifier": principal},
        "Resource": resource,
        "Permissions": sorted(permissions),
        "PermissionsWithGrantOption": sorted(grantable),
        "LastUpdated": changed,
    }


def _is_about(thing: Thing, wanted: Thing) -> bool:
    """Whether a grant is on a thing, or on columns or rows of a table."""
    place = (thing.database, thing.table)
    return thing == wanted or (
        wanted.kind == "Table" and bool(thing.table) and place == (wanted.database, wanted.table)
    )


def _is_of(thing: Thing, kind: str | None) -> bool:
    if kind is None:
        return True
    policy = {"LF_TAG_POLICY", f"LF_TAG_POLICY_{thing.name}"}
    of = {"LFTagPolicy": policy, "LFTag": {"LF_TAG"}, "DataLocation": {"DATA_LOCATION"}}
    return kind in of.get(thing.kind, {"TABLE" if thing.table else thing.kind.upper()})


OPERATIONS: Mapping[str, Operation] = {
    "GrantPermissions": _one(_grant),
    "RevokePermissions": _one(_revoke),
    "BatchGrantPermissions": _batch(_grant),
    "BatchRevokePermissions": _batch(_revoke),
    "ListPermissions": _list,
}
