"""The monthly report of permissions: shown, and signed in the caller's name."""

from __future__ import annotations

from cli.common.errors import ConflictError, NotFoundError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.lake.session import LakeSession
from lambdas.common import clock
from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.versioned_json import plain
from lambdas.lake.model.governance.report import Report, Signature, report_page
from lambdas.lake.model.names import GovernanceNames
from lambdas.lake.store.reports import Reports


def show(session: LakeSession, output: Output, *, environment: str, month: str) -> Exit:
    """Show a report as people read it; one that nobody has signed is not as it should be."""
    reports, report = _report(session, environment, month)
    signature = reports.signature(report.month)
    told = plain(report) | {"digest": report.digest, "signature": plain(signature) if signature else None}
    output.result(told, report_page(report, signature).splitlines())
    return Exit.OK if signature else Exit.WRONG


def sign(session: LakeSession, output: Output, *, environment: str, month: str) -> None:
    """Sign a report, once and for all, as whoever the credentials are of."""
    reports, report = _report(session, environment, month)
    signature = Signature(report=report.digest, by=session.caller, at=stamp(clock.now()))
    try:
        reports.sign(report.month, signature)
    except GranaryError as error:
        raise ConflictError(str(error)) from error
    said = f"the report of {report.month} ({reports.place}) is signed by {signature.by}: {report.digest}"
    output.answer(plain(signature), said=said)


def _report(session: LakeSession, environment: str, month: str) -> tuple[Reports, Report]:
    session.permissions  # noqa: B018 - refuses where there are none
    place, names = session.catalog_of(environment), GovernanceNames(prefix=session.configuration.toolchain.prefix)
    reports = Reports(
        s3=session.client("s3"),
        bucket=names.plans_bucket(session.account, session.region),
        place=f"{place.account}/{place.region}",
    )
    made = [name for name, _ in reports.months()]
    report = reports.read(month or made[-1]) if made else None
    if report is None:
        there = (
            f"there are those of {', '.join(made)}" if made else "the first comes on the first day of the next month"
        )
        raise NotFoundError(f"there is no report of {month or reports.place}: {there}")
    return reports, report
