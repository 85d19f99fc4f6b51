"""`granary`: what stands before every command, how every error ends, and the commands of all rooms."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.common.commands import COMMAND, Options
from cli.common.exits import EXPLAINED, Exit
from cli.common.house import app as house
from cli.people import whose
from cli.rooms import rooms

# What shells tell of a program that SIGPIPE ended: 128 and the number of the signal.
_READER_GONE = 141


class _Plainly(TyperGroup):
    """Ends every error with a sentence and an exit code; GRANARY_DEBUG shows where it came from."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except KeyboardInterrupt:
            typer.echo("stopped watching; what was started goes on", err=True)
            raise typer.Exit(Exit.INTERRUPTED) from None
        except BrokenPipeError:
            _discard_output()
            raise typer.Exit(_READER_GONE) from None
        except Exception as error:
            if os.environ.get("GRANARY_DEBUG"):
                raise
            from cli.common.errors import denied, explain
            from lambdas.common.written import visible

            message, code = explain(error)
            if denied(error) and (told := whose(*ctx.meta.get(COMMAND, ("", {})))):
                message = f"{message}. {told}"
            typer.echo(visible(f"error: {message}"), err=True)
            raise typer.Exit(code) from error


def _discard_output() -> None:
    """Lead what is not yet written nowhere; the interpreter flushes once more as it ends, and complains."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        # A stream without a file, as in a test, has nobody who could have gone.
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


app = typer.Typer(
    cls=_Plainly,
    help=f"Granary's tenants and releases, over the same tables that put-item writes.\n\n{EXPLAINED}",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(house)
for room in rooms():
    # saas's verbs stand at the top; every other room has nouns of its own.
    app.add_typer(room)


@app.callback()
def _before(
    ctx: typer.Context,
    profile: Annotated[str, typer.Option(help="AWS profile of the toolchain's account.", envvar="AWS_PROFILE")] = "",
    config: Annotated[
        Path | None,
        typer.Option(
            help="Directory of toolchain.yaml and workloads.yaml; this checkout's own when left out.",
            envvar="GRANARY_CONFIG",
            file_okay=False,
            exists=True,
        ),
    ] = None,
) -> None:
    # What the functions log is told by the commands themselves; Python would write it to the terminal.
    logging.getLogger("lambdas").addHandler(logging.NullHandler())
    ctx.obj = Options(config=config, profile=profile)
