"""`list`: the fleet."""

from __future__ import annotations

from cli.fleet import ROW_ATTRIBUTES, STATUS_ATTRIBUTES, Entry, Filter, SortBy, fleet, in_order
from cli.render.fleet import TABLE_LIMIT, fleet_lines, fleet_table, summary
from cli.render.output import Output
from cli.scan import scan_plain
from cli.session import Session
from lambdas.common import clock


def list_deployments(session: Session, output: Output, *, chosen: Filter, sort: SortBy, plain: bool) -> None:
    """Read both tables and show what was asked for."""
    entries = in_order(filter(chosen.takes, _read(session)), sort)
    now = clock.now()
    if output.as_json:
        output.data([entry.document() for entry in entries])
    elif plain or not output.stdout.is_terminal or len(entries) > TABLE_LIMIT:
        output.lines(fleet_lines(entries, now=now))
    else:
        output.show(fleet_table(entries, now=now))
    output.say(summary(entries))


def _read(session: Session) -> list[Entry]:
    rows, statuses = session.names.deployments_table, session.names.status_table
    found = scan_plain(session.client("dynamodb"), {statuses: STATUS_ATTRIBUTES, rows: ROW_ATTRIBUTES})
    return fleet(found[rows], found[statuses])
