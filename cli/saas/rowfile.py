"""Reading rows from a file, in plain or in DynamoDB's own JSON, and checking each of them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from typing import Any

import yaml

from cli.common.errors import CliError
from config.explain import explain_unreadable
from config.yaml_loader import GIVEN_TWICE, PlainLoader
from lambdas.common.dynamo import read_item
from lambdas.common.isolation import fault
from lambdas.common.written import cut, shown
from lambdas.saas.model.record import DeploymentRecord, InvalidRow, name_of, parse_row
from lambdas.saas.model.target_policy import TargetPolicy

# `revision_by` is for people: nothing is decided by it.
ATTRIBUTES = (*(field.name for field in fields(DeploymentRecord)), "revision_by")
# What a reason begins with that is about one of several.
_ONE_OF = {"tag": "tags", "parameter": "parameters"}
_TYPES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})
_REQUESTS = frozenset({"PutRequest", "DeleteRequest"})
_TOLD = 100  # characters of an id, a name or an error that are told


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with one attribute of one row; rows are counted from 0, a warning does not make a row invalid."""

    row: int
    id: str
    field: str
    message: str
    warning: bool = False

    def line(self) -> str:
        kind = "warning" if self.warning else "error"
        named = f" ({cut(self.id)})" if self.id else ""
        return f"{kind}: row {self.row}{named}, {cut(self.field)}: {self.message}"

    def document(self) -> dict[str, Any]:
        return asdict(self)


def read_rows(text: str) -> list[Any]:
    """Read JSON or YAML: one row, a list of them, or what the AWS CLI answers and takes (`_unwrapped`).

    Raises:
        CliError: it is neither, a key is given twice, or there is no row.
    """
    heading = [cell.strip(' "') for cell in re.split("[,;\t]", text.strip().split("\n", 1)[0].strip())]
    if "id" in heading and len(heading) > 1:
        raise CliError("the file is CSV, which says nothing of types: write the rows as JSON or YAML")
    try:
        data = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        data = _yaml(text)
    rows = _unwrapped(data)
    if not rows or rows == [None]:
        raise CliError("the file has no rows: write one row, or a list of rows")
    return rows


def _unwrapped(data: Any) -> list[Any]:
    """The rows in the answer of a scan or get-item, and in the input of put-item or batch-write-item."""
    match data:
        case {"id": _}:
            return [data]
        case {"Items": [*rows]}:
            return rows
        case {"Item": Mapping() as row}:
            return [row]
        case {"RequestItems": Mapping() as tables}:
            return _unwrapped(tables)
        case Mapping() if data and all(map(_is_batch, data.values())):
            return [_put(request) for requests in data.values() for request in requests]
    return data if isinstance(data, list) else [data]


def _is_batch(requests: Any) -> bool:
    return isinstance(requests, list) and any(isinstance(one, Mapping) and _REQUESTS & one.keys() for one in requests)


def _put(request: Any) -> Any:
    match request:
        case {"PutRequest": {"Item": row}}:
            return row
        case {"DeleteRequest": _}:
            raise CliError(
                "the file deletes rows (DeleteRequest), which destroys or keeps what is deployed as `on_row_removed` "
                "says: use `granary retire`, and check the PutRequests alone"
            )
    return request


def problems_of(rows: list[Any], policy: TargetPolicy) -> list[Problem]:
    """Every error and warning of every row."""
    plain: dict[int, Any] = {}
    found: list[Problem] = []
    for index, row in enumerate(rows):
        try:
            plain[index] = plain_row(row)
            found += _problems(index, plain[index], policy)
        except Exception as error:  # one row harms no other
            message = f"cannot be read ({cut(fault(error), 3 * _TOLD)}): write it as put-item takes it"
            found.append(Problem(row=index, id="", field="row", message=message))
    return sorted([*found, *_repeated(plain)], key=lambda problem: problem.row)


def plain_row(row: Any) -> Any:
    """A row without DynamoDB's types; what is not written with them is left as it is.

    Raises:
        CliError: an attribute is not as its type says.
    """
    if not isinstance(row, Mapping) or not row or not all(map(_typed, row.values())):
        return row
    found: dict[str, Any] = {}
    for name, value in row.items():
        try:
            found |= read_item({name: value})
        except Exception as error:
            raise CliError(f"{cut(str(name))} is not as its type says: {shown(value)}") from error
    return found


def _typed(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in _TYPES


def _problems(index: int, row: Any, policy: TargetPolicy) -> list[Problem]:
    if not isinstance(row, Mapping):
        return [Problem(row=index, id="", field="row", message=f"must be a map of attributes, not {shown(row)}")]
    name = cut(name_of(row), _TOLD)
    parsed = parse_row(row, policy)
    reasons = parsed.reasons if isinstance(parsed, InvalidRow) else ()
    errors = [Problem(row=index, id=name, field=_field(reason), message=reason) for reason in reasons]
    return [*errors, *_misspelt(index, name, row)]


def _field(reason: str) -> str:
    # Every reason begins with the attribute that it is about.
    first = reason.split(" ", 1)[0]
    return _ONE_OF.get(first, first)


def _misspelt(index: int, name: str, row: Mapping[Any, Any]) -> list[Problem]:
    """Attributes that are not the factory's are left alone: one that is nearly the name of one is told."""
    strangers = [str(attribute) for attribute in row if attribute not in ATTRIBUTES]
    return [
        Problem(
            row=index,
            id=name,
            field=stranger,
            message=f"is left alone, for it is no attribute of the factory: is {near[0]} meant?",
            warning=True,
        )
        for stranger in strangers
        if len(stranger) < _TOLD and (near := get_close_matches(stranger.lower(), ATTRIBUTES, n=1, cutoff=0.75))
    ]


def _repeated(rows: Mapping[int, Any]) -> list[Problem]:
    ids = {index: name_of(row) for index, row in rows.items() if isinstance(row, Mapping)}
    counts = Counter(ids.values())
    return [
        Problem(row=index, id=told, field="id", message=f"id {told} stands in {counts[name]} rows: keep one of them")
        for index, name in ids.items()
        if name and counts[name] > 1 and (told := cut(name, _TOLD))
    ]


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_RowLoader)  # noqa: S506 - a safe loader
    except CliError:
        raise
    except Exception as error:  # whatever a file makes YAML's constructors trip over
        raise CliError(f"the file is neither JSON nor YAML: {explain_unreadable(error)}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for key, count in Counter(key for key, _ in pairs).items():
        if count > 1:
            raise CliError(f"{cut(key)} is given twice in one map: keep one of them")
    return dict(pairs)


class _RowLoader(PlainLoader):
    """The same without dates: a row has none."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        try:
            return super().compose_mapping_node(anchor)
        except yaml.MarkedYAMLError as error:
            if not str(error.problem).endswith(GIVEN_TWICE) or error.problem_mark is None:
                raise
            where = f"the map of line {error.problem_mark.line + 1}"
            raise CliError(f"{cut(str(error.problem), _TOLD)} in {where}: keep one of them") from error


def _as_text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_RowLoader.add_constructor("tag:yaml.org,2002:timestamp", _as_text)
