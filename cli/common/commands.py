"""How every command begins and ends: the options that stand before it, its session, its exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.common.exits import Exit

if TYPE_CHECKING:
    from cli.common.session import Session

# Where a command leaves its words and options for who tells of its errors.
COMMAND = "granary.command"
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; messages go to stderr.")]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options that stand before the command."""

    config: Path | None
    profile: str


def run(
    ctx: typer.Context,
    command: Callable[..., Exit | None],
    *,
    session: type[Session],
    as_json: bool,
    **arguments: Any,
) -> None:
    """Run a command with its session; commands import their modules late, so that help and completion are quick."""
    from cli.common.output import Output

    options: Options = ctx.obj
    opened = session(profile=options.profile)
    if options.config:
        opened.directory = options.config
    ctx.meta[COMMAND] = (ctx.command_path.partition(" ")[2], ctx.params)
    code = command(opened, Output(as_json=as_json), **arguments)
    # A few lines wait in the buffer until here, and only now it is known whether somebody reads them.
    sys.stdout.flush()
    raise typer.Exit(code or Exit.OK)


def word(given: str, allowed: Sequence[Any], option: str) -> str:
    """One of some words.

    Raises:
        typer.BadParameter: it is none of them.
    """
    if given not in allowed:
        known = ", ".join(filter(None, map(str, allowed)))
        raise typer.BadParameter(f"{given} is unknown: use {known}", param_hint=option)
    return given
