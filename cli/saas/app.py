"""The commands about tenants and releases: what each takes, and nothing of what it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.common.commands import Json, run, word
from cli.common.exits import Exit
from cli.saas.completion import deployment_ids
from cli.saas.component_app import component_app, policy_app
from cli.saas.estimate import PIPELINE_MINUTES, RELEASES_A_MONTH

app = typer.Typer()
plan_app = typer.Typer(help="Show what would be done, changing nothing.", no_args_is_help=True)
app.add_typer(plan_app, name="plan")
app.add_typer(component_app, name="component")
app.add_typer(policy_app)

Id = Annotated[str, typer.Argument(metavar="ID", help="Id of a deployment.", autocompletion=deployment_ids)]
Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Show the progress until the run is over.")]
RingName = Annotated[str, typer.Option("--ring", help="Only this ring, if it is the one that waits.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Comment = Annotated[str, typer.Option(help="Why; it is kept with the answer.")]


def _run(ctx: typer.Context, command: Callable[..., Exit | None], *, as_json: bool, **arguments: Any) -> None:
    from cli.saas.session import SaasSession

    run(ctx, command, session=SaasSession, as_json=as_json, **arguments)


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
    _run(ctx, list_deployments, as_json=as_json, chosen=chosen, sort=by, plain=plain)


@app.command()
def status(
    ctx: typer.Context,
    deployment_id: Id,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 when something is wrong with it.")] = False,
    as_json: Json = False,
) -> None:
    """Show everything about one deployment, and what to do next."""
    from cli.saas.commands.status import show_status

    _run(ctx, show_status, as_json=as_json, deployment_id=deployment_id, check=check)


@app.command()
def validate(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON or YAML, one row or a list; - is stdin.")],
    as_json: Json = False,
) -> None:
    """Check rows in a file, plain or in DynamoDB's JSON, and report every error. Calls nothing."""
    from cli.saas.commands.validate import validate_file

    _run(ctx, validate_file, as_json=as_json, file=file)


@app.command("bootstrap-template")
def _bootstrap_template(ctx: typer.Context, as_json: Json = False) -> None:
    """Write the bootstrap template of workload accounts, made from the CDK CLI's own. Calls nothing."""
    from cli.saas.commands.bootstrap_template import bootstrap_template

    _run(ctx, bootstrap_template, as_json=as_json)


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
    _run(ctx, plan_cost, as_json=as_json, tenants=tenants or [100, 500, 2_000], assumed=assumed)


@app.command()
def upstream(
    ctx: typer.Context,
    revision: Annotated[str, typer.Option("--from", help="What would be merged.")] = "upstream/main",
    as_json: Json = False,
) -> None:
    """Show what a merge of a newer Granary changes outside your zone, and what you have changed too. Asks git alone."""
    from cli.saas.commands.upstream import show_upstream

    _run(ctx, show_upstream, as_json=as_json, revision=revision)


@plan_app.command("reconcile")
def _plan_reconcile(ctx: typer.Context, as_json: Json = False) -> None:
    """Show what the next round of the sweep would do."""
    from cli.saas.commands.plan_reconcile import plan_reconcile

    _run(ctx, plan_reconcile, as_json=as_json)


@plan_app.command("release")
def _plan_release(
    ctx: typer.Context,
    revision: Annotated[str, typer.Option(help="A release by its revision; the newest when left out.")] = "",
    as_json: Json = False,
) -> None:
    """Show the rings of a release, and who is left out and why."""
    from cli.saas.commands.plan_release import plan_release

    _run(ctx, plan_release, as_json=as_json, revision=revision)


@plan_app.command("retire")
def _plan_retire(ctx: typer.Context, deployment_id: Id, as_json: Json = False) -> None:
    """Show what a retirement would archive and delete, in order, and when."""
    from cli.saas.commands.state import plan_retire

    _run(ctx, plan_retire, as_json=as_json, deployment_id=deployment_id)


@app.command()
def release(
    ctx: typer.Context,
    *,
    start: Annotated[
        str, typer.Option("--start", metavar="REVISION", help="This release, which was published and not started.")
    ] = "",
    only: Annotated[
        str, typer.Option("--only", metavar="ID[,ID]", help="Only for these: their rows are pinned to it.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why only for these.")] = "released to it alone",
    everyone: Annotated[
        bool, typer.Option("--everyone", help="Also for those who have the same of another release.")
    ] = False,
    yes: Yes = False,
    follow: Follow = True,
    as_json: Json = False,
) -> None:
    """Start the newest release, or follow it when it is under way."""
    from cli.saas.commands.pin import release_only
    from cli.saas.commands.release import release as begin

    if only:
        ids = list(filter(None, only.split(",")))
        _run(ctx, release_only, as_json=as_json, ids=ids, revision=start, reason=reason, sure=yes)
    _run(ctx, begin, as_json=as_json, follow=follow, revision=start, everyone=everyone)


@app.command()
def pin(
    ctx: typer.Context,
    deployment_id: Id,
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="A published release, or its beginning.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; whoever is at a release reads it.")],
    until: Annotated[str, typer.Option(help="When it ends by itself, as 2027-01-07T08:00:00Z.")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Place a deployment at one release, and leave it out of all others."""
    from cli.saas.commands.pin import pin as write

    _run(ctx, write, as_json=as_json, ids=[deployment_id], revision=revision, reason=reason, until=until, sure=yes)


@app.command()
def unpin(ctx: typer.Context, deployment_id: Id, yes: Yes = False, as_json: Json = False) -> None:
    """Let a deployment catch up with the others again."""
    from cli.saas.commands.pin import unpin as write

    _run(ctx, write, as_json=as_json, deployment_id=deployment_id, sure=yes)


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

    _run(ctx, write, as_json=as_json, deployment_id=deployment_id, digest=digest, sure=yes)


@app.command()
def resume(ctx: typer.Context, follow: Follow = True, as_json: Json = False) -> None:
    """Go on with the release that was stopped."""
    from cli.saas.commands.release import resume as go_on

    _run(ctx, go_on, as_json=as_json, follow=follow)


@app.command()
def approve(ctx: typer.Context, ring: RingName = "", comment: Comment = "", as_json: Json = False) -> None:
    """Let the ring begin that waits for an approval."""
    from cli.saas.approval import Answer
    from cli.saas.commands.release import answer_ring

    _run(ctx, answer_ring, as_json=as_json, answer=Answer.APPROVED, ring=ring, comment=comment)


@app.command()
def reject(ctx: typer.Context, ring: RingName = "", comment: Comment = "", as_json: Json = False) -> None:
    """Stop the release before the ring that waits for an approval."""
    from cli.saas.approval import Answer
    from cli.saas.commands.release import answer_ring

    _run(ctx, answer_ring, as_json=as_json, answer=Answer.REJECTED, ring=ring, comment=comment)


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

    _run(ctx, try_again, as_json=as_json, deployment_id=deployment_id)


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
        _run(ctx, repair_release, as_json=as_json, sure=yes)
    else:
        _run(ctx, repair_status, as_json=as_json, deployment_id=deployment_id, sure=yes)


@app.command()
def logs(
    ctx: typer.Context,
    deployment_id: Id,
    lines: Annotated[int, typer.Option(min=1, max=10_000, help="Lines of each log's end.")] = 100,
    as_json: Json = False,
) -> None:
    """Show the ends of the last provisioning build's log and of the newest failed pipeline build's."""
    from cli.saas.commands.logs import show_logs

    _run(ctx, show_logs, as_json=as_json, deployment_id=deployment_id, limit=lines)


def _want(ctx: typer.Context, deployment_id: str, state: str, *, as_json: bool, sure: bool = True) -> None:
    from cli.saas.commands.state import want
    from lambdas.saas.model.record import Wanted

    _run(ctx, want, as_json=as_json, deployment_id=deployment_id, state=Wanted(state), sure=sure)
