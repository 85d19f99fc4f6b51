"""Reading some attributes of a whole table, fast.

botocore walks through each answer attribute by attribute, which takes longer than the network does. Here the items are
taken from the JSON as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

# Pages of a segment follow each other, segments are read at the same time. More of them gain nothing from a table that
# has a few pages.
SEGMENTS = 2
_EVENT = "before-parse.dynamodb.Scan"
_OK = 200
_AS_THEY_ARE = ("S", "BOOL")
_SETS = ("SS", "NS", "BS")  # they have no order


def scan_plain(
    client: Any, wanted: Mapping[str, Sequence[str]], *, segments: int = SEGMENTS
) -> dict[str, list[dict[str, Any]]]:
    """Read the named attributes of every item of tables, all at the same time.

    Strings and booleans are as they are, anything else as DynamoDB's JSON has it.

    `wanted` has the attributes by table; the answer has the items by table. Reads are consistent.
    """
    tasks = [(table, segment) for table in wanted for segment in range(segments)]

    def read(task: tuple[str, int]) -> list[dict[str, Any]]:
        table, segment = task
        return _pages(
            client,
            {
                "TableName": table,
                "ConsistentRead": True,
                # A list of names, which none of DynamoDB's reserved words is in the way of.
                "AttributesToGet": list(wanted[table]),
                "Segment": segment,
                "TotalSegments": segments,
            },
        )

    with _items_untouched(client), ThreadPoolExecutor(len(tasks)) as pool:
        found = list(pool.map(read, tasks))
    items: dict[str, list[dict[str, Any]]] = {table: [] for table in wanted}
    for (table, _), part in zip(tasks, found, strict=True):
        items[table] += part
    return items


def _pages(client: Any, request: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    while True:
        page = client.scan(**request)
        items += map(_plain, page["Items"])
        if "LastEvaluatedKey" not in page:
            return items
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _plain(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        name: value if kind in _AS_THEY_ARE else {kind: sorted(value) if kind in _SETS else value}
        for name, typed in item.items()
        for kind, value in typed.items()
    }


@contextmanager
def _items_untouched(client: Any) -> Iterator[None]:
    client.meta.events.register(_EVENT, _take_items)
    try:
        yield
    finally:
        client.meta.events.unregister(_EVENT, _take_items)


def _take_items(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Take the items out of the answer before botocore parses it, and give them back beside what it has parsed."""
    if response_dict["status_code"] != _OK:
        return
    answer = json.loads(response_dict["body"])
    customized_response_dict["Items"] = answer.pop("Items", [])
    response_dict["body"] = json.dumps(answer).encode()
