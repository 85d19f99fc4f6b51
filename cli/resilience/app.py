"""The commands of the room: what each takes, and nothing of what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from cli.common.commands import Json, run
from cli.common.exits import Exit
from cli.resilience.failover_app import failover

app = typer.Typer()
chaos = typer.Typer(help="Experiments with tenants, as a part of each release.", no_args_is_help=True)
app.add_typer(chaos, name="chaos")
app.add_typer(failover, name="failover", no_args_is_help=True)

_Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="Id of a deployment.")]


def _run(ctx: typer.Context, command: Callable[..., Exit | None], *, as_json: bool, **arguments: Any) -> None:
    from cli.common.session import Session

    run(ctx, command, session=Session, as_json=as_json, **arguments)


@chaos.command("list")
def _list(ctx: typer.Context, as_json: Json = False) -> None:
    """List what each ring does, and the catalogue of experiments. Calls nothing."""
    from cli.resilience.commands import list_rings

    _run(ctx, list_rings, as_json=as_json)


@chaos.command("show")
def _show(
    ctx: typer.Context,
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="An experiment of config/resilience.yaml.")],
) -> None:
    """Show an experiment as FIS gets it, with words in braces for what is the tenant's. Calls nothing."""
    from cli.resilience.commands import show

    _run(ctx, show, as_json=True, experiment=experiment)


@chaos.command("run")
def _run_experiment(
    ctx: typer.Context,
    tenant: _Tenant,
    experiment: Annotated[str, typer.Option(metavar="EXPERIMENT", help="An experiment that is deployed.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Resolve the targets, and do nothing to them.")] = False,
    as_json: Json = False,
) -> None:
    """Tell what an experiment would hit of a tenant: 0 it is told, 1 it could not be."""
    from cli.resilience.commands import dry_run as command

    if not dry_run:
        raise typer.BadParameter("faults are injected by releases only: say --dry-run", param_hint="--dry-run")
    _run(ctx, command, as_json=as_json, tenant=tenant, experiment=experiment)


@chaos.command("history")
def _history(
    ctx: typer.Context,
    tenant: Annotated[str, typer.Argument(metavar="[TENANT]", help="Only this deployment's.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many at most, the newest.")] = 50,
    as_json: Json = False,
) -> None:
    """List attempts at tenants, newest first, those that go on included: the last 20 of each are remembered."""
    from cli.resilience.commands import history

    _run(ctx, history, as_json=as_json, tenant=tenant, limit=limit)
