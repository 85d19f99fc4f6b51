"""Findings of Security Hub in its format ASFF: imported ones, and those of GetFindings; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.aws import ONE_PAGE
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record, whole

_GONE = {"PASSED", "ARCHIVED", "RESOLVED"}


def _finding(one: Record) -> Iterator[Finding]:
    one.text("SchemaVersion")
    problem = next(iter(one.each("Vulnerabilities")), one.of({}))
    package = next(iter(problem.each("VulnerablePackages")), one.of({}))
    yield one.finding(
        # A provider has to keep the id of a finding, and names a general rule for all kinds of vulnerabilities.
        "inside=Id! title=Title description=Description first_seen=FirstObservedAt|CreatedAt "
        "remediation=Remediation.Recommendation.Text url=Remediation.Recommendation.Url|SourceUrl",
        tool=one.text("ProductArn").partition("product/")[2],
        rule=problem.maybe("Id") or one.text("GeneratorId"),
        severity=_severity(one),
        state=_state(one),
        resource=one.joined("Resources", "Id"),
        package=package.maybe("Name"),
        installed=package.maybe("Version"),
        fixed=[package.maybe("FixedInVersion")],
        aliases=[it.text("Id") for it in one.each("Vulnerabilities")],
    )


def _severity(one: Record) -> str:
    if label := one.maybe("FindingProviderFields.Severity.Label", "Severity.Label"):
        return label
    normalized = whole("Severity.Normalized", told) if (told := one.maybe("Severity.Normalized")) else -1
    return next((word for least, word in _NORMALIZED if normalized >= least), "")


_NORMALIZED = ((90, "critical"), (70, "high"), (40, "medium"), (1, "low"), (0, "info"))


def _state(one: Record) -> State:
    told = {one.maybe("Compliance.Status"), one.maybe("RecordState"), one.maybe("Workflow.Status")}
    return State.SUPPRESSED if "SUPPRESSED" in told else State.PASSED if told & _GONE else State.OPEN


_ONE_PAGE = {"NextToken?": ONE_PAGE, "nextToken?": ONE_PAGE}
FORMAT = Format(
    tool="asff",
    shapes=(
        Shape(records={"Findings[]": _finding}, errors=_ONE_PAGE),
        Shape(records={"findings[]": _finding}, errors=_ONE_PAGE),
        Shape(records={"[]": _finding}),
        Shape(records={"[]": _finding}, lines=True),
    ),
)
