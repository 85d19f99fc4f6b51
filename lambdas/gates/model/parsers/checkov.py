"""checkov: one framework, several, or nothing but a summary where it has found nothing to scan; pure."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.common.evidence.finding import Finding, Severity, State
from lambdas.gates.model.formats import Convert, Format, Shape
from lambdas.gates.model.record import Record, position, secretive

_UNREAD = "checkov could not read a file"


def _check(state: State) -> Convert:
    def convert(one: Record) -> Iterator[Finding]:
        secret = secretive(one.text("check_id"))
        name = one.text("resource_address", "resource")
        yield one.finding(
            "rule=check_id! title=check_name severity=severity url=guideline aliases=bc_check_id",
            severity=Severity.HIGH if secret and not one.maybe("severity") else "",
            state=state,
            resource="" if secret else name,  # of a secret it is its hash
            content=name if secret else "",
            path=one.text("file_path").lstrip("/"),
            line=next((position("file_line_range", it.data) for it in one.each("file_line_range")), 0),
        )

    return convert


def _shape(around: str) -> Shape:
    summary = f"{around}summary."
    return Shape(
        records={
            f"{around}results.failed_checks[]": _check(State.OPEN),
            f"{around}results.skipped_checks?[]": _check(State.SUPPRESSED),
        },
        keeps=(f"{around}check_type",),
        version=f"{summary}checkov_version",
        scanned=(f"{summary}passed", f"{summary}failed", f"{summary}resource_count?"),
        counts=(f"{summary}failed",),
        errors=dict.fromkeys((f"{around}results.parsing_errors?[]", f"{summary}parsing_errors?"), _UNREAD),
    )


_NOTHING = Shape(
    records={},
    version="checkov_version",
    scanned=("passed", "failed"),
    counts=("failed",),
    errors={"parsing_errors?": _UNREAD},
)
FORMAT = Format(tool="checkov", shapes=(_shape(""), _shape("+[]."), _NOTHING))
