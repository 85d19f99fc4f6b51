"""The commands of gates: what each takes, and nothing of what it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.common.commands import Json, run
from cli.common.exits import Exit

app = typer.Typer()
gates = typer.Typer(help="What is scanned before anything is deployed.", no_args_is_help=True)
app.add_typer(gates, name="gates")

_Revision = Annotated[str, typer.Argument(metavar="REVISION", help="Revision of a release.")]


def _run(ctx: typer.Context, command: Callable[..., Exit | None], *, as_json: bool, **arguments: Any) -> None:
    from cli.common.session import Session

    run(ctx, command, session=Session, as_json=as_json, **arguments)


@gates.command("list")
def _list(ctx: typer.Context, as_json: Json = False) -> None:
    """List the gates: scanner, what it scans, from which severity on it fails. Calls nothing."""
    from cli.gates.commands import list_gates

    _run(ctx, list_gates, as_json=as_json)


@gates.command("run")
def _run_gates(  # noqa: PLR0917 - typer takes them as they come
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[GATE]...", help="Only these gates.")] = None,
    source: Annotated[Path, typer.Option(help="The source that is scanned.")] = Path(),
    templates: Annotated[Path, typer.Option(help="The assembly that is scanned, from `npx cdk synth`.")] = Path(
        "cdk.out"
    ),
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write results as JUnit has them.")] = None,
    sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write findings as SARIF 2.1.0 has them.")] = None,
    cucumber: Annotated[Path | None, typer.Option(metavar="FILE", help="Write results as Cucumber has them.")] = None,
    sbom: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the packages that were looked up as CycloneDX 1.6.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run gates here as CI/CD runs them: 0 passed, 1 something blocks, 6 it could not be told."""
    from cli.gates.commands import run_here

    given = {"names": tuple(names or ()), "source": source, "templates": templates}
    files = {"junit": junit, "cucumber": cucumber, "sarif": sarif, "sbom": sbom}
    _run(ctx, run_here, as_json=as_json, files=files, **given)


@gates.command("parse")
def _parse(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A scanner's report.")],
    name: Annotated[str, typer.Option("--format", help="Its format; recognised when left out.")] = "",
    max_age_days: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="Take no older data than that.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what a scanner's report says: its findings, and what of it cannot be read. Calls nothing."""
    from cli.gates.commands import parse_report

    _run(ctx, parse_report, as_json=as_json, file=file, name=name, max_age_days=max_age_days)


@gates.command("verify")
def _verify(ctx: typer.Context, revision: _Revision, as_json: Json = False) -> None:
    """Tell whether the gates let a release go, and what stands against it."""
    from cli.gates.commands import verify

    _run(ctx, verify, as_json=as_json, revision=revision)


@gates.command("explain")
def _explain(ctx: typer.Context, revision: _Revision, as_json: Json = False) -> None:
    """Show what each gate has said of a release: outcome, reason, tool, counts, exceptions."""
    from cli.gates.commands import explain

    _run(ctx, explain, as_json=as_json, revision=revision)
