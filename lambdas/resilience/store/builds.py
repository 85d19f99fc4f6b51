"""Builds of CodeBuild that validate a tenant, in its account and Region: an attempt has one of each project.

It is found again by a variable that names the attempt: nothing depends on somebody having noted its id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from lambdas.common.aws_errors import code_of
from lambdas.common.clock import stamp
from lambdas.common.console import build_url
from lambdas.common.errors import GranaryError
from lambdas.common.evidence.verdict import Outcome
from lambdas.resilience.model.attempt import Attempt, Evidence, Step
from lambdas.resilience.model.names import ATTEMPT_VARIABLE
from lambdas.resilience.model.plan import Probe, filled
from lambdas.resilience.model.template import words_of

_GOES_ON = "IN_PROGRESS"
_SUCCEEDED = "SUCCEEDED"
# Of what was stopped, or what CodeBuild itself has broken, nothing is known.
_OUTCOMES = {_SUCCEEDED: Outcome.PASS, "FAILED": Outcome.FAIL, "TIMED_OUT": Outcome.FAIL}
# Tags decide who may look, and what is not there has none.
_NO_PROJECT = ("AccessDeniedException", "ResourceNotFoundException")


@dataclass(frozen=True, kw_only=True)
class Builds:
    """`client` is CodeBuild's, of the tenant's account and Region."""

    client: Any
    clock: Callable[[], datetime]

    def look(self, attempt: Attempt, probe: Probe, step: Step) -> Evidence:
        """How the attempt's build is, which is begun by the first look.

        Raises:
            GranaryError: there is no such project.
        """
        try:
            build = next(iter(self._of(attempt, probe)), None) or self._started(attempt, probe)
        except ClientError as error:
            if code_of(error) not in _NO_PROJECT:
                raise
            raise GranaryError(
                f"{_project(attempt, probe)} of probe {probe.name} cannot be built: the component brings that project, "
                f"with the tag granary:deployment, and the administrator the role that builds it: {error}"
            ) from error
        status = str(build["buildStatus"])
        return Evidence(
            step=step,
            probe=probe.name,
            outcome=_OUTCOMES.get(status, Outcome.INCONCLUSIVE),
            value=f"build {build['id']} is {status}: {build_url(build['id'], region=attempt.region)}",
            threshold=_SUCCEEDED,
            samples=int(status != _GOES_ON),
            at=stamp(self.clock()),
        )

    def stop(self, attempt: Attempt, probe: Probe) -> None:
        """Stop the attempt's builds; where nobody may look there are none, for that comes before one begins."""
        try:
            builds = self._of(attempt, probe)
        except ClientError as error:
            if code_of(error) not in _NO_PROJECT:
                raise
            return
        for build in builds:
            if build["buildStatus"] == _GOES_ON:
                self.client.stop_build(id=build["id"])

    def _of(self, attempt: Attempt, probe: Probe) -> list[dict[str, Any]]:
        found = self.client.list_builds_for_project(projectName=_project(attempt, probe), sortOrder="DESCENDING")
        builds = self.client.batch_get_builds(ids=found["ids"])["builds"] if found["ids"] else []
        return [one for one in builds if attempt.id in _variables(one)]

    def _started(self, attempt: Attempt, probe: Probe) -> dict[str, Any]:
        started: dict[str, Any] = self.client.start_build(
            projectName=_project(attempt, probe),
            # Of five minutes; what was begun before that is in the list.
            idempotencyToken=f"{attempt.id}-{probe.name}",
            environmentVariablesOverride=[{"name": ATTEMPT_VARIABLE, "value": attempt.id, "type": "PLAINTEXT"}],
        )["build"]
        return started


def _project(attempt: Attempt, probe: Probe) -> str:
    return filled(probe.build, words_of(attempt))


def _variables(build: dict[str, Any]) -> list[str]:
    known = build.get("environment", {}).get("environmentVariables", ())
    return [str(one["value"]) for one in known if one["name"] == ATTEMPT_VARIABLE]
