"""`execution-policy`: what CloudFormation may do in workload accounts; calls nothing."""

from __future__ import annotations

import json

from cli.common.output import Output
from cli.saas.session import SaasSession
from config.loader import CONFIG_DIR
from stacks.common.execution_policy import execution_policy

_FILE = CONFIG_DIR / "policies" / "workload-execution.json"


def show_execution_policy(session: SaasSession, output: Output) -> None:
    """Write the policy as this configuration wants it published, as JSON."""
    workloads = session.configuration.workloads
    output.data(
        execution_policy(
            json.loads(_FILE.read_text(encoding="utf-8")),
            boundary=workloads.permissions_boundary or "",
            parameters=workloads.place.parameters,
        )
    )
