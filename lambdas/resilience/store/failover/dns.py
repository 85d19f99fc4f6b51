"""Route 53: reading and writing the records of zones, no faster than it takes requests.

It takes ten requests a second of an account, of which this leaves others half (decision 29), and refuses one for a zone
whose last one it is still working on.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of, passes
from lambdas.resilience.model.failover.packing import ACTION, Batch, Key, key_of

_BUSY = frozenset({"PriorRequestNotComplete", "ThrottlingException", "Throttling"})
_INTERVAL = 0.2


@dataclass(kw_only=True)
class Dns:
    """The zones of an account; `pause` and `watch` are the clock that it keeps its pace by."""

    client: Any
    pause: Callable[[float], None] = time.sleep
    watch: Callable[[], float] = time.monotonic
    _next: float = field(default=0.0, init=False)

    def records(self, zone: str, names: Iterable[str], *, every: bool = False) -> dict[Key, Mapping[str, Any]]:
        """The records of names in a zone that belong to a Region, or `every` one, as Route 53 has them.

        It is asked from each name on, in its own order, so what others have in between is passed over.
        """
        found: dict[Key, Mapping[str, Any]] = {}
        left = sorted(set(names), key=_place)
        further: dict[str, str] = {}
        while left:
            asked = further or {"StartRecordName": left[0]}
            answer = self._paced(self.client.list_resource_record_sets, HostedZoneId=zone, **asked)
            found |= {key_of(one): one for one in answer["ResourceRecordSets"] if every or "Weight" in one}
            if not answer["IsTruncated"]:
                break
            further = _next_page(answer)
            reached = _place(further["StartRecordName"])
            # A name is never asked for anew, but to read on in it: it comes to an end whatever the order.
            left = [one for one in left if _place(one) == reached or (one != left[0] and _place(one) > reached)]
            if left and _place(left[0]) != reached:
                further = {}
        return found

    def change(self, batch: Batch, *, comment: str) -> str | None:
        """Write a batch, and answer with the change's id; None while Route 53 is busy with the zone."""
        changes = [
            {
                "Action": record.get(ACTION, "UPSERT"),
                "ResourceRecordSet": {name: value for name, value in record.items() if name != ACTION},
            }
            for record in batch.records
        ]
        try:
            answer = self._paced(
                self.client.change_resource_record_sets,
                HostedZoneId=batch.zone,
                ChangeBatch={"Comment": comment[:256], "Changes": changes},
            )
        except ClientError as error:
            if code_of(error) in _BUSY or passes(error):
                return None
            raise
        return str(answer["ChangeInfo"]["Id"])

    def is_everywhere(self, change: str) -> bool:
        """Whether all name servers have a change."""
        return bool(self._paced(self.client.get_change, Id=change)["ChangeInfo"]["Status"] == "INSYNC")

    def point(self, *, zone: str, record: str, to: str) -> str:
        """Let a CNAME lead to a name; answers what that waits for, or nothing when it leads there already."""
        asked = {"StartRecordName": record, "StartRecordType": "CNAME", "MaxItems": "1"}
        answer = self._paced(self.client.list_resource_record_sets, HostedZoneId=zone, **asked)
        wanted = {"Name": record, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": to}]}
        for one in answer["ResourceRecordSets"]:
            if key_of(one) == key_of(wanted) and one.get("ResourceRecords") == wanted["ResourceRecords"]:
                return ""
        change = self.change(Batch(zone=zone, records=(wanted,)), comment=f"granary: the database is {to}")
        return f"{record} has been told to lead to {to}" if change else f"Route 53 is busy with zone {zone}"

    def _paced(self, call: Callable[..., Any], **asked: Any) -> Any:
        wait = self._next - self.watch()
        if wait > 0:
            self.pause(wait)
        self._next = self.watch() + _INTERVAL
        return call(**asked)


def _place(name: str) -> str:
    """Where a name is in a zone's listing: its labels from the right, with a dot at the end.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html
    """
    return ".".join(reversed(name.rstrip(".").lower().split("."))) + "."


def _next_page(answer: Mapping[str, Any]) -> dict[str, str]:
    further = {"Name": "StartRecordName", "Type": "StartRecordType", "Identifier": "StartRecordIdentifier"}
    return {asked: answer[f"NextRecord{told}"] for told, asked in further.items() if f"NextRecord{told}" in answer}
