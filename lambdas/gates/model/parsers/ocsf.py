"""Findings in OCSF, as Prowler and Security Hub have them; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, State
from lambdas.gates.model.aws import ONE_PAGE
from lambdas.gates.model.formats import Format, Shape
from lambdas.gates.model.record import Record

_CODES = dict.fromkeys(("FAIL", "FAILURE", "WARNING", "MANUAL", "UNKNOWN"), State.OPEN)
_CODES |= dict.fromkeys(("PASS", "SUCCESS"), State.PASSED)  # the longer words are Prowler's of version 3
_WORDS = {"suppressed": State.SUPPRESSED, "resolved": State.PASSED, "archived": State.PASSED}
_IDS = {"3": "suppressed", "4": "resolved", "5": "archived"}


def _finding(one: Record) -> Iterator[Finding]:
    one.text("class_uid")
    # Prowler writes the number 3 beside the word "New": the word counts where there is one.
    word = one.maybe("status") or _IDS.get(one.maybe("status_id"), "")
    told = next((path for path in ("status_code", "compliance.status") if one.maybe(path)), "")
    code = one.choice(told, _CODES) if told else State.OPEN
    problem = next(iter(one.each("vulnerabilities")), one.of({}))
    package = next(iter(problem.each("affected_packages")), one.of({}))
    if code is State.PASSED:
        return  # a check that holds, not a finding
    yield one.finding(
        "rule=metadata.event_code|metadata.product.feature.uid|finding_info.title! "
        "title=finding_info.title|finding.title severity=severity "
        "description=status_detail|finding_info.desc|finding.desc "
        "remediation=remediation.desc|finding.remediation.desc url=unmapped.related_url "
        "first_seen=finding_info.first_seen_time_dt",
        tool=one.maybe("metadata.product.name").lower(),
        rule=problem.maybe("cve.uid"),
        state=_WORDS.get(word.lower(), State.OPEN),
        resource=", ".join(sorted(it.maybe("uid", "name") for it in one.each("resources"))),
        package=package.maybe("name"),
        installed=package.maybe("version"),
        fixed=[package.maybe("fixed_in_version")],
        url=next(iter(one.texts("remediation.references")), ""),
    )


FORMAT = Format(
    tool="ocsf",
    shapes=(
        Shape(records={"[]": _finding}),
        Shape(records={"Findings[]": _finding}, errors={"NextToken?": ONE_PAGE}),
        Shape(records={"[]": _finding}, lines=True),
    ),
)
