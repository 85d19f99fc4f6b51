"""`bootstrap-template`: what `cdk bootstrap --template` takes for workload accounts; calls nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cli.common.errors import CliError, UsageError
from cli.common.output import Output
from cli.saas.commands.execution_policy import published
from cli.saas.session import SaasSession
from component import SPEC
from stacks.saas.workload_bootstrap import WorkloadBootstrap

_CDK = Path(__file__).parents[3] / "node_modules/.bin/cdk"
_SECONDS = 120


def bootstrap_template(session: SaasSession, output: Output) -> None:
    """Write the template of this factory's configuration, as JSON."""
    configuration = session.configuration
    ours = WorkloadBootstrap(
        names=session.names,
        qualifier=configuration.workloads.bootstrap_qualifier,
        toolchain_account=configuration.toolchain.account,
        zone_roles=SPEC.role_names(configuration.toolchain.prefix),
        zone_actions=SPEC.place_actions,
        boundary=configuration.workloads.permissions_boundary or "",
        parameters=configuration.workloads.place.parameters,
        policies=len(published(session)),
    )
    output.data(ours.template(_original()))


def _original() -> dict[str, Any]:
    """The template of the CDK CLI that `make setup` has installed."""
    # Node is in the virtual environment, which need not be active.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    try:
        shown = subprocess.run(  # noqa: S603 - words of ours
            [_CDK, "bootstrap", "--show-template", "--json"],
            env={**os.environ, "PATH": path},
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        ).stdout
        template: dict[str, Any] = json.loads(shown)
    except FileNotFoundError as error:
        raise UsageError(f"there is no CDK CLI at {_CDK}: run `make setup`") from error
    except (subprocess.SubprocessError, ValueError) as error:
        detail = getattr(error, "stderr", b"") or b""
        raise CliError(
            f"the CDK CLI does not show its bootstrap template: {error} {detail.decode().strip()}"
        ) from error
    return template
