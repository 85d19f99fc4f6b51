"""The commands of `granary`: what each takes, and nothing of what it does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.completion import deployment_ids
from cli.exits import EXPLAINED, Exit

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
            from cli.errors import explain

            message, code = explain(error)
            typer.echo(f"error: {message}", err=True)
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
plan_app = typer.Typer(help="Show what would be done, changing nothing.", no_args_is_help=True)
app.add_typer(plan_app, name="plan")


@dataclass(frozen=True, kw_only=True)
class _Options:
    """The options that stand before the command."""

    config: Path | None
    profile: str


Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; messages go to stderr.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="Id of a deployment.", autocompletion=deployment_ids)]
Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Show the progress until the run is over.")]
RingName = Annotated[str, typer.Option("--ring", help="Only this ring, if it is the one that waits.")]
Comment = Annotated[str, typer.Option(help="Why; it is kept with the answer.")]


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
    ctx.obj = _Options(config=config, profile=profile)


def _run(ctx: typer.Context, command: Callable[..., Exit | None], *, as_json: bool, **arguments: Any) -> None:
    """Run a command with its session; the modules are imported here, so that help and completion are quick."""
    from cli.render.output import Output
    from cli.session import Session

    options: _Options = ctx.obj
    session = Session(profile=options.profile)
    if options.config:
        session.directory = options.config
    code = command(session, Output(as_json=as_json), **arguments)
    # A few lines wait in the buffer until here, and only now it is known whether somebody reads them.
    sys.stdout.flush()
    raise typer.Exit(code or Exit.OK)


@app.command("list")
def _list(
    ctx: typer.Context,
    *,
    phase: Annotated[list[str] | None, typer.Option(help="Only this phase; may be repeated.")] = None,
    ring: Annotated[list[str] | None, typer.Option(help="Only this ring; may be repeated.")] = None,
    account: Annotated[list[str] | None, typer.Option(help="Only this account; may be repeated.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what somebody has to look after.")] = False,
    sort: Annotated[str, typer.Option(help="id, phase, ring, age or revision.")] = "id",
    plain: Annotated[bool, typer.Option("--plain", help="Fixed columns, as when stdout is no terminal.")] = False,
    as_json: Json = False,
) -> None:
    """List the deployments: phase, ring, place, revisions, age and reason."""
    from cli.commands.listing import list_deployments
    from cli.fleet import Filter, SortBy
    from lambdas.common.status import Phase

    chosen = Filter(
        phases=frozenset(_word(name.upper(), [*Phase], "--phase") for name in phase or ()),
        rings=frozenset(ring or ()),
        accounts=frozenset(account or ()),
        failed=failed,
    )
    by = SortBy(_word(sort, [*SortBy], "--sort"))
    _run(ctx, list_deployments, as_json=as_json, chosen=chosen, sort=by, plain=plain)


@app.command()
def status(
    ctx: typer.Context,
    deployment_id: Id,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 when something is wrong with it.")] = False,
    as_json: Json = False,
) -> None:
    """Show everything about one deployment, and what to do next."""
    from cli.commands.status import show_status

    _run(ctx, show_status, as_json=as_json, deployment_id=deployment_id, check=check)


@app.command()
def validate(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON or YAML, one row or a list; - is stdin.")],
    as_json: Json = False,
) -> None:
    """Check rows in a file, plain or in DynamoDB's JSON, and report every error. Calls nothing."""
    from cli.commands.validate import validate_file

    _run(ctx, validate_file, as_json=as_json, file=file)


@plan_app.command("reconcile")
def _plan_reconcile(ctx: typer.Context, as_json: Json = False) -> None:
    """Show what the next round of the sweep would do."""
    from cli.commands.plan_reconcile import plan_reconcile

    _run(ctx, plan_reconcile, as_json=as_json)


@plan_app.command("release")
def _plan_release(
    ctx: typer.Context,
    revision: Annotated[str, typer.Option(help="A release by its revision; the newest when left out.")] = "",
    as_json: Json = False,
) -> None:
    """Show the rings of a release, and who is left out and why."""
    from cli.commands.plan_release import plan_release

    _run(ctx, plan_release, as_json=as_json, revision=revision)


@plan_app.command("retire")
def _plan_retire(ctx: typer.Context, deployment_id: Id, as_json: Json = False) -> None:
    """Show what a retirement would archive and delete, in order, and when."""
    from cli.commands.plan_retire import plan_retire

    _run(ctx, plan_retire, as_json=as_json, deployment_id=deployment_id)


@app.command()
def release(ctx: typer.Context, follow: Follow = True, as_json: Json = False) -> None:
    """Start the newest release, or follow it when it is under way."""
    from cli.commands.release import release as start

    _run(ctx, start, as_json=as_json, follow=follow)


@app.command()
def resume(ctx: typer.Context, follow: Follow = True, as_json: Json = False) -> None:
    """Go on with the release that was stopped."""
    from cli.commands.release import resume as go_on

    _run(ctx, go_on, as_json=as_json, follow=follow)


@app.command()
def approve(ctx: typer.Context, ring: RingName = "", comment: Comment = "", as_json: Json = False) -> None:
    """Let the ring begin that waits for an approval."""
    from cli.approval import Answer
    from cli.commands.approve import answer_ring

    _run(ctx, answer_ring, as_json=as_json, answer=Answer.APPROVED, ring=ring, comment=comment)


@app.command()
def reject(ctx: typer.Context, ring: RingName = "", comment: Comment = "", as_json: Json = False) -> None:
    """Stop the release before the ring that waits for an approval."""
    from cli.approval import Answer
    from cli.commands.approve import answer_ring

    _run(ctx, answer_ring, as_json=as_json, answer=Answer.REJECTED, ring=ring, comment=comment)


@app.command()
def retire(
    ctx: typer.Context,
    deployment_id: Id,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Ask for a deployment to be archived and deleted, after the grace period."""
    _want(ctx, deployment_id, "retired", as_json=as_json, sure=yes)


@app.command()
def suspend(ctx: typer.Context, deployment_id: Id, as_json: Json = False) -> None:
    """Take a deployment out of releases and disable its pipeline; what is deployed stays."""
    _want(ctx, deployment_id, "suspended", as_json=as_json)


@app.command()
def activate(ctx: typer.Context, deployment_id: Id, as_json: Json = False) -> None:
    """Bring a suspended deployment back, or keep one whose retirement is within its grace period."""
    _want(ctx, deployment_id, "active", as_json=as_json)


@app.command()
def retry(ctx: typer.Context, deployment_id: Id, as_json: Json = False) -> None:
    """Try again what failed: the build, the pipeline or the retirement."""
    from cli.commands.retry import retry as try_again

    _run(ctx, try_again, as_json=as_json, deployment_id=deployment_id)


@app.command()
def logs(
    ctx: typer.Context,
    deployment_id: Id,
    lines: Annotated[int, typer.Option(min=1, max=10_000, help="Lines of each log's end.")] = 100,
    as_json: Json = False,
) -> None:
    """Show the ends of the last provisioning build's log and of the newest failed pipeline build's."""
    from cli.commands.logs import show_logs

    _run(ctx, show_logs, as_json=as_json, deployment_id=deployment_id, limit=lines)


def _want(ctx: typer.Context, deployment_id: str, state: str, *, as_json: bool, sure: bool = True) -> None:
    from cli.commands.state import want
    from lambdas.common.record import Wanted

    _run(ctx, want, as_json=as_json, deployment_id=deployment_id, state=Wanted(state), sure=sure)


def _word(given: str, allowed: list[Any], option: str) -> str:
    if given not in allowed:
        raise typer.BadParameter(f"{given} is unknown: use {', '.join(map(str, allowed))}", param_hint=option)
    return given
