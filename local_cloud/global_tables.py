"""Global tables of DynamoDB: CloudFormation makes their replicas, and writes come to them after a while.

ministack copies each write to all replicas at once. Here it takes `{"dynamodb": {"replication_seconds": n}}` (a fault),
waits for a Region that is down, and of two writes to an item the later one wins.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack import app as ministack_app
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

from local_cloud.server import faults, regions

_TYPE = "AWS::DynamoDB::GlobalTable"
_KEY = ("pk_name", "sk_name")
_Place = tuple[str, str, str, Any, Any]


@dataclass(frozen=True, kw_only=True)
class _Write:
    """A write that is on its way to `place`: an account, a Region, a table and a key."""

    at: float
    origin: str
    place: _Place
    item: dict[str, Any] | None


# Held while writes set out and arrive: of two requests at once, one would find a write gone that both have seen.
_moving = threading.RLock()
_on_the_way: list[_Write] = []
_written: dict[_Place, float] = {}


def register() -> None:
    """Replicate, and let CloudFormation make such tables; once, before it serves."""
    dynamodb._replicate_write = _replicate
    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def made(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        answer = create(logical_id, props, stack_name)
        _have_replicas(answer[0], props)
        return answer

    def updated(physical_id: str, before: dict[str, Any], after: dict[str, Any], stack_name: str) -> Any:
        answer = update(physical_id, before, after, stack_name)
        _have_replicas(answer[0], after)
        return answer

    def deleted(physical_id: str, props: dict[str, Any]) -> None:
        _have_replicas(physical_id, {**props, "Replicas": []})
        delete(physical_id, props)

    handlers |= {"create": made, "update": updated, "delete": deleted}
    original = ministack_app.SERVICE_HANDLERS["dynamodb"]

    async def handler(*arguments: Any, **named: Any) -> Any:
        _arrive()
        return await original(*arguments, **named)

    ministack_app.SERVICE_HANDLERS["dynamodb"] = handler


def _have_replicas(name: str, props: Mapping[str, Any]) -> None:
    """Make and take away replicas, until there are those of the template."""
    account, home = get_account_id(), get_region()
    wanted = {one["Region"]: one for one in props["Replicas"] if one["Region"] != home}
    table = dynamodb._tables[name]
    there = {one for one in dynamodb._replica_group(table) if one != home}
    updates = [{"Create": {"RegionName": one}} for one in wanted if one not in there]
    updates += [{"Delete": {"RegionName": one}} for one in there if one not in wanted]
    if refused := dynamodb._apply_replica_updates(name, table, updates):
        raise ValueError(refused[2])
    for its in props["Replicas"]:
        replica = dynamodb._tables.get_scoped(account, its["Region"], name)
        key = its.get("SSESpecification", {}).get("KMSMasterKeyId")
        replica["SSEDescription"] = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key} if key else None
        replica["DeletionProtectionEnabled"] = its.get("DeletionProtectionEnabled", False)


def _replicate(table: Mapping[str, Any], _: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
    """Send a write of the account and Region in scope on its way to the table's other replicas."""
    members, item = dynamodb._replica_group(table), new or old
    if not members or item is None:
        return
    account, home, now = get_account_id(), get_region(), time.time()
    key = [dynamodb._extract_key_val(item[table[name]]) if table[name] else "__no_sort__" for name in _KEY]
    with _moving:
        for region in members:
            place: _Place = (account, region, table["TableName"], *key)
            if region == home:
                _written[place] = now
            else:
                _on_the_way.append(_Write(at=now, origin=home, place=place, item=copy.deepcopy(new)))
        _arrive()


def _arrive() -> None:
    """Apply the writes that have been on their way for long enough, unless one of both Regions is down."""
    takes, now, down = float(faults.board.setting("dynamodb", "replication_seconds") or 0), time.time(), regions.down()
    with _moving:
        for write in list(_on_the_way):
            if now - write.at < takes or {write.origin, write.place[1]} & down:
                continue
            _on_the_way.remove(write)
            if _written.get(write.place, 0) <= write.at:
                _written[write.place] = write.at
                _apply(write)


def _apply(write: _Write) -> None:
    account, region, name, *key = write.place
    with request_scope(account, region):
        replica = dynamodb._tables.get(name)
        if replica is None:
            return
        if write.item is None:
            dynamodb._remove_item(replica, *key)
        else:
            dynamodb._set_item(replica, *key, write.item)
