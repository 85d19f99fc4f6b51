"""What failovers call, in two Regions that may be down, as AWS documents it.

A global table of two replicas (conditions hold in one, the later write wins between them), CloudWatch alarms that
follow a metric or stay as they are, health checks that follow alarms, and Route 53 with its limits. Before each call
`World.fault` is asked, which may raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import eq, gt, le, lt
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

A, B = "us-east-1", "eu-west-1"
BEGIN = datetime(2026, 11, 29, tzinfo=UTC)


class KilledError(BaseException):
    """The function has died, at this very call."""


def refusal(code: str, operation: str = "Call", status: int = 400, **more: Any) -> ClientError:
    response = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(response, operation)  # type: ignore[arg-type]


@dataclass
class World:
    """Time, two Regions and Route 53; `fault` is asked with the Region (empty: Route 53) and the call.

    While they are `parted`, both Regions are well and nothing is replicated.
    """

    now: datetime = BEGIN
    down: set[str] = field(default_factory=set)
    parted: bool = False
    fault: Callable[[str, str], None] = lambda _region, _call: None
    calls: list[tuple[str, str]] = field(default_factory=list)
    writes: int = 0

    def __post_init__(self) -> None:
        self.tables = {region: FakeTable(self, region) for region in (A, B)}
        self.watches = {region: FakeCloudWatch(self, region) for region in (A, B)}
        self.rds = FakeRds(self)
        self.route53 = FakeRoute53(self)
        self.said: list[Mapping[str, Any]] = []

    def call(self, region: str, name: str) -> None:
        self.calls.append((region, name))
        self.fault(region, name)
        if region in self.down:
            raise EndpointConnectionError(endpoint_url=f"https://{region}")

    def pause(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def watch(self) -> float:
        return (self.now - BEGIN).total_seconds()

    def pass_time(self, seconds: float) -> None:
        self.pause(seconds)
        for watch in self.watches.values():
            watch.evaluate()

    def replicate(self, only: str = "") -> None:
        """What was written, or of it only what begins so, arrives in the other Region, unless one of them is down."""
        if not self.down and not self.parted:
            self.tables[A].exchange(self.tables[B], only)


_Item = Mapping[str, Any]
_Sorted = tuple[str, str]


@dataclass
class FakeTable:
    """A replica; each item with when, and in which order, it was written."""

    world: World
    region: str
    items: dict[_Sorted, tuple[float, int, _Item | None]] = field(default_factory=dict)
    late: list[_Sorted] = field(default_factory=list)

    def get_item(self, *, Key: _Item, **_: Any) -> dict[str, Any]:
        self.world.call(self.region, "GetItem")
        item = self._there(_sorted(Key))
        return {"Item": item} if item else {}

    def put_item(self, **request: Any) -> dict[str, Any]:
        self.world.call(self.region, "PutItem")
        if not self._holds(request):
            raise refusal("ConditionalCheckFailedException", "PutItem")
        self._write(_sorted(request["Item"]), request["Item"])
        return {}

    def delete_item(self, *, Key: _Item, **_: Any) -> dict[str, Any]:
        self.world.call(self.region, "DeleteItem")
        self._write(_sorted(Key), None)
        return {}

    def transact_write_items(self, *, TransactItems: Sequence[_Item]) -> dict[str, Any]:
        self.world.call(self.region, "TransactWriteItems")
        puts = [one["Put"] for one in TransactItems]
        held = [self._holds(put) for put in puts]
        if not all(held):
            reasons = [{"Code": "None" if one else "ConditionalCheckFailed"} for one in held]
            raise refusal("TransactionCanceledException", CancellationReasons=reasons)
        for put in puts:
            self._write(_sorted(put["Item"]), put["Item"])
        return {}

    def get_paginator(self, name: str) -> FakeTable:
        assert name == "query"
        return self

    def paginate(self, *, ExpressionAttributeValues: _Item, **_: Any) -> list[dict[str, Any]]:
        self.world.call(self.region, "Query")
        wanted = ExpressionAttributeValues[":id"]["S"]
        keys = sorted(key for key in self.items if key[0] == wanted and self._there(key))
        return [{"Items": [self._there(key)]} for key in keys]

    def spoil(self, begin: str, which: int, text: str | None) -> bool:
        """A later version, or somebody by hand, writes another text into an item, or none; False when there is none."""
        keys = sorted(key for key in self.items if "/".join(key).startswith(begin) and self._there(key))
        if keys:
            key = keys[which % len(keys)]
            item = {name: value for name, value in (self._there(key) or {}).items() if name != "text"}
            self._write(key, item if text is None else {**item, "text": {"S": text}})
        return bool(keys)

    def exchange(self, other: FakeTable, only: str) -> None:
        """Each gets what the other has written; of an item that both have, the later."""
        for mine, its in ((self, other), (other, self)):
            for key in [key for key in mine.late if key[0].startswith(only)]:
                if key not in its.items or mine.items[key][:2] > its.items[key][:2]:
                    its.items[key] = mine.items[key]
            mine.late = [key for key in mine.late if not key[0].startswith(only)]

    def _there(self, key: _Sorted) -> _Item | None:
        return self.items[key][2] if key in self.items else None

    def _write(self, key: _Sorted, item: _Item | None) -> None:
        self.world.writes += 1
        self.items[key] = (self.world.watch(), self.world.writes, item)
        self.late.append(key)

    def _holds(self, request: _Item) -> bool:
        if "ConditionExpression" not in request:
            return True
        there = self._there(_sorted(request["Item"]))
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        return any(_clause(one, there, names, values) for one in request["ConditionExpression"].split(" OR "))


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {"=": eq, "<": lt, "<=": le, ">": gt}


def _clause(text: str, there: _Item | None, names: _Item, values: _Item) -> bool:
    if text == "attribute_not_exists(id)":
        return there is None
    if text.startswith("NOT attribute_type("):
        name, value = text.removeprefix("NOT attribute_type(").removesuffix(")").split(", ")
        return values[value]["S"] not in (there or {}).get(names[name], {})
    name, operator, value = text.split()
    found = (there or {}).get(names[name], {}).get("S")
    return found is not None and bool(_OPERATORS[operator](found, values[value]["S"]))


def _sorted(item: _Item) -> _Sorted:
    return (item["id"]["S"], item["sort"]["S"])


@dataclass
class FakeCloudWatch:
    """Metrics of a Region, alarms that follow them within a minute, and alarms that tests set."""

    world: World
    region: str
    values: dict[str, float] = field(default_factory=dict)
    states: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    measures: dict[str, list[float]] = field(default_factory=dict)
    put: list[Mapping[str, Any]] = field(default_factory=list)

    def put_metric_data(self, *, Namespace: str, MetricData: Sequence[_Item]) -> dict[str, Any]:
        self.world.call(self.region, "PutMetricData")
        assert Namespace == "Granary/Failover"
        assert len(MetricData) <= 1000
        for one in MetricData:
            self.put.append(one)
            of = {its["Name"]: its["Value"] for its in one["Dimensions"]}
            if one["MetricName"] == "RegionOut":
                self.values[f"granary-resilience-failover-{of['Group']}-{of['Out']}-out"] = one["Value"]
        return {}

    def evaluate(self) -> None:
        """Without data, an alarm stays as it is."""
        if self.region in self.world.down:
            return
        for name, value in self.values.items():
            self.set(name, "ALARM" if value >= 1 else "OK")
        self.values.clear()

    def set(self, name: str, state: str) -> None:
        if self.states.get(name, ("",))[0] != state:
            self.states[name] = (state, self.world.now)

    def describe_alarms(self, *, AlarmNames: Sequence[str], MaxRecords: int = 50, **_: Any) -> dict[str, Any]:
        self.world.call(self.region, "DescribeAlarms")
        assert len(AlarmNames) <= 100
        found = [(name, *self.states[name]) for name in AlarmNames if name in self.states]
        listed = [{"AlarmName": it, "StateValue": state, "StateUpdatedTimestamp": at} for it, state, at in found]
        return {"MetricAlarms": listed[:MaxRecords], **({"NextToken": "further"} if listed[MaxRecords:] else {})}

    def get_metric_statistics(self, *, MetricName: str, Statistics: Sequence[str], **_: Any) -> dict[str, Any]:
        self.world.call(self.region, "GetMetricStatistics")
        return {"Datapoints": [{Statistics[0]: value} for value in self.measures.get(MetricName, ())]}

    # Parameter Store, which is asked for one thing only.
    def get_parameter(self, *, Name: str) -> dict[str, Any]:
        self.world.call(self.region, "GetParameter")
        if Name not in self.states:
            raise refusal("ParameterNotFound")
        return {"Parameter": {"Value": self.states[Name][0]}}

    # And the bus.
    def put_events(self, *, Entries: Sequence[_Item]) -> dict[str, Any]:
        self.world.call(self.region, "PutEvents")
        self.world.said += Entries
        return {"FailedEntryCount": 0, "Entries": [{}]}


_Key = tuple[str, str, str]


@cache
def _listed(key: _Key) -> _Key:
    """In the order of Route 53: by the labels from the right, each with its dot."""
    name, kind, identifier = key
    return ("".join(f"{label}." for label in reversed(name.rstrip(".").split("."))) if name else "", kind, identifier)


@dataclass
class FakeRoute53:
    """Zones with weighted records, five calls a second for us, and one change of a zone at a time.

    Zones that are `unreadable` cannot be listed, and a change that has a `poisoned` name is never taken.
    """

    world: World
    zones: dict[str, dict[_Key, dict[str, Any]]] = field(default_factory=dict)
    busy_seconds: float = 0.5
    times: list[float] = field(default_factory=list)
    changes: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    page: int = 300
    refused: int = 0
    unreadable: set[str] = field(default_factory=set)
    poisoned: set[str] = field(default_factory=set)

    def list_resource_record_sets(self, *, HostedZoneId: str, **asked: Any) -> dict[str, Any]:
        self._admit("ListResourceRecordSets")
        if HostedZoneId in self.unreadable:
            raise refusal("NoSuchHostedZone", "ListResourceRecordSets", 404)
        zone = self.zones[HostedZoneId]
        start = (
            asked.get("StartRecordName", ""),
            asked.get("StartRecordType", ""),
            asked.get("StartRecordIdentifier", ""),
        )
        keys = sorted((key for key in zone if _listed(key) >= _listed(start)), key=_listed)
        most = int(asked.get("MaxItems", self.page))
        some, further = keys[:most], keys[most : most + 1]
        told = {"ResourceRecordSets": [dict(zone[key]) for key in some], "IsTruncated": bool(further)}
        if further:
            name, kind, identifier = further[0]
            told |= {"NextRecordName": name, "NextRecordType": kind}
            told |= {"NextRecordIdentifier": identifier} if identifier else {}
        return told

    def change_resource_record_sets(self, *, HostedZoneId: str, ChangeBatch: Mapping[str, Any]) -> dict[str, Any]:
        self._admit("ChangeResourceRecordSets")
        now = self.world.watch()
        if now < self.last.get(HostedZoneId, -1.0) + self.busy_seconds:
            raise refusal("PriorRequestNotComplete", "ChangeResourceRecordSets")
        records = [one["ResourceRecordSet"] for one in ChangeBatch["Changes"]]
        values = [its["Value"] for one in records for its in one.get("ResourceRecords", ())]
        if self.poisoned & {one["Name"] for one in records}:
            raise refusal("InvalidChangeBatch", "ChangeResourceRecordSets")
        if 2 * len(records) > 1000 or 2 * sum(map(len, values)) > 32_000:
            raise refusal("InvalidChangeBatch", "ChangeResourceRecordSets")
        self.zones[HostedZoneId] = _after(self.zones[HostedZoneId], ChangeBatch["Changes"])
        self.last[HostedZoneId] = now
        change = f"/change/C{len(self.changes)}"
        self.changes[change] = now
        return {"ChangeInfo": {"Id": change, "Status": "PENDING"}}

    def get_change(self, *, Id: str) -> dict[str, Any]:
        self._admit("GetChange")
        done = self.world.watch() >= self.changes[Id] + 30
        return {"ChangeInfo": {"Id": Id, "Status": "INSYNC" if done else "PENDING"}}

    def _admit(self, name: str) -> None:
        self.world.call("", name)
        now = self.world.watch()
        self.times = [one for one in self.times if one > now - 1]
        if len(self.times) > 5:
            # botocore tries again, after a while.
            self.refused += 1
            self.world.pause(1)
        self.times.append(self.world.watch())


def _after(zone: Mapping[_Key, Any], changes: Sequence[Mapping[str, Any]]) -> dict[_Key, dict[str, Any]]:
    """A zone after changes: what is made is not there, and what is taken away is there just so; or nothing is done."""
    after = dict(zone)
    for change in changes:
        action, record = change["Action"], dict(change["ResourceRecordSet"])
        key = (record["Name"], record["Type"], record.get("SetIdentifier", ""))
        if (action == "DELETE" and after.get(key) != record) or (action == "CREATE" and key in after):
            raise refusal("InvalidChangeBatch", "ChangeResourceRecordSets")
        after.pop(key, None)
        if action != "DELETE":
            others = [one for one in after.values() if one["Name"] == record["Name"]]
            # A CNAME is alone with others that are weighted as it is.
            if any(one["Type"] != record["Type"] or ("Weight" in one) != ("Weight" in record) for one in others):
                raise refusal("InvalidChangeBatch", "ChangeResourceRecordSets")
            after[key] = record
    return after


@dataclass
class FakeRds:
    """Aurora global databases and instances; a move takes two looks, or more."""

    world: World
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    instances: dict[str, dict[str, Any]] = field(default_factory=dict)
    begun: list[tuple[str, str]] = field(default_factory=list)
    looks: int = 2

    def cluster(self, name: str, writer: str) -> None:
        members = [
            {"DBClusterArn": f"arn:aws:rds:{at}:111111111111:cluster:{name}-{at}", "IsWriter": at == writer}
            for at in (A, B)
        ]
        self.clusters[name] = {"Status": "available", "GlobalClusterMembers": members, "looks": 0, "target": ""}

    def writer(self, name: str) -> str:
        (arn,) = [one["DBClusterArn"] for one in self.clusters[name]["GlobalClusterMembers"] if one["IsWriter"]]
        return str(arn.split(":")[3])

    def describe_global_clusters(self, *, GlobalClusterIdentifier: str) -> dict[str, Any]:
        self.world.call("", "DescribeGlobalClusters")
        found = self.clusters[GlobalClusterIdentifier]
        if found["target"]:
            found["looks"] += 1
            if found["looks"] >= self.looks:
                for one in found["GlobalClusterMembers"]:
                    one["IsWriter"] = one["DBClusterArn"] == found["target"]
                found |= {"Status": "available", "target": "", "looks": 0}
        return {"GlobalClusters": [found]}

    def describe_db_clusters(self, *, DBClusterIdentifier: str) -> dict[str, Any]:
        return {"DBClusters": [{"Endpoint": f"{DBClusterIdentifier}.rds.example.com"}]}

    def switchover_global_cluster(self, **asked: Any) -> None:
        self._move("SwitchoverGlobalCluster", asked)

    def failover_global_cluster(self, *, AllowDataLoss: bool, **asked: Any) -> None:
        assert AllowDataLoss
        self._move("FailoverGlobalCluster", asked)

    def _move(self, name: str, asked: Mapping[str, Any]) -> None:
        self.world.call("", name)
        found = self.clusters[asked["GlobalClusterIdentifier"]]
        if found["Status"] != "available":
            raise refusal("InvalidGlobalClusterStateFault")
        found |= {"Status": "switching-over", "target": asked["TargetDbClusterIdentifier"]}
        self.begun.append((name, asked["TargetDbClusterIdentifier"].split(":")[3]))

    def describe_db_instances(self, *, DBInstanceIdentifier: str) -> dict[str, Any]:
        self.world.call("", "DescribeDBInstances")
        if DBInstanceIdentifier not in self.instances:
            raise refusal("DBInstanceNotFound")
        found = self.instances[DBInstanceIdentifier]
        told = dict(found)
        found["DBInstanceStatus"] = "available"
        return {"DBInstances": [told]}

    def restore_db_instance_to_point_in_time(self, *, TargetDBInstanceIdentifier: str, **asked: Any) -> None:
        self.world.call("", "RestoreDBInstanceToPointInTime")
        assert asked["UseLatestRestorableTime"]
        if TargetDBInstanceIdentifier in self.instances:
            raise refusal("DBInstanceAlreadyExists")
        address = f"{TargetDBInstanceIdentifier}.rds.example.com"
        self.instances[TargetDBInstanceIdentifier] = {"DBInstanceStatus": "creating", "Endpoint": {"Address": address}}
        self.begun.append(("Restore", asked["SourceDBInstanceAutomatedBackupsArn"]))
