"""The commands that show what would be done: what each takes."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.common.commands import Json
from cli.saas.beginning import Id, run
from cli.saas.estimate import PIPELINE_MINUTES, RELEASES_A_MONTH

plan_app = typer.Typer(help="Show what would be done, changing nothing.", no_args_is_help=True)


@plan_app.command("cost")
def _plan_cost(
    ctx: typer.Context,
    tenants: Annotated[list[int] | None, typer.Option(min=1, help="How many; may be repeated.")] = None,
    minutes: Annotated[
        float, typer.Option(min=1, help="Minutes of a tenant's pipeline in a release.")
    ] = PIPELINE_MINUTES,
    releases: Annotated[int, typer.Option(min=0, help="Releases a month.")] = RELEASES_A_MONTH,
    as_json: Json = False,
) -> None:
    """Estimate hours and dollars of a release for so many tenants, and the quotas that they need."""
    from cli.saas.commands.plan_cost import plan_cost
    from cli.saas.estimate import Assumptions

    assumed = Assumptions(pipeline_minutes=minutes, releases_a_month=releases)
    run(ctx, plan_cost, as_json=as_json, tenants=tenants or [100, 500, 2_000], assumed=assumed)


@plan_app.command("reconcile")
def _plan_reconcile(ctx: typer.Context, as_json: Json = False) -> None:
    """Show what the next round of the sweep would do."""
    from cli.saas.commands.plan_reconcile import plan_reconcile

    run(ctx, plan_reconcile, as_json=as_json)


@plan_app.command("release")
def _plan_release(
    ctx: typer.Context,
    revision: Annotated[str, typer.Option(help="A release by its revision; the newest when left out.")] = "",
    as_json: Json = False,
) -> None:
    """Show the rings of a release, and who is left out and why."""
    from cli.saas.commands.plan_release import plan_release

    run(ctx, plan_release, as_json=as_json, revision=revision)


@plan_app.command("retire")
def _plan_retire(ctx: typer.Context, deployment_id: Id, as_json: Json = False) -> None:
    """Show what a retirement would archive and delete, in order, and when."""
    from cli.saas.commands.state import plan_retire

    run(ctx, plan_retire, as_json=as_json, deployment_id=deployment_id)
