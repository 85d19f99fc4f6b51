"""The commands of failovers: what each takes, and nothing of what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from cli.common.commands import Json, run, word
from cli.common.exits import Exit

failover = typer.Typer(help="Failing groups of applications over from one Region to the other.")

_Group = Annotated[str, typer.Argument(metavar="GROUP", help="A group of config/failover.yaml.")]
_To = Annotated[str, typer.Option("--to", help="The Region that is to serve; away from the primary when left out.")]
_Application = Annotated[list[str] | None, typer.Option("--application", help="Only this one; may be repeated.")]
_Mode = Annotated[str, typer.Option("--mode", help="switch or weights; the group's own when left out.")]
_Id = Annotated[str, typer.Option("--id", help="Id of the request: the same again changes nothing.")]
_Region = Annotated[str, typer.Option("--region", help="Ask this Region; whichever answers when left out.")]
_Unplanned = Annotated[bool, typer.Option("--unplanned", help="Databases may lose what was not replicated.")]
_MODES = ("", "switch", "weights")


def _run(ctx: typer.Context, command: Callable[..., Exit | None], *, as_json: bool, **arguments: Any) -> None:
    from cli.resilience.failover import FailoverSession

    run(ctx, command, session=FailoverSession, as_json=as_json, **arguments)


@failover.command("plan")
def _plan(  # noqa: PLR0917 - typer takes them as they come
    ctx: typer.Context,
    group: _Group,
    to: _To = "",
    application: _Application = None,
    mode: _Mode = "",
    unplanned: _Unplanned = False,
    as_json: Json = False,
) -> None:
    """Tell what a failover would do, and what speaks against it: 0 go, 1 no go. Changes nothing."""
    from cli.resilience.failover import plan

    asked = {"applications": application or [], "mode": word(mode, _MODES, "--mode"), "unplanned": unplanned}
    _run(ctx, plan, as_json=as_json, group=group, to=to, **asked)


@failover.command("start")
def _start(  # noqa: PLR0917 - typer takes them as they come
    ctx: typer.Context,
    group: _Group,
    reason: Annotated[str, typer.Option("--reason", help="Why: it is kept.")],
    to: _To = "",
    application: _Application = None,
    mode: _Mode = "",
    unplanned: _Unplanned = False,
    force: Annotated[bool, typer.Option("--force", help="Whatever speaks against it: that is recorded.")] = False,
    request: _Id = "",
    as_json: Json = False,
) -> None:
    """Fail over, or back: it is the same command. 5 when something speaks against it."""
    from cli.resilience.failover import start

    asked = {"applications": application or [], "mode": word(mode, _MODES, "--mode"), "unplanned": unplanned}
    _run(ctx, start, as_json=as_json, group=group, to=to, reason=reason, force=force, request=request, **asked)


@failover.command("status")
def _status(ctx: typer.Context, region: _Region = "", as_json: Json = False) -> None:
    """Tell where each group is served from, and its last requests: 1 while one is under way, or a tenant is wrong."""
    from cli.resilience.failover import status

    _run(ctx, status, as_json=as_json, region=region)


@failover.command("drill")
def _drill(
    ctx: typer.Context,
    group: _Group,
    reason: Annotated[str, typer.Option("--reason", help="Why: it is kept.")] = "drill",
    request: _Id = "",
    as_json: Json = False,
) -> None:
    """Fail over for real, with the primary Region denied to the function; fail back with `start --to`."""
    from cli.resilience.failover import drill

    _run(ctx, drill, as_json=as_json, group=group, reason=reason, request=request)


@failover.command("history")
def _history(ctx: typer.Context, group: _Group, region: _Region = "", as_json: Json = False) -> None:
    """Tell all that was said of a group, the oldest first: requests, drills with their times, disagreements."""
    from cli.resilience.failover import history

    _run(ctx, history, as_json=as_json, group=group, region=region)
