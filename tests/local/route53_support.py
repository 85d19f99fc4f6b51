"""A hosted zone of the local cloud, and what the DNS server says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dns.message
import dns.query
import dns.rcode
import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud_fixtures import Workbench

OUT = "switch-out"
AT_ONCE = {"busy_seconds": 0, "insync_seconds": 0}


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A hosted zone of an account of its own."""

    workbench: Workbench
    zone: str
    name: str

    @property
    def client(self) -> Any:
        """Route 53, as the account's root."""
        return self.workbench.client("route53")

    def record(self, place: str, weight: int, *, name: str = "app", **more: Any) -> dict[str, Any]:
        """A weighted record of the zone that leads to a place."""
        named = {"Name": f"{name}.{self.name}", "Type": "CNAME", "SetIdentifier": place, "Weight": weight, "TTL": 1}
        return {**named, "ResourceRecords": [{"Value": f"{place}.example.net"}], **more}

    def change(self, *records: Mapping[str, Any], action: str = "UPSERT", client: Any = None) -> str:
        """Change records; the change's id."""
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": dict(one)} for one in records]}
        answer = (client or self.client).change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch=batch)
        return str(answer["ChangeInfo"]["Id"])

    def refused(self, *records: Mapping[str, Any], **options: Any) -> tuple[str, str]:
        """Code and message of a change that is refused."""
        with pytest.raises(ClientError) as caught:
            self.change(*records, **options)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    def records(self) -> list[Mapping[str, Any]]:
        """All records but those that each zone has."""
        pages = self.client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=self.zone)
        return [one for page in pages for one in page["ResourceRecordSets"] if one["Type"] not in {"NS", "SOA"}]

    def check(self, **config: Any) -> str:
        """A health check; its id."""
        given = {"CallerReference": str(config), "HealthCheckConfig": config}
        return str(self.client.create_health_check(**given)["HealthCheck"]["Id"])

    def switch(self) -> str:
        """A health check that is the state of an alarm in the workbench's Region."""
        alarm = {"Name": OUT, "Region": self.workbench.region}
        return self.check(
            Type="CLOUDWATCH_METRIC", AlarmIdentifier=alarm, InsufficientDataHealthStatus="LastKnownStatus"
        )

    def status(self, check: str) -> str:
        """What a health check was when it was last looked at: Success or Failure."""
        (one,) = self.client.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        return str(one["StatusReport"]["Status"].partition(":")[0])

    def publish(self, value: int) -> None:
        """Write the metric that the alarm watches, and make the alarm if there is none."""
        cloudwatch = self.workbench.client("cloudwatch")
        measured = {"Namespace": "Switches", "MetricName": "Out"}
        rule = {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 1, "TreatMissingData": "ignore"}
        times = {"Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1}
        cloudwatch.put_metric_alarm(AlarmName=OUT, **measured, **rule, **times)
        cloudwatch.put_metric_data(Namespace="Switches", MetricData=[{"MetricName": "Out", "Value": value}])

    def seen(self, name: str = "app", kind: str = "A") -> tuple[str, list[str]]:
        """Code and values of what the DNS server answers."""
        server, port = self.workbench.cloud.dns
        answer = dns.query.udp(dns.message.make_query(f"{name}.{self.name}", kind), server, port=port, timeout=5)
        return dns.rcode.to_text(answer.rcode()), [str(one) for line in answer.answer for one in line]


@pytest.fixture
def domain(workbench: Workbench) -> Iterator[Domain]:
    """A zone whose changes are everywhere at once."""
    faults = workbench.cloud.faults
    faults.set({"route53": AT_ONCE, "cloudwatch": {"seconds_a_minute": 1}})
    name = f"shop{workbench.account}.example"
    made = workbench.client("route53").create_hosted_zone(Name=name.upper(), CallerReference="first")
    yield Domain(workbench=workbench, zone=made["HostedZone"]["Id"].rpartition("/")[2], name=name)
    faults.clear()
