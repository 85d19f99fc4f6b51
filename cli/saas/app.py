"""The commands about tenants, and those of the room's other files: what each takes, and nothing of what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.common.commands import Json, word
from cli.saas.beginning import Id, Yes, run
from cli.saas.completion import deployment_ids
from cli.saas.component_app import component_app, policy_app
from cli.saas.plan_app import plan_app
from cli.saas.release_app import release_app

app = typer.Typer()
app.add_typer(plan_app, name="plan")
app.add_typer(component_app, name="component")
app.add_typer(policy_app)
app.add_typer(release_app)


@app.command("list")
def _list(
    ctx: typer.Context,
    *,
    phase: Annotated[list[str] | None, typer.Option(help="Only this phase; may be repeated.")] = None,
    ring: Annotated[list[str] | None, typer.Option(help="Only this ring; may be repeated.")] = None,
    account: Annotated[list[str] | None, typer.Option(help="Only this account; may be repeated.")] = None,
    external_id: Annotated[list[str] | None, typer.Option(help="Only what others call so; may be repeated.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what somebody has to look after.")] = False,
    sort: Annotated[str, typer.Option(help="id, phase, ring, age or revision.")] = "id",
    plain: Annotated[bool, typer.Option("--plain", help="Fixed columns, as when stdout is no terminal.")] = False,
    as_json: Json = False,
) -> None:
    """List the deployments: phase, ring, place, revisions, age and reason."""
    from cli.saas.commands.listing import list_deployments
    from cli.saas.fleet import Filter, SortBy
    from lambdas.saas.model.status import Phase

    chosen = Filter(
        phases=frozenset(word(name.upper(), [*Phase], "--phase") for name in phase or ()),
        rings=frozenset(ring or ()),
        accounts=frozenset(account or ()),
        external_ids=frozenset(external_id or ()),
        failed=failed,
    )
    by = SortBy(word(sort, [*SortBy], "--sort"))
    run(ctx, list_deployments, as_json=as_json, chosen=chosen, sort=by, plain=plain)


@app.command()
def status(
    ctx: typer.Context,
    deployment_id: Id,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 when something is wrong with it.")] = False,
    as_json: Json = False,
) -> None:
    """Show everything about one deployment, and what to do next."""
    from cli.saas.commands.status import show_status

    run(ctx, show_status, as_json=as_json, deployment_id=deployment_id, check=check)


@app.command()
def validate(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON or YAML, one row or a list; - is stdin.")],
    as_json: Json = False,
) -> None:
    """Check rows in a file, plain or in DynamoDB's JSON, and report every error. Calls nothing."""
    from cli.saas.commands.validate import validate_file

    run(ctx, validate_file, as_json=as_json, file=file)


@app.command("bootstrap-template")
def _bootstrap_template(ctx: typer.Context, as_json: Json = False) -> None:
    """Write the bootstrap template of workload accounts, made from the CDK CLI's own. Calls nothing."""
    from cli.saas.commands.bootstrap_template import bootstrap_template

    run(ctx, bootstrap_template, as_json=as_json)


@app.command()
def upstream(
    ctx: typer.Context,
    revision: Annotated[str, typer.Option("--from", help="What would be merged.")] = "upstream/main",
    as_json: Json = False,
) -> None:
    """Show what a merge of a newer Granary changes outside your zone, and what you have changed too. Asks git alone."""
    from cli.saas.commands.upstream import show_upstream

    run(ctx, show_upstream, as_json=as_json, revision=revision)


@app.command()
def adopt(
    ctx: typer.Context,
    deployment_id: Id,
    *,
    digest: Annotated[str, typer.Option(help="Only this plan, as `granary status` shows it.")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Consent to taking over stacks that stand under the names of a deployment, as the plan has it."""
    from cli.saas.commands.adopt import adopt as write

    run(ctx, write, as_json=as_json, deployment_id=deployment_id, digest=digest, sure=yes)


@app.command()
def retire(
    ctx: typer.Context,
    deployment_id: Id,
    yes: Yes = False,
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
    from cli.saas.commands.retry import retry as try_again

    run(ctx, try_again, as_json=as_json, deployment_id=deployment_id)


@app.command()
def repair(
    ctx: typer.Context,
    deployment_id: Annotated[
        str, typer.Argument(metavar="[ID]", help="Id of a deployment.", autocompletion=deployment_ids)
    ] = "",
    release: Annotated[bool, typer.Option("--release", help="The release parameter, instead of a status.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Write anew what cannot be read: the status of a deployment, or the release parameter."""
    from cli.saas.commands.repair import repair_release, repair_status

    if release == bool(deployment_id):
        raise typer.BadParameter("give either the id of a deployment or --release")
    if release:
        run(ctx, repair_release, as_json=as_json, sure=yes)
    else:
        run(ctx, repair_status, as_json=as_json, deployment_id=deployment_id, sure=yes)


@app.command()
def logs(
    ctx: typer.Context,
    deployment_id: Id,
    lines: Annotated[int, typer.Option(min=1, max=10_000, help="Lines of each log's end.")] = 100,
    as_json: Json = False,
) -> None:
    """Show the ends of the last provisioning build's log and of the newest failed pipeline build's."""
    from cli.saas.commands.logs import show_logs

    run(ctx, show_logs, as_json=as_json, deployment_id=deployment_id, limit=lines)


def _want(ctx: typer.Context, deployment_id: str, state: str, *, as_json: bool, sure: bool = True) -> None:
    from cli.saas.commands.state import want
    from lambdas.saas.model.record import Wanted

    run(ctx, want, as_json=as_json, deployment_id=deployment_id, state=Wanted(state), sure=sure)
