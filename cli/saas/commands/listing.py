"""`list`: the fleet."""

from __future__ import annotations

from collections.abc import Iterable

from cli.common.output import Output
from cli.saas.fleet import ROW_ATTRIBUTES, STATUS_ATTRIBUTES, Entry, Filter, SortBy, fleet, in_order
from cli.saas.render.fleet import HEADINGS, TABLE_LIMIT, columns_for, fleet_lines, fleet_table, summary
from cli.saas.scan import scan_plain
from cli.saas.session import SaasSession
from lambdas.common import clock


def list_deployments(session: SaasSession, output: Output, *, chosen: Filter, sort: SortBy, plain: bool) -> None:
    """Read both tables and show what was asked for."""
    entries = in_order(filter(chosen.takes, _read(session)), sort)
    now = clock.now()
    if output.as_json:
        output.data([entry.document() for entry in entries])
        _say(output, entries, summary(entries))
        return
    on_terminal = output.stdout.is_terminal and not plain
    columns = columns_for(entries, now=now, width=output.stdout.width) if on_terminal else HEADINGS
    if on_terminal and len(entries) <= TABLE_LIMIT:
        output.show(fleet_table(entries, now=now, columns=columns))
    else:
        output.lines(fleet_lines(entries, now=now, columns=columns))
    _say(output, entries, summary(entries, columns=columns))


def _say(output: Output, entries: Iterable[Entry], told: str) -> None:
    for entry in entries:
        if entry.unreadable:
            output.say(entry.unreadable)
    output.say(told)


def _read(session: SaasSession) -> list[Entry]:
    rows, statuses = session.names.deployments_table, session.names.status_table
    found = scan_plain(session.client("dynamodb"), {statuses: STATUS_ATTRIBUTES, rows: ROW_ATTRIBUTES})
    return fleet(found[rows], found[statuses])
