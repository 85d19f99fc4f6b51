"""The commands about the rooms themselves: what each takes, and nothing of what it does."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.common.commands import Json, run

app = typer.Typer()

RegionNames = Annotated[
    list[str] | None, typer.Option("--region", help="Look in this Region too; may be repeated.", metavar="REGION")
]


@app.command()
def rooms(ctx: typer.Context, region: RegionNames = None, as_json: Json = False) -> None:
    """List the rooms: whether each is on, and the stacks that CI/CD has deployed for it."""
    from cli.common.cleanup import list_rooms
    from cli.common.session import Session

    run(ctx, list_rooms, session=Session, as_json=as_json, further=tuple(region or ()))


@app.command()
def cleanup(
    ctx: typer.Context,
    room: Annotated[str, typer.Argument(metavar="ROOM", help="A room that was taken out of the configuration.")],
    region: RegionNames = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete the stacks that a room has left, newest first, and list what they keep."""
    from cli.common.cleanup import clean_up
    from cli.common.session import Session

    run(ctx, clean_up, session=Session, as_json=as_json, room=room, further=tuple(region or ()), sure=yes)
