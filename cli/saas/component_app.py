"""The commands about the component and what CloudFormation may do for it: what each takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.common.commands import Json
from cli.saas.beginning import run

component_app = typer.Typer(help="Look at the component before anybody gets it.", no_args_is_help=True)
policy_app = typer.Typer()


@component_app.command("check")
def _check(
    ctx: typer.Context,
    *,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="DIR", help="Write the execution policy there, as it is needed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Synthesize sample tenants of each tier with all rules, and tell what they need. Calls nothing."""
    from cli.saas.commands.component_check import check_component

    run(ctx, check_component, as_json=as_json, write=write)


@policy_app.command("execution-policy")
def _execution_policy(
    ctx: typer.Context,
    *,
    part: Annotated[int, typer.Option(min=0, help="Which of several managed policies, where one has no room.")] = 0,
    as_json: Json = False,
) -> None:
    """Write what CloudFormation may do in workload accounts, as config/ wants it published. Calls nothing."""
    from cli.saas.commands.execution_policy import show_execution_policy

    run(ctx, show_execution_policy, as_json=as_json, part=part)
