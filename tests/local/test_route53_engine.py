"""Zones of the local cloud: what a change of records is refused for, and what resolvers are told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
from botocore.exceptions import ClientError

from local_cloud.factory.resolvers import Resolvers
from tests.local.local_cloud_fixtures import Workbench, allow, wait_until

_OUT = "switch-out"


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
        alarm = {"Name": _OUT, "Region": self.workbench.region}
        return self.check(
            Type="CLOUDWATCH_METRIC", AlarmIdentifier=alarm, InsufficientDataHealthStatus="LastKnownStatus"
        )

    def publish(self, value: int) -> None:
        """Write the metric that the alarm watches, and make the alarm if there is none."""
        cloudwatch = self.workbench.client("cloudwatch")
        measured = {"Namespace": "Switches", "MetricName": "Out"}
        rule = {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "Threshold": 1, "TreatMissingData": "ignore"}
        times = {"Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 1}
        cloudwatch.put_metric_alarm(AlarmName=_OUT, **measured, **rule, **times)
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
    faults.set({"route53": {"insync_seconds": 0}, "cloudwatch": {"seconds_a_minute": 1}})
    name = f"shop{workbench.account}.example"
    made = workbench.client("route53").create_hosted_zone(Name=name.upper(), CallerReference="first")
    yield Domain(workbench=workbench, zone=made["HostedZone"]["Id"].rpartition("/")[2], name=name)
    faults.clear()


def test_a_batch_is_refused_as_a_whole_with_all_reasons(domain: Domain) -> None:
    domain.change(domain.record("one", 100))
    foreign = {**domain.record("one", 1), "Name": "app.other.example"}
    code, message = domain.refused(domain.record("two", 1), domain.record("one", 1), foreign, action="CREATE")
    assert code == "InvalidChangeBatch"
    assert "but it already exists" in message
    assert "app.other.example. is not permitted in zone" in message
    assert [one["SetIdentifier"] for one in domain.records()] == ["one"]


def test_what_a_request_does_not_take_is_refused(domain: Domain) -> None:
    assert domain.refused(domain.record("one", 256))[0] == "InvalidInput"
    assert domain.refused(domain.record("one", 1, HealthCheckId="gone"))[0] == "NoSuchHealthCheck"
    many = [domain.record("one", 1, name=f"app{number}") for number in range(501)]
    assert domain.refused(*many) == ("InvalidChangeBatch", "[Number of records limit of 1000 exceeded.]")
    domain.change(*many[:500])
    assert len(domain.records()) == 500


def test_one_change_of_a_zone_at_a_time(domain: Domain) -> None:
    domain.workbench.cloud.faults.set({"route53": {"insync_seconds": 600}})
    first = domain.change(domain.record("one", 100))
    assert domain.client.get_change(Id=first)["ChangeInfo"]["Status"] == "PENDING"
    assert domain.refused(domain.record("one", 0))[0] == "PriorRequestNotComplete"
    domain.workbench.cloud.faults.set({"route53": {"insync_seconds": 0}})
    assert domain.client.get_change(Id=first)["ChangeInfo"]["Status"] == "INSYNC"
    domain.change(domain.record("one", 0))


def test_an_account_is_throttled(domain: Domain) -> None:
    domain.workbench.cloud.faults.set({"route53": {"insync_seconds": 0, "requests_a_second": 0.2}})
    domain.client.list_hosted_zones()
    assert domain.refused(domain.record("one", 1))[0] == "Throttling"
    other = Workbench(cloud=domain.workbench.cloud, account=domain.workbench.account[::-1])
    other.client("route53").list_hosted_zones()


def test_an_ordered_fault_is_an_error_of_route_53(domain: Domain) -> None:
    error = {"route53:ChangeResourceRecordSets": {"error": "ServiceUnavailable", "count": 1}}
    domain.workbench.cloud.faults.set(error)
    assert domain.refused(domain.record("one", 1))[0] == "ServiceUnavailable"
    domain.change(domain.record("one", 1))


def test_iam_looks_into_a_change(domain: Domain) -> None:
    root = {"AWS": f"arn:aws:iam::{domain.workbench.account}:root"}
    key = "route53:ChangeResourceRecordSets"
    only = {f"{key}Actions": ["UPSERT"], f"{key}RecordTypes": ["CNAME"]}
    names = {f"{key}NormalizedRecordNames": [f"app*.{domain.name}"]}
    statements = [
        allow(
            key,
            resource=f"arn:aws:route53:::hostedzone/{domain.zone}",
            **{"ForAllValues:StringEquals": only, "ForAllValues:StringLike": names},
        ),
        allow("route53:GetChange", resource="arn:aws:route53:::change/*"),
    ]
    role = domain.workbench.role("switcher", principal=root, statements=statements)
    client = domain.workbench.client("route53", domain.workbench.assume(role))
    change = domain.change(domain.record("one", 1), client=client)
    assert client.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC"
    text = {"Name": f"app.{domain.name}", "Type": "TXT", "TTL": 1, "ResourceRecords": [{"Value": '"a"'}]}
    denied = [
        domain.refused(domain.record("one", 1), action="DELETE", client=client),
        domain.refused(text, client=client),
        domain.refused(domain.record("one", 1, name="www"), client=client),
    ]
    assert {code for code, _ in denied} == {"AccessDenied"}


def test_a_switch_takes_a_place_out_and_lets_it_in_again(domain: Domain) -> None:
    domain.change(domain.record("one", 100, HealthCheckId=domain.switch()), domain.record("two", 0))
    assert domain.seen() == ("NOERROR", ["one.example.net."])
    resolvers, name = Resolvers.of(domain.workbench.cloud.dns, count=5), f"app.{domain.name}"
    assert set(resolvers.ask([name])) == {"one.example.net"}
    domain.publish(1)
    resolvers.until([name], lambda place: place == "two.example.net", seconds=30)
    domain.publish(0)
    resolvers.until([name], lambda place: place == "one.example.net", seconds=30)


def test_a_health_check_keeps_its_last_state_without_its_alarm(domain: Domain) -> None:
    check = domain.switch()

    def status() -> str:
        (one,) = domain.client.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
        return str(one["StatusReport"]["Status"].partition(":")[0])

    assert status() == "Success"
    domain.publish(1)
    wait_until(lambda: status() == "Failure", what="the health check's failure")
    domain.workbench.client("cloudwatch").delete_alarms(AlarmNames=[_OUT])
    domain.client.update_health_check(HealthCheckId=check, Inverted=True)
    assert domain.client.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckConfig"]["Inverted"] is True
    assert status() == "Success"
    domain.client.update_health_check(HealthCheckId=check, Inverted=False, InsufficientDataHealthStatus="Healthy")
    wait_until(lambda: status() == "Success", what="the health check's success")


def test_health_checks_probe_this_machine_only(domain: Domain) -> None:
    port = domain.workbench.cloud.settings.port
    probes = {"IPAddress": "127.0.0.1", "Port": port, "ResourcePath": "/_ministack/health"}
    well, ill = domain.check(Type="HTTPS", **probes), domain.check(Type="HTTP", **probes)
    domain.change(domain.record("one", 100, HealthCheckId=ill), domain.record("two", 1, HealthCheckId=well))
    assert domain.seen()[1] == ["two.example.net."]
    with pytest.raises(ClientError, match=r"probe 127\.0\.0\.1, localhost, and not '192\.0\.2\.1'"):
        domain.check(Type="TCP", IPAddress="192.0.2.1", Port=443)


def test_the_dns_server_answers_for_names_that_are_not_there(domain: Domain) -> None:
    domain.change(domain.record("one", 100, name="a.b"))
    assert domain.seen("c")[0] == "NXDOMAIN"
    assert domain.seen("b") == ("NOERROR", [])
    answer = domain.client.test_dns_answer(HostedZoneId=domain.zone, RecordName=f"c.{domain.name}", RecordType="A")
    assert (answer["ResponseCode"], answer["RecordData"]) == ("NXDOMAIN", [])


def test_long_answers_are_had_over_tcp(domain: Domain) -> None:
    values = [{"Value": f'"{"x" * 200}{number}"'} for number in range(5)]
    domain.change({"Name": f"long.{domain.name}", "Type": "TXT", "TTL": 1, "ResourceRecords": values})
    (server, port), query = domain.workbench.cloud.dns, dns.message.make_query(f"long.{domain.name}", "TXT")
    assert dns.query.udp(query, server, port=port, timeout=5).flags & dns.flags.TC
    assert len(dns.query.tcp(query, server, port=port, timeout=5).answer[0]) == 5


def test_health_checks_and_records_by_cloudformation(domain: Domain) -> None:
    stack = _Stack(domain=domain)
    assert stack.ended("create_stack", weight=100) == "CREATE_COMPLETE"
    (one, two) = domain.records()
    assert (one["Weight"], two["Weight"], "HealthCheckId" in one) == (100, 0, True)
    assert stack.ended("update_stack", weight=50, ttl=1) == "UPDATE_COMPLETE"
    assert [record["Weight"] for record in domain.records()] == [50, 0]
    domain.change({**domain.records()[0], "Weight": 7})
    assert domain.seen("www.sub")[1] == ["192.0.2.1"]
    (sub,) = (one for one in domain.client.list_hosted_zones()["HostedZones"] if one["Name"].startswith("sub."))
    theirs = Domain(workbench=domain.workbench, zone=sub["Id"].rpartition("/")[2], name=domain.name)
    text = {"Name": f"mine.sub.{domain.name}", "Type": "TXT", "TTL": 1, "ResourceRecords": [{"Value": '"a"'}]}
    theirs.change(text)
    assert stack.ended("delete_stack") == "DELETE_FAILED"
    assert "contains non-required resource record sets" in stack.reasons()
    theirs.change(text, action="DELETE")
    assert stack.ended("delete_stack") == "DELETE_COMPLETE"
    assert domain.records() == []
    assert len(domain.client.list_hosted_zones()["HostedZones"]) == 1
    assert domain.client.list_health_checks()["HealthChecks"] == []


def test_cloudformation_needs_leave_to_change_a_zone(domain: Domain) -> None:
    principal = {"Service": "cloudformation.amazonaws.com"}
    checks = allow("route53:*HealthCheck", "route53:*HostedZone", "route53:GetChange", "cloudwatch:DescribeAlarms")
    role = domain.workbench.role("records", principal=principal, statements=[checks])
    stack = _Stack(domain=domain)
    assert stack.ended("create_stack", weight=100, role=role) == "ROLLBACK_COMPLETE"
    assert (
        f"route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/{domain.zone}" in stack.reasons()
    )


def test_cloudformation_is_told_why_a_record_is_refused(domain: Domain) -> None:
    stack = _Stack(domain=domain)
    assert stack.ended("create_stack", weight=300) == "ROLLBACK_COMPLETE"
    assert "Value '300' is not facet-valid" in stack.reasons()


@dataclass(frozen=True, kw_only=True)
class _Stack:
    domain: Domain

    @property
    def client(self) -> Any:
        return self.domain.workbench.client("cloudformation")

    def ended(self, operation: str, *, weight: int = 0, ttl: int = 60, role: str = "") -> str:
        """The stack's status after an operation."""
        given: dict[str, Any] = {"StackName": "records"} | ({"RoleARN": role} if role else {})
        if operation != "delete_stack":
            given["TemplateBody"] = json.dumps({"Resources": self._resources(weight, ttl)})
        before = self.client.describe_stacks()["Stacks"] if operation == "delete_stack" else []
        answer = getattr(self.client, operation)(**given)
        name = before[0]["StackId"] if before else answer["StackId"]

        def status() -> str | None:
            found = str(self.client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
            return None if found.endswith("IN_PROGRESS") else found

        return str(wait_until(status, what=f"the end of {operation}"))

    def reasons(self) -> str:
        """Why resources failed."""
        events = self.client.describe_stack_events(StackName="records")["StackEvents"]
        return "\n".join(one.get("ResourceStatusReason", "") for one in events)

    def _resources(self, weight: int, ttl: int) -> dict[str, Any]:
        alarm = {"Name": _OUT, "Region": self.domain.workbench.region}
        check = {"HealthCheckConfig": {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": alarm}}
        records = [
            {
                "Name": f"app.{self.domain.name}",
                "Type": "CNAME",
                "SetIdentifier": place,
                "Weight": its,
                "TTL": str(ttl),
                "ResourceRecords": [f"{place}.example.net"],
                "HealthCheckId": {"Fn::GetAtt": ["Check", "HealthCheckId"]},
            }
            for place, its in (("one", weight), ("two", 0))
        ]
        group = {"HostedZoneId": self.domain.zone, "RecordSets": records}
        record = {"HostedZoneId": {"Ref": "Zone"}, "Name": f"WWW.sub.{self.domain.name}", "Type": "A", "TTL": str(ttl)}
        return {
            "Check": {"Type": "AWS::Route53::HealthCheck", "Properties": check},
            "Records": {"Type": "AWS::Route53::RecordSetGroup", "Properties": group},
            "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": f"Sub.{self.domain.name}"}},
            "Record": {"Type": "AWS::Route53::RecordSet", "Properties": {**record, "ResourceRecords": ["192.0.2.1"]}},
        }
