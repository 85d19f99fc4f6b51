"""Findings in Security Hub's format: each fault of the public sample is a test, and so is each limit of the service."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import example, given
from hypothesis import strategies as st

from lambdas.common.evidence.finding import Finding, Package, Place, Severity
from lambdas.common.evidence.kept_report import Head
from lambdas.gates.model.asff import MOST_BYTES, Asff, Hub, Known, Writer, archived, batches
from lambdas.gates.model.reports import read_report
from local_cloud.securityhub import validation
from tests.unit.lambdas.common.evidence.test_finding import FINDINGS

HUB = Hub(account="111111111111", region="eu-west-1", factory="granary")
HEAD = Head(gate="code", target="source", created="2026-11-28T10:00:00+00:00", findings=1, tools={"bandit": "1.9.4"})
ONE = Finding(
    tool="bandit",
    rule="B602",
    title="A shell is started",
    severity=Severity.HIGH,
    description="It starts a shell",
    resource="Role",
    place=Place(path="app/a.py", line=3, inside="main"),
    remediation="Start none",
    url="https://example.org/B602",
)


def written(one: Finding = ONE, head: Head = HEAD, hub: Hub = HUB, known: Known | None = None) -> Asff:
    writer = Writer(hub, head)
    return writer.written(one, name=writer.name(one), known=known)


def must_not(name: str, reason: str) -> None:
    """Where nothing is to be refused."""
    pytest.fail(f"{name}: {reason}")


def refused_by_botocore(findings: list[Asff]) -> str:
    """What is misspelled, of another type, or missing: the sample's DAST report was read by a field `Meduim`."""
    model: Any = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    return str(ParamValidator().validate({"Findings": findings}, shape).generate_report())


_LONG = st.text(max_size=3_000) | st.sampled_from(["", " ", "\n", "\x00" * 300, "\N{PILE OF POO}" * 2_000])


@given(
    finding=st.builds(
        replace, FINDINGS, title=_LONG, description=_LONG, remediation=_LONG, url=_LONG, first_seen=_LONG, rule=_LONG
    ),
    who=_LONG,
)
@example(finding=replace(ONE, resource="\x85", place=replace(ONE.place, path=" ")), who="")
def test_whatever_a_finding_says_is_taken(finding: Finding, who: str) -> None:
    """By the local cloud, which was written apart from the writer, and by botocore."""
    head = replace(HEAD, deployment=who, revision=who, tools={finding.tool: who})
    asff = written(finding, head)
    assert validation.problems(asff) == []
    assert not refused_by_botocore([asff, archived(asff, created=head.created)])
    assert [*batches([asff], must_not)] == [[asff]]


def test_the_id_says_nothing_of_the_build() -> None:
    """The sample's ids had the build's, so that each build brought all findings anew, and nothing was ever resolved."""
    later = replace(HEAD, created="2026-12-24T10:00:00+00:00", revision="other", tools={"bandit": "2.0"})
    moved = replace(ONE, place=replace(ONE.place, line=99), severity=Severity.LOW, title="Other words")
    assert written()["Id"] == written(moved, later)["Id"] == f"granary:code:source:{ONE.fingerprint}"


@given(names=st.lists(st.from_regex(r"[!-9;-~]{1,9}", fullmatch=True), min_size=6, max_size=6, unique=True))
def test_ids_of_one_gate_and_target_begin_as_no_others_do(names: list[str]) -> None:
    heads = [replace(HEAD, gate=gate, target=target) for gate in ("a", "a-b", "b") for target in names]
    ids = [HUB.ids(head) for head in heads]
    assert not [(one, other) for one in ids for other in ids if one is not other and one.startswith(other)]


@pytest.mark.parametrize("severity", [one for one in Severity if one is not Severity.UNKNOWN])
def test_a_severity_is_a_label_of_the_scale(severity: Severity) -> None:
    """In the sample MEDIUM was 70, which is HIGH, and the label LOW whatever there was."""
    provided = written(replace(ONE, severity=severity))["FindingProviderFields"]["Severity"]
    assert provided == {"Label": severity.value, "Original": severity.value}


def test_a_severity_that_is_unknown_is_said_to_be() -> None:
    asff = written(replace(ONE, severity=Severity.UNKNOWN))
    assert asff["FindingProviderFields"]["Severity"] == {"Label": "MEDIUM", "Original": "UNKNOWN"}
    assert asff["Description"] == (
        'Its tool does not say how bad it is: "MEDIUM" stands for "unknown".\nIt starts a shell'
    )


def test_what_people_may_have_set_is_not_at_the_top() -> None:
    assert not {"Severity", "Types", "Confidence", "Criticality", "Workflow", "Note"} & written().keys()


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("eusc-de-east-1", "aws-eusc")],
)
def test_the_product_is_of_the_partition(region: str, partition: str) -> None:
    """The sample's ARN was GovCloud's, with the partition "aws" beside it."""
    asff = written(hub=replace(HUB, region=region))
    assert asff["ProductArn"] == f"arn:{partition}:securityhub:{region}:111111111111:product/111111111111/default"
    assert asff["Resources"][0].get("Partition", "aws-eusc") == partition
    assert validation.problems(asff) == []


def test_a_finding_of_a_component_names_tenant_and_revision() -> None:
    asff = written(head=replace(HEAD, target="silo1", deployment="silo1", revision="abc"))
    assert asff["Resources"][0] == {
        "Type": "Other",
        "Id": "Role",
        "Region": "eu-west-1",
        "Partition": "aws",
        "Details": {"Other": {"Path": "app/a.py", "Line": "3", "Inside": "main", "Tenant": "silo1", "Revision": "abc"}},
    }
    assert asff["ProductFields"] == {
        "granary/gate": "code",
        "granary/target": "silo1",
        "granary/fingerprint": ONE.fingerprint,
        "granary/tool": "bandit 1.9.4",
        "granary/tenant": "silo1",
        "granary/revision": "abc",
    }


def test_what_is_found_in_a_package_is_a_vulnerability() -> None:
    package = Package(name="lib", installed="1.0", fixed="1.1")
    asff = written(replace(ONE, rule="CVE-1", package=package, aliases=("GHSA-1",)))
    assert asff["FindingProviderFields"]["Types"] == ["Software and Configuration Checks/Vulnerabilities/CVE"]
    assert asff["Vulnerabilities"] == [
        {
            "Id": "CVE-1",
            "VulnerablePackages": [{"Name": "lib", "Version": "1.0", "FixedInVersion": "1.1"}],
            "RelatedVulnerabilities": ["GHSA-1"],
            "FixAvailable": "YES",
        }
    ]


@pytest.mark.parametrize(
    ("told", "known", "first"),
    [
        ("", None, "2026-11-28T10:00:00.000+00:00"),
        ("2026-01-01", None, "2026-01-01T00:00:00.000+00:00"),
        ("2026-01-01 00:00:00+02:00", None, "2025-12-31T22:00:00.000+00:00"),
        ("2031-01-01", None, "2026-11-28T10:00:00.000+00:00"),
        ("last week", None, "2026-11-28T10:00:00.000+00:00"),
        ("", "2026-02-02T00:00:00.000+00:00", "2026-02-02T00:00:00.000+00:00"),
        ("2026-01-01", "2026-02-02T00:00:00.000+00:00", "2026-01-01T00:00:00.000+00:00"),
    ],
)
def test_first_seen_is_the_earliest_that_anybody_knows(told: str, known: str | None, first: str) -> None:
    had = Known(first_seen=known, updated=known) if known else None
    asff = written(replace(ONE, first_seen=told), known=had)
    assert (asff["FirstObservedAt"], asff["CreatedAt"]) == (first, first)


def test_our_own_reader_reads_it_back() -> None:
    kept = {**written(), "Severity": {"Label": "HIGH"}}
    report = read_report(BytesIO(json.dumps({"Findings": [kept]}).encode()), name="asff")
    (one,) = report.findings
    assert (one.title, one.severity, one.rule, one.remediation) == (
        ONE.title,
        ONE.severity,
        "bandit:B602",
        "Start none",
    )


def changed(**fields: Any) -> Asff:
    return {**written(), **fields}


@pytest.mark.parametrize(
    "asff",
    [
        changed(Title=""),
        changed(Title="x" * 257),
        changed(Description=" \n"),
        changed(Description="x" * 1025),
        changed(Id="x" * 513),
        changed(GeneratorId="x" * 513),
        changed(AwsAccountId="1"),
        changed(CreatedAt="2026-11-28 10:00:00Z"),
        changed(UpdatedAt="2026-13-28T10:00:00Z"),
        changed(LastObservedAt="now"),
        changed(Resources=[]),
        changed(Resources=[{"Type": "Other", "Id": "a"}] * 33),
        changed(Resources=[{"Type": "Other", "Id": "x" * 513}]),
        changed(Resources=[{"Type": "Other", "Id": "a", "Details": {"Other": {"Path": "x" * 1025}}}]),
        changed(FindingProviderFields={}),
        changed(FindingProviderFields={"Severity": {"Label": "UNKNOWN"}}),
        changed(FindingProviderFields={"Severity": {"Label": "HIGH", "Original": "x" * 65}}),
        changed(FindingProviderFields={"Severity": {"Label": "HIGH"}, "Types": ["Vulnerabilities"]}),
        changed(ProductFields={str(number): "x" for number in range(51)}),
        changed(ProductFields={"a": ""}),
        changed(ProductFields={"a": "x" * 2049}),
    ],
)
def test_what_the_service_enforces_would_be_noticed(asff: Asff) -> None:
    """By the local cloud, which the writer is held to above; botocore sees nothing of it."""
    assert validation.problems(asff)
    assert not refused_by_botocore([asff])


def test_a_batch_has_at_most_a_hundred_findings_and_six_megabytes() -> None:
    """The sample made a request for each finding."""
    small = [changed(Id=str(number)) for number in range(250)]
    assert [len(batch) for batch in batches(small, must_not)] == [100, 100, 50]
    aliases = ["x" * 1_000] * 200
    large = [
        changed(Id=str(number), Vulnerabilities=[{"Id": "a", "RelatedVulnerabilities": aliases}])
        for number in range(90)
    ]
    made = [*batches(large, must_not)]
    assert len(made) == 4
    assert [one for batch in made for one in batch] == large
    assert all(len(json.dumps({"Findings": batch})) <= MOST_BYTES for batch in made)


def test_a_finding_that_is_too_large_harms_no_other() -> None:
    refused: dict[str, str] = {}
    huge = changed(Id="huge", Vulnerabilities=[{"Id": "a", "RelatedVulnerabilities": ["x" * 1_000] * 300}])
    good = changed(Id="good")
    assert [*batches([huge, good], refused.__setitem__)] == [[good]]
    assert "240,000 are taken" in refused["huge"]
