"""The commands about releases, and about tenants that are held at one: what each takes."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.common.commands import Json
from cli.saas.beginning import Id, Yes, run

release_app = typer.Typer()

Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Show the progress until the run is over.")]
RingName = Annotated[str, typer.Option("--ring", help="Only this ring, if it is the one that waits.")]
Comment = Annotated[str, typer.Option(help="Why; it is kept with the answer.")]


@release_app.command()
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
        run(ctx, release_only, as_json=as_json, ids=ids, revision=start, reason=reason, sure=yes)
    run(ctx, begin, as_json=as_json, follow=follow, revision=start, everyone=everyone)


@release_app.command()
def pin(
    ctx: typer.Context,
    deployment_id: Id,
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="A published release, or its beginning.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; whoever is at a release reads it.")],
    until: Annotated[str, typer.Option(help="When it ends by itself, as 2027-01-07T08:00:00Z.")] = "",
    back: Annotated[bool, typer.Option("--back", help="Also back over a forward-only task, when not asked.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Place a deployment at one release, and leave it out of all others."""
    from cli.saas.commands.pin import pin as write

    pinned = {"revision": revision, "reason": reason, "until": until}
    run(ctx, write, as_json=as_json, ids=[deployment_id], **pinned, sure=yes, back=back)


@release_app.command()
def unpin(ctx: typer.Context, deployment_id: Id, yes: Yes = False, as_json: Json = False) -> None:
    """Let a deployment catch up with the others again."""
    from cli.saas.commands.pin import unpin as write

    run(ctx, write, as_json=as_json, deployment_id=deployment_id, sure=yes)


@release_app.command()
def resume(ctx: typer.Context, follow: Follow = True, as_json: Json = False) -> None:
    """Go on with the release that was stopped."""
    from cli.saas.commands.release import resume as go_on

    run(ctx, go_on, as_json=as_json, follow=follow)


@release_app.command()
def approve(ctx: typer.Context, ring: RingName = "", comment: Comment = "", as_json: Json = False) -> None:
    """Let the ring begin that waits for an approval."""
    from cli.saas.approval import Answer
    from cli.saas.commands.release import answer_ring

    run(ctx, answer_ring, as_json=as_json, answer=Answer.APPROVED, ring=ring, comment=comment)


@release_app.command()
def reject(ctx: typer.Context, ring: RingName = "", comment: Comment = "", as_json: Json = False) -> None:
    """Stop the release before the ring that waits for an approval."""
    from cli.saas.approval import Answer
    from cli.saas.commands.release import answer_ring

    run(ctx, answer_ring, as_json=as_json, answer=Answer.REJECTED, ring=ring, comment=comment)
