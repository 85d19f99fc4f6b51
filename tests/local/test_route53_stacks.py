"""CloudFormation's types of Route 53 on the local cloud: made, changed, refused and deleted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.local.local_cloud_fixtures import allow, wait_until
from tests.local.route53_support import OUT, Domain


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
        alarm = {"Name": OUT, "Region": self.domain.workbench.region}
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
