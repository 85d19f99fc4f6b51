"""Showing sections: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from tests.bench.figures import Section

_STYLES = {"pass": "green", "short": "bold red", "": ""}


def show(section: Section, *, console: Console) -> None:
    """Print a section as a table."""
    table = Table(title=section.title, title_justify="left", title_style="bold", show_lines=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("target", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("how it was obtained", ratio=1)
    for figure in section.figures:
        verdict = figure.verdict
        style = _STYLES[verdict]
        told = f"[{style}]{verdict}[/]" if style else ""
        table.add_row(figure.name, figure.value, figure.target, told, figure.how)
    console.print(table)
    for note in section.notes:
        console.print(Padding(note, (0, 2)))
    console.print()


def write(sections: Sequence[Section], *, path: Path) -> None:
    """Write sections to a JSON file."""
    data = {"sections": [section.as_data() for section in sections]}
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
