"""Starting a run of a release: the name of its execution is taken for 90 days, whatever has become of it.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.common.aws_errors import ignoring
from lambdas.common.errors import GranaryError
from lambdas.common.versioned_json import plain
from lambdas.saas.model.lineage import KnowsRuns
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import BROKEN, Run, RunState, resumed_name

# More than break one after the other before somebody looks why.
NAMES_LIMIT = 50


class ReleaseExecutions(Protocol):
    """Port to the executions of the release machine; each bears the name of its run."""

    def start(self, name: str, given: Mapping[str, Any]) -> bool: ...
    def status(self, name: str) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Started:
    """The run that was asked for; not `new` if it was started before, and its execution is over or has other input."""

    name: str
    new: bool


def is_it(status: str, *, in_force: bool, resumes: str, run: Run | None) -> bool:
    """Whether an execution whose name is taken is the run that is asked for, so that no further one is started.

    `status` is the execution's; empty when Step Functions does not know it yet. One that came to nothing is not, unless
    its run is in force: then that run can be resumed. A run that was to go on with another and was refused is neither.
    """
    refused = bool(resumes) and run is not None and run.state == RunState.SUPERSEDED
    return in_force or (status not in BROKEN and not refused)


def start_run(
    executions: ReleaseExecutions,
    name: str,
    *,
    release: Release,
    resumes: str = "",
    catch_up: bool = False,
    everyone: bool = False,
    runs: KnowsRuns | None = None,
    tries: int = NAMES_LIMIT,
) -> Started:
    """Start a run as `name`, or under the next name that is free when that one came to nothing; safe to repeat.

    `resumes` is the run that it goes on with, `catch_up` that it only takes up who was left behind, `everyone` that
    it takes up those too who have the same of another release. Without `runs`, the
    executions alone decide.

    Raises:
        GranaryError: so many runs came to nothing.
    """
    given: dict[str, Any] = {"release": plain(release), "resumes": resumes}
    if catch_up:
        given["catch_up"] = True
    if everyone:
        given["everyone"] = True
    chosen = name
    for _ in range(tries):
        if executions.start(chosen, given):
            return Started(name=chosen, new=True)
        in_force, run = (runs.current() == chosen, runs.run(chosen)) if runs else (False, None)
        if is_it(executions.status(chosen), in_force=in_force, resumes=resumes, run=run):
            return Started(name=chosen, new=False)
        chosen = resumed_name(chosen)
    raise GranaryError(
        f"{tries} runs of release {release.revision} came to nothing, {name} and those after it: the executions of the "
        "release machine and the log of its function `release` say why; remove the cause and publish a newer release"
    )


@dataclass(frozen=True, kw_only=True)
class ReleaseMachine:
    """The release machine in Step Functions."""

    client: Any
    machine_arn: str

    def start(self, name: str, given: Mapping[str, Any]) -> bool:
        """Start an execution; False when its name is taken. One that still runs, with the same input, counts as new."""
        with ignoring("ExecutionAlreadyExists"):
            self.client.start_execution(stateMachineArn=self.machine_arn, name=name, input=json.dumps(given))
            return True
        return False

    def status(self, name: str) -> str:
        """Status of an execution; empty when Step Functions knows none, which one of just now may be."""
        # Without its data, which would need the key.
        return str(self.described(name, includedData="METADATA_ONLY").get("status", ""))

    def arn(self, name: str) -> str:
        """ARN of an execution."""
        return f"{self.machine_arn.replace(':stateMachine:', ':execution:')}:{name}"

    def described(self, name: str, **more: str) -> Mapping[str, Any]:
        """What Step Functions knows of an execution; nothing when it knows none."""
        with ignoring("ExecutionDoesNotExist"):
            found: Mapping[str, Any] = self.client.describe_execution(executionArn=self.arn(name), **more)
            return found
        return {}
