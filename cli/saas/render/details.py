"""One deployment for people: a name and a value a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from cli.saas.render.phases import coloured


def facts_table(facts: Sequence[tuple[str, str]]) -> Table:
    """Names on the left, values on the right; a long value goes on below itself."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    last = ""
    for name, value in facts:
        shown = coloured(value) if name == "phase" else Text(value)
        table.add_row("" if name == last else name, shown)
        last = name
    return table


def facts_lines(facts: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The same for a pipe: a fact a line, however long."""
    return (f"{name}: {' '.join(value.split())}" for name, value in facts)
