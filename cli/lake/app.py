"""The commands of the lake: what each takes, and nothing of what it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.common.commands import Json, run, word
from cli.common.exits import Exit

app = typer.Typer()
lake = typer.Typer(help="The data lake: its datasets, the runs of its objects, and who may read what.")
app.add_typer(lake, name="lake", no_args_is_help=True)

_Environment = Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="An environment of config/lake.yaml.")]
_In = Annotated[str, typer.Option("--environment", help="Whose catalog; only needed where there are several.")]
_PHASES = ("CLAIMED", "STARTED", "SUCCEEDED", "FAILED", "REFUSED")


def _run(ctx: typer.Context, command: Callable[..., Exit | None], *, as_json: bool, **arguments: Any) -> None:
    from cli.lake.session import LakeSession

    run(ctx, command, session=LakeSession, as_json=as_json, **arguments)


@lake.command("datasets")
def _datasets(ctx: typer.Context, as_json: Json = False) -> None:
    """List the datasets: where their files go, and the tables that they become. Calls nothing."""
    from cli.lake.datasets import list_datasets

    _run(ctx, list_datasets, as_json=as_json)


@lake.command("try")
def _try(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A dataset of config/lake.yaml.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file, as it would be put into the raw zone.")],
    folder: Annotated[Path | None, typer.Option(help="Keep what the jobs write there.")] = None,
    as_json: Json = False,
) -> None:
    """Run both jobs on this machine: 0 all rows are good, 1 some are quarantined or the file does not fit."""
    from cli.lake.trying import try_file

    _run(ctx, try_file, as_json=as_json, name=dataset, file=file, folder=folder)


@lake.command("runs")
def _runs(  # noqa: PLR0917 - typer takes them as they come
    ctx: typer.Context,
    environment: _Environment,
    phase: Annotated[str, typer.Option(help=f"Only these: {', '.join(_PHASES)}.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many at most, the newest.")] = 50,
    again: Annotated[str, typer.Option(metavar="ID", help="Run this object again.")] = "",
    again_all_failed: Annotated[bool, typer.Option("--again-all-failed", help="Run all again that failed.")] = False,
    as_json: Json = False,
) -> None:
    """List what became of objects, newest first, or run some again. Needs credentials of the lake's account."""
    from cli.lake.runs import list_runs, run_again

    if again or again_all_failed:
        if phase or (again and again_all_failed):
            raise typer.BadParameter("give one of --again, --again-all-failed and --phase")
        _run(ctx, run_again, as_json=as_json, environment=environment, object_id=again)
    else:
        chosen = phase and word(phase.upper(), _PHASES, "--phase")
        _run(ctx, list_runs, as_json=as_json, environment=environment, phase=chosen, limit=limit)


@lake.command("plan")
def _plan(
    ctx: typer.Context,
    environment: _Environment,
    last: Annotated[bool, typer.Option("--last", help="Make none: show the last one.")] = False,
    as_json: Json = False,
) -> None:
    """Have a plan made of what is granted and revoked, and applied unless it is to be approved.

    With --last, nothing is started: 1 when the last plan asks for approval, or could not see everything.
    """
    from cli.lake.permissions import plan, show_last

    _run(ctx, show_last if last else plan, as_json=as_json, environment=environment)


@lake.command("apply")
def _apply(
    ctx: typer.Context,
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="Digest of a last plan, or its first 12 digits.")],
    as_json: Json = False,
) -> None:
    """Approve a plan by its digest, in your name, and have it applied: the last one of a catalog, and no other."""
    from cli.lake.permissions import apply

    _run(ctx, apply, as_json=as_json, digest=plan)


@lake.command("who-can")
def _who_can(
    ctx: typer.Context,
    place: Annotated[str, typer.Argument(metavar="TABLE[.COLUMN]", help="<database>.<table>, and a column of it.")],
    environment: _In = "",
    as_json: Json = False,
) -> None:
    """Tell who has rights on a table, or reads a column. Needs a reader of the lake's catalog."""
    from cli.lake.permissions import who

    _run(ctx, who, as_json=as_json, place=place, environment=environment)


@lake.command("what-can")
def _what_can(
    ctx: typer.Context,
    principal: Annotated[str, typer.Argument(metavar="PRINCIPAL", help="An ARN, or its end: role/NAME, user/NAME.")],
    environment: _In = "",
    as_json: Json = False,
) -> None:
    """Tell what a role or user may do. Needs a reader of the lake's catalog."""
    from cli.lake.permissions import what

    _run(ctx, what, as_json=as_json, principal=principal, environment=environment)


@lake.command("report")
def _report(
    ctx: typer.Context,
    environment: Annotated[
        str, typer.Argument(metavar="ENVIRONMENT", help="Only needed where there are several.")
    ] = "",
    month: Annotated[str, typer.Option(metavar="2026-11", help="Of that month; the newest, if not given.")] = "",
    sign: Annotated[bool, typer.Option("--sign", help="Sign it, in your name: once, and for good.")] = False,
    as_json: Json = False,
) -> None:
    """Show the monthly report of permissions and personal data: 1 when nobody has signed it yet."""
    from cli.lake import report

    _run(ctx, report.sign if sign else report.show, as_json=as_json, environment=environment, month=month)


@lake.command("records")
def _records(ctx: typer.Context, as_json: Json = False) -> None:
    """List the records of processing activities: 1 when one has expired. Calls nothing."""
    from cli.lake.permissions import list_records

    _run(ctx, list_records, as_json=as_json)
