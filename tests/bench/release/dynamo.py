"""DynamoDB in memory, with the conditions, updates and transactions that the product makes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from tests.bench.release.calls import Calls
from tests.bench.release.conditions import compiled

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
_PAGE_BYTES = 1_000_000
_CLAUSES = re.compile(r"(SET|REMOVE|ADD) (.+?)(?= SET | REMOVE | ADD |$)")

Item = dict[str, Any]


class Dynamo:
    """A client of tables whose key is `id`; each call is counted, and each page of a scan."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.tables: dict[str, dict[str, Item]] = {}

    def get_item(self, **request: Any) -> dict[str, Any]:
        self._count("GetItem")
        item = self._table(request).get(_key(request))
        return {"Item": item} if item else {}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        self._count("BatchGetItem")
        return {
            "Responses": {
                name: [item for key in asked["Keys"] if (item := self.tables[name].get(key["id"]["S"]))]
                for name, asked in request["RequestItems"].items()
            }
        }

    def put_item(self, **request: Any) -> None:
        self._count("PutItem")
        self._table(request)[request["Item"]["id"]["S"]] = dict(request["Item"])

    def update_item(self, **request: Any) -> None:
        self._count("UpdateItem")
        if not self._allows(request):
            raise _refused("UpdateItem", "ConditionalCheckFailedException")
        self._update(request)

    def transact_write_items(self, **request: Any) -> None:
        self._count("TransactWriteItems")
        writes = [next(iter(write.items())) for write in request["TransactItems"]]
        held = [self._allows(what) for _, what in writes]
        if not all(held):
            codes = [{"Code": "None" if one else "ConditionalCheckFailed"} for one in held]
            raise _refused("TransactWriteItems", "TransactionCanceledException", CancellationReasons=codes)
        for kind, what in writes:
            if kind == "Update":
                self._update(what)
            elif kind != "ConditionCheck":
                raise NotImplementedError(f"{kind} in a transaction")

    def get_paginator(self, operation: str) -> Dynamo:
        if operation != "scan":
            raise NotImplementedError(f"pages of {operation}")
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        items, size = [], 0
        for item in list(self._table(request).values()):
            items.append(item)
            size += len(json.dumps(item))
            if size >= _PAGE_BYTES:
                self._count("Scan")
                yield {"Items": items}
                items, size = [], 0
        self._count("Scan")
        yield {"Items": items}

    def _count(self, operation: str) -> None:
        self._calls.count("dynamodb", operation)

    def _table(self, request: Mapping[str, Any]) -> dict[str, Item]:
        return self.tables.setdefault(request["TableName"], {})

    def _allows(self, request: Mapping[str, Any]) -> bool:
        if "ConditionExpression" not in request:
            return True
        item = self._table(request).get(_key(request), {})
        names = request.get("ExpressionAttributeNames", {})
        return compiled(request["ConditionExpression"])(item, names, request.get("ExpressionAttributeValues", {}))

    def _update(self, request: Mapping[str, Any]) -> None:
        key, names, values = _key(request), request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        item = dict(self._table(request).get(key, {"id": {"S": key}}))
        for clause, text in _clauses(request["UpdateExpression"]):
            for part in text.split(", "):
                if clause == "SET":
                    name, value = part.split(" = ")
                    item[names[name]] = values[value]
                elif clause == "REMOVE":
                    item.pop(names[part], None)
                else:
                    name, value = part.split(" ")
                    before = int(item.get(names[name], {"N": "0"})["N"])
                    item[names[name]] = {"N": str(before + int(values[value]["N"]))}
        self._table(request)[key] = item


def _clauses(expression: str) -> Sequence[tuple[str, str]]:
    found: list[tuple[str, str]] = _CLAUSES.findall(expression)
    return found


def _key(request: Mapping[str, Any]) -> str:
    key: str = request["Key"]["id"]["S"]
    return key


def _refused(operation: str, code: str, **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "the conditional request failed"}, **more}
    return ClientError(response, operation)
