"""The probe's commands."""

from __future__ import annotations

import typer

app = typer.Typer()
probe = typer.Typer(help="The room of the tests.", no_args_is_help=True)
app.add_typer(probe, name="probe")


@probe.command()
def greet() -> None:
    """Say what the configuration says."""
    from config.loader import load

    section = load().rooms.get("probe")
    typer.echo(getattr(section, "greeting", "the room is off"))


@probe.command()
def refuse() -> None:
    """Say who is refused."""
    from config.loader import load

    typer.echo(",".join(getattr(load().rooms.get("probe"), "refuses", ())))
