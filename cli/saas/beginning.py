"""What the commands about tenants and releases take alike, and how they begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from cli.common import commands
from cli.common.exits import Exit
from cli.saas.completion import deployment_ids

Id = Annotated[str, typer.Argument(metavar="ID", help="Id of a deployment.", autocompletion=deployment_ids)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def run(ctx: typer.Context, command: Callable[..., Exit | None], *, as_json: bool, **arguments: Any) -> None:
    """Run a command with a session of the toolchain's account."""
    from cli.saas.session import SaasSession

    commands.run(ctx, command, session=SaasSession, as_json=as_json, **arguments)
