"""`execution-policy`: what CloudFormation may do in workload accounts; calls nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cli.common.errors import NotFoundError, UsageError
from cli.common.output import Output
from cli.saas.session import SaasSession
from config.loader import CONFIG_DIR
from lambdas.common.names import execution_policy_name
from stacks.common.execution_policy import execution_policies

# In a configuration's own folder, else in the source's: examples have none.
_FILE = Path("policies") / "workload-execution.json"


def policy_file(session: SaasSession) -> Path:
    """Where the policy is kept, without what the configuration adds."""
    own = session.directory / _FILE
    return own if own.exists() else CONFIG_DIR / _FILE


def additions(session: SaasSession) -> dict[str, Any]:
    """What the configuration adds to the file's statements, as `execution_policies` takes it."""
    workloads = session.configuration.workloads
    return {"boundary": workloads.permissions_boundary or "", "parameters": workloads.place.parameters}


def published(session: SaasSession) -> list[dict[str, Any]]:
    """The managed policies as this configuration wants them published: one, or more when it is too long for one.

    Raises:
        UsageError: the file cannot be read.
    """
    file = policy_file(session)
    try:
        return execution_policies(json.loads(file.read_text(encoding="utf-8")), **additions(session))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(f"{file} is no policy: {error!r}: take back what was changed there") from error


def show_execution_policy(session: SaasSession, output: Output, *, part: int) -> None:
    """Write the policy as JSON, or one part of it."""
    found = published(session)
    names = [execution_policy_name(number) for number, _ in enumerate(found, 1)]
    if part > len(found):
        raise NotFoundError(f"the execution policy has no part {part}: it has {len(found)}")
    if not part and len(found) > 1:
        raise UsageError(
            f"the execution policy is too long for one managed policy: publish {', '.join(names)} with --part 1 to "
            f"--part {len(found)}, and bootstrap with the template that names them all"
        )
    output.data(found[max(part, 1) - 1])
