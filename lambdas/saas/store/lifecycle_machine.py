"""Starting the state machine that suspends, brings back, retires, and clears up after a move."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common.aws_errors import ignoring

# Names of executions have at most 80 characters, an id at most 40; a machine remembers a name for 90 days.
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
_TOKEN_LENGTH = 20


class Lifecycles(Protocol):
    """Port to the lifecycle machine; the same id and token are the same execution."""

    def start(self, deployment_id: str, *, token: str, counted: bool = False) -> None: ...


@dataclass(frozen=True, kw_only=True)
class LifecycleMachine:
    """The lifecycle machine in Step Functions."""

    client: Any
    machine_arn: str

    def start(self, deployment_id: str, *, token: str, counted: bool = False) -> None:
        """Have the machine look at a deployment; `token` is made of letters, digits, `-` and `_`.

        What is to be done the machine reads itself, so that a start too many does no harm. Only where the row is gone,
        and the sweep has `counted` that, it begins a retirement for it.
        """
        with ignoring("ExecutionAlreadyExists"):
            self.client.start_execution(
                stateMachineArn=self.machine_arn,
                name=f"{deployment_id}-{token[:_TOKEN_LENGTH]}",
                input=json.dumps({"id": deployment_id} | ({"counted": True} if counted else {})),
            )
