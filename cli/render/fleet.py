"""The list of the fleet: a table for a terminal, fixed columns for many or for a pipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from cli.fleet import Entry, age
from cli.render.phases import coloured

# rich measures every cell of a table before it draws the first: 10,000 rows take seconds.
TABLE_LIMIT = 200
_HEADINGS = ("ID", "TYPE", "PHASE", "RING", "ACCOUNT", "REGION", "WANTED", "DEPLOYED", "AGE", "REASON")


def fleet_table(entries: Sequence[Entry], *, now: datetime) -> Table:
    """The table for a terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for heading in _HEADINGS:
        # The reason gets what the others leave.
        table.add_column(heading, overflow="ellipsis", no_wrap=True, ratio=1 if heading == "REASON" else None)
    for entry in entries:
        cells = _cells(entry, now)
        table.add_row(*map(Text, cells[:2]), coloured(cells[2]), *map(Text, cells[3:]))
    return table


def fleet_lines(entries: Sequence[Entry], *, now: datetime) -> Iterator[str]:
    """A line of columns each, the heading first; the reason is last, for it has spaces."""
    rows = [_HEADINGS, *(_cells(entry, now) for entry in entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    layout = "".join(f"{{:<{width}}}  " for width in widths) + "{}"
    return (layout.format(*row).rstrip() for row in rows)


def summary(entries: Sequence[Entry]) -> str:
    """How many there are, by phase."""
    if not entries:
        return "no deployments"
    counts = Counter(entry.phase or "not looked at yet" for entry in entries)
    return f"{len(entries)} deployments: " + ", ".join(f"{count} {phase}" for phase, count in counts.most_common())


def _cells(entry: Entry, now: datetime) -> tuple[str, ...]:
    reason = " ".join(entry.reason.split())
    return (
        entry.id,
        entry.type or "-",
        entry.phase or "-",
        entry.ring or "-",
        entry.account or "-",
        entry.region or "-",
        entry.revision_wanted[:12] or "-",
        entry.revision_deployed[:12] or "-",
        age(entry.updated_at, now) or "-",
        reason,
    )
