"""The commands of the room."""

from __future__ import annotations

import typer

from cli.resilience.failover_app import failover

app = typer.Typer()
app.add_typer(failover, name="failover", no_args_is_help=True)
