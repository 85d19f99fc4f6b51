"""Security Hub on the local cloud: its limits and errors, what it finds, and what belongs to people."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.common.evidence.finding import Finding, Severity
from lambdas.common.evidence.kept_report import Head
from lambdas.gates.model.asff import Asff, Hub, Writer
from tests.local.local_cloud_fixtures import REGION, Workbench

HEAD = Head(gate="code", target="source", created="2026-11-28T10:00:00+00:00", findings=1)
A = Finding(tool="bandit", rule="A", title="A", severity=Severity.HIGH)


@pytest.fixture
def hub(workbench: Workbench) -> Any:
    """The client of an account that has enabled Security Hub."""
    client = workbench.client("securityhub")
    client.enable_security_hub()
    return client


def asff(workbench: Workbench, one: Finding = A, **changes: Any) -> Asff:
    writer = Writer(Hub(account=workbench.account, region=REGION, factory="granary"), HEAD)
    return {**writer.written(one, name=writer.name(one)), **changes}


def stored(hub: Any, **filters: Any) -> list[dict[str, Any]]:
    pages = hub.get_paginator("get_findings").paginate(Filters=filters, PaginationConfig={"PageSize": 2})
    return [one for page in pages for one in page["Findings"]]


def equals(value: str, comparison: str = "EQUALS", **key: str) -> list[dict[str, str]]:
    return [{"Value": value, "Comparison": comparison, **key}]


def test_nothing_is_served_before_it_is_enabled(workbench: Workbench) -> None:
    client = workbench.client("securityhub")
    for call in (client.describe_hub, client.get_findings, client.disable_security_hub):
        with pytest.raises(ClientError, match=r"InvalidAccessException.*not subscribed"):
            call()
    client.enable_security_hub()
    with pytest.raises(ClientError, match="ResourceConflictException"):
        client.enable_security_hub()
    assert client.describe_hub()["HubArn"] == f"arn:aws:securityhub:{REGION}:{workbench.account}:hub/default"
    client.batch_import_findings(Findings=[asff(workbench)])
    client.disable_security_hub()
    client.enable_security_hub()
    assert client.get_findings()["Findings"] == []


def test_a_finding_that_is_wrong_fails_alone_and_by_its_id(workbench: Workbench, hub: Any) -> None:
    good, wrong = asff(workbench), asff(workbench, Id="wrong", Title="x" * 257)
    strange = asff(workbench, Id="strange", AwsAccountId="999999999999")
    answer = hub.batch_import_findings(Findings=[wrong, good, strange])
    assert (answer["FailedCount"], answer["SuccessCount"]) == (2, 1)
    failed = {one["Id"]: one for one in answer["FailedFindings"]}
    assert failed["wrong"]["ErrorCode"] == "InvalidInput"
    assert "data.Title" in failed["wrong"]["ErrorMessage"]
    assert failed["strange"]["ErrorCode"] == "InvalidAccess"
    assert [one["Id"] for one in stored(hub)] == [good["Id"]]


def test_a_request_beyond_the_limits_is_refused(workbench: Workbench, hub: Any) -> None:
    many = [asff(workbench, Id=str(number)) for number in range(101)]
    with pytest.raises(ClientError, match=r"InvalidInputException.*more than 100 items"):
        hub.batch_import_findings(Findings=many)
    with pytest.raises(ClientError, match="AccessDenied"):
        hub.batch_import_findings(Findings=[asff(workbench, ProductArn="arn:aws:securityhub:eu-west-1::product/a/b")])
    with pytest.raises(ClientError, match="does not serve GetInsights"):
        hub.get_insights()


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, "abc"),
        ({"Id": equals("id-", "PREFIX")}, "ab"),
        ({"Id": equals("id-", "PREFIX_NOT_EQUALS")}, "c"),
        ({"Id": equals("id-a") + equals("other-c")}, "ac"),
        ({"Title": equals("word", "CONTAINS")}, "b"),
        ({"SeverityLabel": equals("HIGH", "NOT_EQUALS")}, "c"),
        ({"WorkflowStatus": equals("NEW"), "RecordState": equals("ARCHIVED")}, "c"),
        ({"ProductFields": equals("source", Key="granary/target")}, "abc"),
        ({"ResourceId": equals("nothing")}, ""),
    ],
)
def test_findings_are_filtered_and_paged(workbench: Workbench, hub: Any, filters: Any, found: str) -> None:
    low = {"Severity": {"Label": "LOW"}}
    hub.batch_import_findings(
        Findings=[
            asff(workbench, Id="id-a"),
            asff(workbench, Id="id-b", Title="a word"),
            asff(workbench, Id="other-c", RecordState="ARCHIVED", FindingProviderFields=low),
        ]
    )
    assert "".join(one["Id"][-1] for one in stored(hub, **filters)) == found


def test_a_filter_that_is_not_known_is_refused(hub: Any) -> None:
    for filters in ({"Keyword": [{"Value": "x"}]}, {"Id": equals("x") * 21}):
        with pytest.raises(ClientError, match="InvalidInputException"):
            hub.get_findings(Filters=filters)


@pytest.mark.parametrize(("before", "after"), [("RESOLVED", "NEW"), ("NOTIFIED", "NEW"), ("SUPPRESSED", "SUPPRESSED")])
def test_what_belongs_to_people_outlives_an_import(workbench: Workbench, hub: Any, before: str, after: str) -> None:
    one = asff(workbench)
    name = {"Id": one["Id"], "ProductArn": one["ProductArn"]}
    hub.batch_import_findings(Findings=[one])
    answer = hub.batch_update_findings(
        FindingIdentifiers=[name, {**name, "Id": "other"}],
        Workflow={"Status": before},
        Severity={"Label": "LOW"},
        Note={"Text": "seen", "UpdatedBy": "me"},
    )
    assert answer["ProcessedFindings"] == [name]
    assert [each["FindingIdentifier"]["Id"] for each in answer["UnprocessedFindings"]] == ["other"]
    for state, status in (("ACTIVE", before), ("ARCHIVED", before), ("ACTIVE", after)):
        hub.batch_import_findings(Findings=[{**one, "RecordState": state, "Workflow": {"Status": "NEW"}}])
        (kept,) = stored(hub)
        assert kept["Workflow"]["Status"] == status
        assert (kept["Severity"]["Label"], kept["Note"]["Text"]) == ("LOW", "seen")
        assert kept["FindingProviderFields"]["Severity"]["Label"] == "HIGH"
