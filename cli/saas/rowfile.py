"""Reading rows from a file, in plain or in DynamoDB's own JSON, and checking each of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

import yaml
from boto3.dynamodb.types import TypeDeserializer

from cli.common.errors import CliError
from lambdas.common.written import cut
from lambdas.saas.model.record import InvalidRow, parse_row
from lambdas.saas.model.target_policy import TargetPolicy

ATTRIBUTES = ("id", "type", "account", "region", "size", "tags", "ring", "state", "allow_move")
_TYPES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})
_deserializer = TypeDeserializer()


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
    """Read JSON or YAML: one row, a list of them, or the answer of a scan (`Items`).

    Raises:
        CliError: it is neither, a key is given twice, or there is no row.
    """
    try:
        data = yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - a safe loader; JSON is YAML, but for tabs
    except yaml.YAMLError as error:
        data = _json(text, error)
    if isinstance(data, Mapping) and isinstance(data.get("Items"), list):
        data = data["Items"]
    rows = data if isinstance(data, list) else [data]
    if not rows or rows == [None]:
        raise CliError("the file has no rows: write one row, or a list of rows")
    return rows


def problems_of(rows: list[Any], policy: TargetPolicy) -> list[Problem]:
    """Every error and warning of every row."""
    plain = [plain_row(row) for row in rows]
    found = [problem for index, row in enumerate(plain) for problem in _problems(index, row, policy)]
    return sorted([*found, *_repeated(plain)], key=lambda problem: problem.row)


def plain_row(row: Any) -> Any:
    """A row without DynamoDB's types; what is not written with them is left as it is."""
    if not isinstance(row, Mapping) or not row or not all(map(_typed, row.values())):
        return row
    try:
        return {name: _deserializer.deserialize(value) for name, value in row.items()}
    except (TypeError, ValueError, AttributeError):
        return row


def _typed(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in _TYPES


def _problems(index: int, row: Any, policy: TargetPolicy) -> list[Problem]:
    if not isinstance(row, Mapping):
        message = f"must be a map of attributes, not {json.dumps(row, default=str)[:60]}"
        return [Problem(row=index, id="", field="row", message=message)]
    name = str(row.get("id") or "")
    parsed = parse_row(row, policy)
    reasons = parsed.reasons if isinstance(parsed, InvalidRow) else ()
    errors = [Problem(row=index, id=name, field=_field(reason), message=reason) for reason in reasons]
    return [*errors, *_misspelt(index, name, row)]


def _field(reason: str) -> str:
    # Every reason begins with the attribute that it is about.
    first = reason.split(" ", 1)[0]
    return "tags" if first == "tag" else first


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
        if (near := get_close_matches(stranger.lower(), ATTRIBUTES, n=1, cutoff=0.75))
    ]


def _repeated(rows: list[Any]) -> list[Problem]:
    ids = [str(row.get("id") or "") if isinstance(row, Mapping) else "" for row in rows]
    counts = Counter(ids)
    return [
        Problem(row=index, id=name, field="id", message=f"id {name} stands in {counts[name]} rows: keep one of them")
        for index, name in enumerate(ids)
        if name and counts[name] > 1
    ]


def _json(text: str, error: yaml.YAMLError) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except ValueError:
        said = " ".join(str(error).split())
        raise CliError(f"the file is neither JSON nor YAML: {said}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for repeated in _given_twice(key for key, _ in pairs):
        raise CliError(f"{repeated} is given twice in one map: keep one of them")
    return dict(pairs)


def _given_twice(keys: Iterable[str]) -> list[str]:
    return [key for key, count in Counter(keys).items() if count > 1]


class _PlainLoader(yaml.SafeLoader):
    """YAML without dates, and with no key given twice; a plain loader silently keeps the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for repeated in _given_twice(keys):
            where = f"the map that begins in line {node.start_mark.line + 1}"
            raise CliError(f"{repeated} is given twice in {where}: keep one of them")
        return super().construct_mapping(node, deep)


def _as_text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_PlainLoader.add_constructor("tag:yaml.org,2002:timestamp", _as_text)
