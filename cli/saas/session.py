"""What a command about tenants works with besides: the tables, the machines and the policies."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from cli.common.session import Session
from config.policy import release_policy, target_policy
from lambdas.common import clock
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.rings import ReleasePolicy
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.store.lifecycle_machine import LifecycleMachine
from lambdas.saas.store.pins import CheckedPins, checked_pins
from lambdas.saas.store.release_parameter import ReleaseParameter
from lambdas.saas.store.standing_pipelines import standing_pipelines
from lambdas.saas.store.tables import DeploymentsTable, StatusTable


class SaasSession(Session):
    """A factory with its tenants."""

    @property
    def names(self) -> SaasNames:
        return SaasNames(prefix=self.configuration.toolchain.prefix)

    @property
    def policy(self) -> TargetPolicy:
        return target_policy(self.configuration)

    @property
    def release_policy(self) -> ReleasePolicy:
        return release_policy(self.configuration)

    @cached_property
    def deployments(self) -> DeploymentsTable:
        return DeploymentsTable(client=self.client("dynamodb"), name=self.names.deployments_table)

    @cached_property
    def statuses(self) -> StatusTable:
        return StatusTable(client=self.client("dynamodb"), name=self.names.status_table)

    @cached_property
    def pins(self) -> CheckedPins:
        bucket = self.names.releases_bucket(self.account, self.region)
        releases = ReleaseParameter(client=self.client("ssm"), name=self.names.release_parameter)
        return checked_pins(self.client("s3"), bucket=bucket, releases=releases, clock=clock.now).remembering()

    def why_no_pin(self, revision: str, needs: int) -> str:
        """Why no deployment may be placed at a release; who asks about rows that pin nothing needs no client for it."""
        return self.pins.why_not(revision, needs)

    def pipelines(self) -> Collection[str]:
        """The names of the pipelines that there are."""
        return standing_pipelines(self.client("codepipeline"))

    @cached_property
    def lifecycles(self) -> LifecycleMachine:
        arn = self.machine_arn(self.names.lifecycle_machine)
        return LifecycleMachine(client=self.client("stepfunctions"), machine_arn=arn)
