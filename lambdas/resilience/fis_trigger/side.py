"""A tenant's account and Region, in a session that may do no more than an attempt needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client_as
from lambdas.common.cross_account import assume
from lambdas.resilience.model.attempt import Attempt, Evidence, Injected, Step
from lambdas.resilience.model.names import ROOM, ResilienceNames
from lambdas.resilience.model.plan import Experiment, RingPlan
from lambdas.resilience.store.experiments import Experiments
from lambdas.resilience.store.probes import Probes

_LOOKS = ("cloudformation:DescribeStacks", "cloudwatch:DescribeAlarms")
_BUILDS = (
    "codebuild:BatchGetBuilds",
    "codebuild:ListBuildsForProject",
    "codebuild:StartBuild",
    "codebuild:StopBuild",
)
_EXPERIMENTS = (
    "fis:CreateExperimentTemplate",
    "fis:DeleteExperimentTemplate",
    "fis:GetExperiment",
    "fis:GetSafetyLever",
    "fis:ListExperimentResolvedTargets",
    "fis:ListExperimentTemplates",
    "fis:ListExperiments",
    "fis:StartExperiment",
    "fis:StopExperiment",
    "fis:TagResource",
    # The first experiment of an account makes FIS's own role.
    "iam:CreateServiceLinkedRole",
    "iam:PassRole",
)


def actions_for(plan: RingPlan) -> tuple[str, ...]:
    """What a session may do for a plan, of what the role may: on what, the role itself says."""
    experiments = _EXPERIMENTS if plan.experiment else ()
    return (*_LOOKS, *experiments, *(_BUILDS if plan.builds else ()))


@dataclass(frozen=True)
class Side:
    """Opens its session when it is first asked for something: addresses alone need none."""

    attempt: Attempt
    names: ResilienceNames
    sts: Any

    def open(self) -> None:
        """Open the session; raises GranaryError when the account does not let it in."""
        _ = self._credentials

    def inject(self, attempt: Attempt, experiment: Experiment) -> str:
        """Start an experiment; its id."""
        return self._experiments.inject(attempt, experiment)

    def status(self, attempt: Attempt) -> Injected:
        """Tell how it is; FIS does not say which alarm has stopped it, or that the safety lever has."""
        state = self._experiments.status(attempt)
        if state.status != "stopped":
            return state
        if ringing := self._probes.ringing(attempt):
            return replace(state, reason=f"{state.reason} In ALARM: {', '.join(ringing)}")
        # What ran when it was pulled is `stopped`, what was started later is `cancelled`: neither tells of the tenant.
        # https://docs.aws.amazon.com/fis/latest/userguide/safety-lever.html
        return replace(state, status="cancelled") if self._experiments.lever_is_engaged() else state

    def undo(self, attempt: Attempt) -> None:
        """Take away what was made for an attempt, if anything was."""
        if attempt.touched and attempt.plan.builds:
            self._probes.stop_builds(attempt)
        elif attempt.touched:
            self._experiments.undo(attempt)

    def look(self, attempt: Attempt, step: Step) -> Sequence[Evidence]:
        """Look at the tenant."""
        return self._probes.look(attempt, step)

    @property
    def _probes(self) -> Probes:
        return Probes(client=self._client, clock=clock.now)

    @cached_property
    def _experiments(self) -> Experiments:
        there = self.attempt
        role = self.names.workload_role_arn("experiment", account=there.account, region=there.region)
        return Experiments(client=self._client("fis"), role=role)

    @cached_property
    def _credentials(self) -> dict[str, str]:
        there = self.attempt
        role = self.names.workload_role_arn("run", account=there.account, region=there.region)
        return dict(
            assume(
                self.sts,
                role,
                session_name=f"{self.names.prefix}-{ROOM}",
                allow=actions_for(there.plan),
                resources=["*"],
                advice=f"{role} cannot be assumed: {self.names.roles_advice(there.account)}",
            )
        )

    def _client(self, service: str) -> Any:
        return client_as(service, region=self.attempt.region, credentials=self._credentials)
