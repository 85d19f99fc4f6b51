"""`component check`: what sample tenants of the component are, keep of the rules and need; calls nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cli.common.errors import CliError, UsageError
from cli.common.exits import Exit
from cli.common.output import Output
from cli.saas.commands.execution_policy import additions, policy_file, published
from cli.saas.component_assembly import findings, tenants
from cli.saas.component_report import Checked
from cli.saas.component_tasks import task_findings
from cli.saas.session import SaasSession
from stacks.common.execution_policy import bounded, execution_policies, execution_policy
from stacks.saas.generated_policy import Deployed, Generated, generate
from stacks.saas.policy_grants import grants_of, statements_of, uncovered
from stacks.saas.resource_types import known_types

_ROOT = Path(__file__).parents[3]
# What builds do before each synth of tenants, and the synth; the module is the builds', not this program's.
_SYNTHESIS = "buildspecs.saas.ci.sample_tenants"
_SECONDS, _ASKING_SECONDS = 900, 60
_SHOWN = 15


def check_component(session: SaasSession, output: Output, *, write: Path | None) -> Exit:
    """Tell it; with `write`, leave the policy that the stacks need in a folder."""
    with TemporaryDirectory(prefix="granary-check-") as folder:
        checked = _check(session, Path(folder) / "out", output, write)
    output.result(checked.document(), checked.lines())
    return Exit.OK if checked.is_good else Exit.WRONG


def _check(session: SaasSession, out: Path, output: Output, write: Path | None) -> Checked:
    output.say("synthesizing sample tenants with all rules: this takes a while")
    done = _run([sys.executable, "-m", _SYNTHESIS, str(out), str(session.directory.resolve())], seconds=_SECONDS)
    found = findings(out)
    if done.returncode and not found:
        told = "\n".join(f"{done.stdout}\n{done.stderr}".strip().splitlines()[-_SHOWN:])
        raise CliError(f"the component cannot be synthesized: {told}")
    stacks = tenants(out)
    generated = generated_of(session, (one for its in stacks.values() for one in its))
    document, wanted = needed(session, generated)
    given = grants_of(one for part in published(session) for one in part["Statement"])
    written = _write(document, write / policy_file(session).name) if write else []
    lacks = uncovered(wanted, given)
    return Checked(
        tenants=stacks,
        findings=[*found, *task_findings(stacks)],
        local=_local_cloud(),
        generated=generated,
        policy=_shown(policy_file(session)),
        lacks=lacks,
        besides=uncovered(given, wanted),
        written=written,
        parts=len(execution_policies(document, **additions(session))),
        next_steps=_next(generated, lacks=bool(lacks), written=written),
    )


def generated_of(session: SaasSession, stacks: Iterable[Deployed]) -> Generated:
    """What stacks need, with this configuration."""
    workloads = session.configuration.workloads
    return generate(
        stacks,
        types=known_types(),
        qualifier=workloads.bootstrap_qualifier,
        has_boundary=bool(workloads.permissions_boundary),
        published=workloads.place.parameters,
    )


def needed(session: SaasSession, generated: Generated) -> tuple[dict[str, Any], set[Any]]:
    """The policy's file as it would be, and all that is wanted of what is published."""
    boundary = session.configuration.workloads.permissions_boundary
    statements = statements_of(generated.grants)
    document = {"Version": "2012-10-17", "Statement": bounded(statements, boundary) if boundary else statements}
    return document, grants_of(execution_policy(document, **additions(session))["Statement"])


def _write(document: dict[str, Any], path: Path) -> list[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}") from error
    return [str(path)]


def _local_cloud() -> dict[str, str]:
    """What the local cloud says of types of resources; nothing where it is not installed."""
    try:
        done = _run([sys.executable, "-m", "local_cloud", "types"], seconds=_ASKING_SECONDS)
        found: dict[str, str] = json.loads(done.stdout) if done.returncode == 0 else {}
    except (CliError, ValueError):
        return {}
    return found


def _run(words: list[str], *, seconds: int) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - words of ours
            words, cwd=_ROOT, capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CliError(f"`{' '.join(words[1:3])}` cannot be run: {error}") from error


def _shown(file: Path) -> str:
    return str(file.relative_to(_ROOT)) if file.is_relative_to(_ROOT) else str(file)


def _next(generated: Generated, *, lacks: bool, written: list[str]) -> list[str]:
    steps = []
    if generated.gaps:
        steps.append("write what cannot be told into component/permissions.json, and check again")
    if lacks and not written:
        steps.append("let `granary component check --write config/policies` write the policy, and read the difference")
    if lacks:
        steps.append("publish `granary execution-policy` in each workload account before the release that needs it")
    return steps
