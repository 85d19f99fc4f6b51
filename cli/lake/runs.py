"""What became of the objects of an environment, and running some again."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import asdict

from cli.common.errors import ConflictError, NotFoundError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.lake.session import LakeSession
from config.models.lake import Environment
from lambdas.common import clock
from lambdas.common.errors import UnreadableError
from lambdas.common.partitions import partition_of
from lambdas.lake.model.datasets import dataset_of
from lambdas.lake.model.objects import AuditRow, Folder, Phase
from lambdas.lake.store.audit_table import AuditTable
from lambdas.lake.trigger.taking import Taking


def list_runs(session: LakeSession, output: Output, *, environment: str, phase: str, limit: int) -> Exit:
    """Tell of the newest rows. The table is read page by page, and no more rows are held than are told."""
    unread: list[str] = []
    table = _taking(session, session.environment(environment)).audit
    chosen = (row for row in _readable(table, unread.append) if row.phase == (phase or row.phase))
    rows = heapq.nlargest(limit, chosen, key=lambda row: (row.claimed_at, row.id))
    output.result([asdict(row) for row in rows], map(_line, rows))
    for told in unread[:limit]:
        output.say(told)
    return Exit.WRONG if unread else Exit.OK


def run_again(session: LakeSession, output: Output, *, environment: str, object_id: str) -> Exit:
    """Run an object again, or without an id all that failed."""
    taking = _taking(session, session.environment(environment))
    if object_id:
        row = taking.audit.row(object_id)
        if row is None:
            raise NotFoundError(f"there is no object {object_id}: `granary lake runs {environment}` shows them")
        started = _start(taking, row)
        output.answer(asdict(started), said=f"started {started.run}: {started.key}")
        return Exit.OK
    problems: list[str] = []
    begun = list(_start_all(taking, problems.append))
    output.result([asdict(row) for row in begun], [f"started {row.run}: {row.key}" for row in begun])
    for told in problems:
        output.say(told)
    output.say(f"{len(begun)} started")
    return Exit.WRONG if problems else Exit.OK


def _start_all(taking: Taking, tell: Callable[[str], None]) -> Iterator[AuditRow]:
    # Taken in before the first is started: what fails again meanwhile is not started twice.
    for row in [one for one in _readable(taking.audit, tell) if one.phase is Phase.FAILED]:
        try:
            yield _start(taking, row)
        except ConflictError as error:
            tell(str(error))


def _start(taking: Taking, row: AuditRow) -> AuditRow:
    """Claim another attempt and start it; a claim that nobody has started is started now."""
    if row.phase is not Phase.CLAIMED:
        row = _claimed(taking, row)
    taking.start(row)
    return row


def _claimed(taking: Taking, row: AuditRow) -> AuditRow:
    if row.phase not in (Phase.FAILED, Phase.REFUSED):
        raise ConflictError(f"{row.key} is {row.phase}: only what is FAILED or REFUSED is run again")
    folder = dataset_of(row.key, taking.folders)
    if folder is None:
        raise ConflictError(f"{row.key} is in no dataset's folder: add a dataset, deploy it, and try again")
    try:
        return taking.audit.again(row, dataset=folder.dataset if row.phase is Phase.REFUSED else row.dataset)
    except UnreadableError as error:
        raise ConflictError(str(error)) from error


def _taking(session: LakeSession, environment: Environment) -> Taking:
    names, region = session.lake_names(environment), environment.region
    datasets = [one.dataset for one in session.lake.datasets]
    database = session.lake_client(environment, "dynamodb")
    arn = f"arn:{partition_of(region)}:{{}}:{region}:{environment.account}:{{}}"
    return Taking(
        audit=AuditTable(client=database, table=names.audit_table, clock=clock.now),
        states=session.lake_client(environment, "stepfunctions"),
        machine=arn.format("states", f"stateMachine:{names.machine}"),
        sns=session.lake_client(environment, "sns"),
        topic=arn.format("sns", names.notices_topic),
        folders=[Folder(dataset=one.name, prefix=one.prefix, table=one.table) for one in datasets],
    )


def _readable(table: AuditTable, tell: Callable[[str], None]) -> Iterator[AuditRow]:
    for row in table.rows():
        if isinstance(row, AuditRow):
            yield row
        else:
            tell(str(row))


def _line(row: AuditRow) -> str:
    counts = f"{row.read} read, {row.good} good, {row.quarantined} quarantined" if row.read else ""
    told = "; ".join(filter(None, (counts, row.reason)))
    return (
        f"{row.claimed_at[:19]} {row.id} {row.phase:<9} {row.attempt} {row.dataset or '-'} {row.key}  {told}".rstrip()
    )
