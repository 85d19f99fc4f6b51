"""The list of the fleet: a table for a terminal, fixed columns for many or for a pipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from cli.saas.fleet import Entry, age
from cli.saas.render.phases import coloured
from lambdas.common.clock import stamp
from lambdas.common.written import cut, one_line
from lambdas.saas.model.row_rules import moment_of

# rich measures every cell of a table before it draws the first: 10,000 rows take seconds.
TABLE_LIMIT = 200
HEADINGS = ("ID", "TYPE", "PHASE", "RING", "ACCOUNT", "REGION", "WANTED", "DEPLOYED", "PIN", "AGE", "REASON")
# What a narrow terminal goes without, in this order; nobody can do without the other two,
# which are folded rather than cut where even they have no room.
_DISPENSABLE = ("WANTED", "ACCOUNT", "PIN", "REGION", "TYPE", "RING", "AGE", "DEPLOYED", "REASON")
_GAP = 2
# Letters of a reason that are worth a column: it goes on in `status`.
_REASON_SHOWN = 20


def columns_for(entries: Sequence[Entry], *, now: datetime, width: int) -> tuple[str, ...]:
    """The columns that a terminal of so many letters a line has room for; of a reason, its beginning is enough."""
    widths = _widths([_cells(entry, now) for entry in entries])
    widths["REASON"] = min(widths["REASON"], _REASON_SHOWN)
    shown = list(HEADINGS)
    for heading in _DISPENSABLE:
        if sum(widths[name] for name in shown) + _GAP * (len(shown) - 1) <= width:
            break
        shown.remove(heading)
    return tuple(shown)


def fleet_table(entries: Sequence[Entry], *, now: datetime, columns: Sequence[str] = HEADINGS) -> Table:
    """The table for a terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for heading in columns:
        if heading in _DISPENSABLE:
            # The reason gets what the others leave.
            table.add_column(heading, overflow="ellipsis", no_wrap=True, ratio=1 if heading == "REASON" else None)
        else:
            table.add_column(heading, overflow="fold")
    for entry in entries:
        cells = _cells(entry, now)
        table.add_row(*(coloured(cells[name]) if name == "PHASE" else Text(cells[name]) for name in columns))
    return table


def fleet_lines(entries: Sequence[Entry], *, now: datetime, columns: Sequence[str] = HEADINGS) -> Iterator[str]:
    """A line of columns each, the heading first; the reason is last, for it has spaces."""
    rows = [_cells(entry, now) for entry in entries]
    widths = _widths(rows)
    layout = "  ".join(f"{{{name}:<{widths[name] if name != 'REASON' else 0}}}" for name in columns)
    return (layout.format_map(row).rstrip() for row in (dict(zip(HEADINGS, HEADINGS, strict=True)), *rows))


def summary(entries: Sequence[Entry], *, columns: Sequence[str] = HEADINGS) -> str:
    """How many there are, by phase, and which columns are not shown."""
    if not entries:
        return "no deployments"
    counts = Counter(entry.phase or "not looked at yet" for entry in entries)
    told = f"{len(entries)} deployments: " + ", ".join(f"{count} {phase}" for phase, count in counts.most_common())
    hidden = [heading for heading in HEADINGS if heading not in columns]
    return f"{told}; no room for {', '.join(hidden)}: --plain shows all" if hidden else told


def _widths(rows: Iterable[Mapping[str, str]]) -> dict[str, int]:
    widths = {heading: len(heading) for heading in HEADINGS}
    for row in rows:
        for heading, cell in row.items():
            widths[heading] = max(widths[heading], cell_len(cell))
    return widths


def _pin(entry: Entry, now: datetime) -> str:
    """What is pinned, and for how long it has been; empty when that is over."""
    until = moment_of(entry.pin_until)
    over = bool(until) and until <= stamp(now)
    return "" if over else f"{entry.pin[:12]} {age(entry.pinned_at, now)}".rstrip()


def _cells(entry: Entry, now: datetime) -> dict[str, str]:
    cells = {
        "ID": entry.id,
        "TYPE": entry.type,
        "PHASE": entry.phase,
        "RING": entry.ring,
        "ACCOUNT": entry.account,
        "REGION": "+".join(filter(None, (entry.region, entry.standby_region))),
        "WANTED": entry.revision_wanted[:12],
        "DEPLOYED": entry.revision_deployed[:12],
        "PIN": _pin(entry, now),
        "AGE": age(entry.updated_at, now),
    }
    # A row may say anything: no cell makes all the others' lines as wide as itself.
    return {
        **{name: cut(one_line(cell)) or "-" for name, cell in cells.items()},
        "REASON": one_line(" ".join(entry.reason.split())),
    }
