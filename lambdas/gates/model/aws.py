"""What reports of AWS have in common; pure."""

from __future__ import annotations

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.record import Record

ONE_PAGE = "it is one page of several: ask for all of them"
_STATES = {"ACTIVE": State.OPEN, "CLOSED": State.PASSED, "SUPPRESSED": State.SUPPRESSED}


def inspector_finding(one: Record, *, resource: str = "") -> Finding:
    """A finding of Inspector, as it says itself and as ECR hands it on."""
    details = one.of(one.get("packageVulnerabilityDetails") or {})
    code = one.of(one.get("codeVulnerabilityDetails") or {})
    rule = details.maybe("vulnerabilityId") or code.maybe("detectorId")
    return one.finding(
        "title=title! severity=severity description=description first_seen=firstObservedAt "
        "remediation=remediation.recommendation.text",
        tool="inspector",
        # A reachable port is known by its title alone, which has neither a time nor a number of the scan.
        rule=rule or one.text("title"),
        state=one.choice("status", _STATES),
        resource=resource or one.joined("resources", "id"),
        path=code.maybe("filePath.filePath"),
        line=code.position("filePath.startLine"),
        package=details.joined("vulnerablePackages", "name"),
        installed=details.joined("vulnerablePackages", "version"),
        fixed=[details.joined("vulnerablePackages", "fixedInVersion")],
        url=details.maybe("sourceUrl") or one.maybe("remediation.recommendation.Url"),
        aliases=details.texts("relatedVulnerabilities"),
    )
