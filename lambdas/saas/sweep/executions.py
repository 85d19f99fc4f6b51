"""The executions of the release machine, as far as the sweep needs them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from lambdas.saas.store.release_starts import execution_arn
from lambdas.saas.sweep.dead_run import Execution


class Executions(Protocol):
    """Port to the executions of the release machine; each bears the name of its run."""

    def look(self, run: str) -> Execution: ...


@dataclass(frozen=True, kw_only=True)
class ReleaseExecutions:
    """The executions that Step Functions remembers: those that ended within 90 days."""

    client: Any
    machine_arn: str

    def look(self, run: str) -> Execution:
        """Read the execution of a run."""
        arn = execution_arn(self.machine_arn, run)
        try:
            found = self.client.describe_execution(executionArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            return Execution(arn=arn)
        return Execution(
            arn=arn,
            status=found["status"],
            error=found.get("error", ""),
            cause=found.get("cause", ""),
            given=_object(found.get("input", "")),
        )


def _object(text: str) -> dict[str, Any]:
    """Whoever starts a machine by hand may give it anything."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
