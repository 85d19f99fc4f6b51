"""LF-tags: what they may say, and what they are put on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ministack.core.responses import get_account_id

from local_cloud.glue import catalog
from local_cloud.glue.paging import page
from local_cloud.lakeformation import authoriser, state, things
from local_cloud.lakeformation.things import Thing
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
_MOST, _LONGEST, _VALUES, _ON_ONE = 1000, 50, 1000, 50


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidInputException", message)


def _values(given: Any) -> list[str]:
    """Values as they are kept: in lower case, each once."""
    values = list(dict.fromkeys(value.lower() for value in given))
    if too_long := [value for value in values if len(value) > _LONGEST]:
        raise _invalid(f"Tag values have {_LONGEST} characters at most: {too_long}")
    return values


def _create(request: Request) -> dict[str, Any]:
    _may("CREATE_LF_TAG", Thing(kind="Catalog"))
    key, values = request["TagKey"].lower(), _values(request["TagValues"])
    if key in state.tags:
        raise _invalid(f"Tag key {key} already exists.")
    if len(key) > _LONGEST:
        raise _invalid(f"A tag key has {_LONGEST} characters at most")
    state.tags[key] = values
    return {}


def _update(request: Request) -> dict[str, Any]:
    key = request["TagKey"].lower()
    authoriser.require_administrator(key)
    known = state.tag_values(key)
    gone, new = _values(request.get("TagValuesToDelete", ())), _values(request.get("TagValuesToAdd", ()))
    used = {pairs[key] for pairs in state.assigned.values() if key in pairs}
    if lost := set(gone) & used:
        raise _invalid(f"Tag values {sorted(lost)} of {key} are in use")
    kept = list(dict.fromkeys([*(value for value in known if value not in gone), *new]))
    if len(kept) > _VALUES:
        raise _invalid(f"A tag has {_VALUES} values at most")
    state.tags[key] = kept
    return {}


def _delete(request: Request) -> dict[str, Any]:
    """What it is on loses it, and grants by it end."""
    key = request["TagKey"].lower()
    authoriser.require_administrator(key)
    state.tag_values(key)
    state.tags.pop(key)
    for pairs in state.assigned.values():
        pairs.pop(key, None)
    for places in state.grants.values():
        its = places.get(("", ""), {})
        for thing in [thing for thing in its if _names(thing, key)]:
            del its[thing]
    return {}


def _names(thing: Thing, key: str) -> bool:
    return (thing.kind == "LFTag" and thing.name == key) or (
        thing.kind == "LFTagPolicy" and key in {pair[0] for pair in thing.rest}
    )


def _may(permission: str, thing: Thing) -> None:
    caller = authoriser.caller()
    its = state.held(caller, ("", ""))
    held = set().union(
        *(one.permissions for other, one in its.items() if (other.kind, other.name) == (thing.kind, thing.name))
    )
    if not authoriser.is_administrator(caller) and permission not in held:
        raise authoriser.denied(permission.title(), thing.name or "the catalog")


def _get(request: Request) -> dict[str, Any]:
    return _tag(request["TagKey"].lower(), state.tag_values(request["TagKey"].lower()))


def _tag(key: str, values: list[str]) -> dict[str, Any]:
    return {"CatalogId": get_account_id(), "TagKey": key, "TagValues": list(values)}


def _list(request: Request) -> dict[str, Any]:
    found = [_tag(key, values) for key, values in state.tags.items()]
    return page(found, request, under="LFTags", key=lambda tag: [tag["TagKey"]], most=_MOST)


def _places(resource: Request) -> list[tuple[str, str, str]]:
    places = []
    for thing in things.parsed(resource):
        if thing.kind not in ("Database", "Table", "TableWithColumns") or thing.rest or thing.table == things.EVERY:
            raise _invalid("Tags are put on a database, a table or columns that are named")
        if refusal := things.missing(thing):
            raise refusal
        places.append((thing.database, thing.table, thing.name))
    return places


def _add(request: Request) -> dict[str, Any]:
    return _assign(request, new=True)


def _remove(request: Request) -> dict[str, Any]:
    return _assign(request, new=False)


def _assign(request: Request, *, new: bool) -> dict[str, Any]:
    """Put tags on something, or take them off; each tag may fail by itself."""
    failures = []
    places = _places(request["Resource"])
    for tag in request["LFTags"]:
        try:
            _change(places, tag, new=new)
        except ServiceError as error:
            detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
            failures.append({"LFTag": tag, "Error": detail})
    return {"Failures": failures}


def _change(places: list[tuple[str, str, str]], tag: Request, *, new: bool) -> None:
    key, values = tag["TagKey"].lower(), _values(tag["TagValues"])
    _may("ASSOCIATE", Thing(kind="LFTag", name=key))
    known = state.tag_values(key)
    if new and (len(values) != 1 or values[0] not in known):
        raise _invalid(f"A resource has one of the values of {key}, not {values}")
    for place in places:
        pairs = state.assigned.setdefault(place, {})
        if not new and pairs.pop(key, None) is None:
            raise ServiceError("EntityNotFoundException", f"Tag {key} is not on {'.'.join(filter(None, place))}")
        if new:
            pairs[key] = values[0]
        if len(pairs) > _ON_ONE:
            raise _invalid(f"A resource has {_ON_ONE} tags at most")


def _pairs(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [_tag(key, [value]) for key, value in sorted(tags.items())]


def _of_resource(request: Request) -> dict[str, Any]:
    """The tags of something; with `ShowAssignedLFTags` those that were put on it, without those that it inherits."""
    places = _places(request["Resource"])
    of = state.assigned.get if request.get("ShowAssignedLFTags") else lambda place, _: state.effective_tags(*place)
    (database, table, _), empty = places[0], dict[str, str]()
    answer: dict[str, Any] = {"LFTagOnDatabase": _pairs(of((database, "", ""), empty))}
    if not table:
        return answer
    names = [name for _, _, name in places if name] or things.columns_of(catalog.table(database, table))
    columns = [{"Name": name, "LFTags": _pairs(of((database, table, name), empty))} for name in names]
    tagged = [column for column in columns if column["LFTags"]]
    return {**answer, "LFTagsOnTable": _pairs(of((database, table, ""), empty)), "LFTagsOnColumns": tagged}


def _search_databases(request: Request) -> dict[str, Any]:
    wanted, names = things.expression(request["Expression"]), [one["Name"] for one in catalog.databases()]
    found = [
        {"Database": {"CatalogId": get_account_id(), "Name": name}, "LFTags": _pairs(state.effective_tags(name))}
        for name in names
        if authoriser.matches(wanted, state.effective_tags(name))
        and authoriser.sees_database(authoriser.caller(), name)
    ]
    return page(found, request, under="DatabaseList", key=lambda one: [one["Database"]["Name"]], most=100)


def _search_tables(request: Request) -> dict[str, Any]:
    """Tables that have the tags, or a column with them."""
    wanted = things.expression(request["Expression"])
    found = [one for database in catalog.databases() for one in _tagged(database["Name"], wanted)]
    key = lambda one: [one["Table"]["DatabaseName"], one["Table"]["Name"]]  # noqa: E731
    return page(found, request, under="TableList", key=key, most=100)


def _tagged(database: str, wanted: Any) -> Iterator[dict[str, Any]]:
    for one in catalog.tables(database):
        place = {"CatalogId": get_account_id(), "DatabaseName": database, "Name": one["Name"]}
        effective = [state.effective_tags(database, one["Name"], column) for column in ("", *things.columns_of(one))]
        if not any(authoriser.matches(wanted, tags) for tags in effective):
            continue
        if authoriser.may(authoriser.caller(), database, one["Name"]).visible:
            yield {"Table": place, **_of_resource({"Resource": {"Table": place}})}


OPERATIONS: Mapping[str, Operation] = {
    "CreateLFTag": _create,
    "UpdateLFTag": _update,
    "DeleteLFTag": _delete,
    "GetLFTag": _get,
    "ListLFTags": _list,
    "AddLFTagsToResource": _add,
    "RemoveLFTagsFromResource": _remove,
    "GetResourceLFTags": _of_resource,
    "SearchDatabasesByLFTags": _search_databases,
    "SearchTablesByLFTags": _search_tables,
}
