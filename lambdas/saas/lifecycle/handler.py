"""Lambda function `lifecycle`: one step of an execution of the lifecycle machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.clock import moment, stamp
from lambdas.common.log import about
from lambdas.common.settings import Document, read_settings
from lambdas.saas.lifecycle.archives import AccountArchives
from lambdas.saas.lifecycle.build_logs import BuildLogGroups
from lambdas.saas.lifecycle.copies import ReleaseCopies
from lambdas.saas.lifecycle.facts import Memory
from lambdas.saas.lifecycle.goal import Policy
from lambdas.saas.lifecycle.perform import Perform
from lambdas.saas.lifecycle.pipelines import CodePipelines
from lambdas.saas.lifecycle.roles import Roles
from lambdas.saas.lifecycle.stacks import CloudFormationStacks
from lambdas.saas.lifecycle.statuses import LifecycleStatusTable
from lambdas.saas.lifecycle.step import Home, Lifecycle
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.store.builds import ProvisioningBuilds
from lambdas.saas.store.pins import checked_pins
from lambdas.saas.store.release_parameter import ReleaseParameter
from lambdas.saas.store.tables import DeploymentsTable


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed, and its Region."""

    aws_region: str
    prefix: str
    target_policy: Document
    deployments_table: str
    status_table: str
    provisioning_project: str
    releases_bucket: str
    release_parameter: str
    toolchain_account: str
    bootstrap_qualifier: str
    grace_hours: int
    tombstone_days: int
    archive: str
    on_row_removed: str


@cache
def _lifecycle() -> Lifecycle:
    settings = read_settings(Settings)
    releases = ReleaseParameter(client=client("ssm"), name=settings.release_parameter)
    roles = Roles(sts=client("sts"), qualifier=settings.bootstrap_qualifier, prefix=settings.prefix)
    return Lifecycle(
        deployments=DeploymentsTable(client=client("dynamodb"), name=settings.deployments_table),
        perform=Perform(
            statuses=LifecycleStatusTable(client=client("dynamodb"), name=settings.status_table),
            pipelines=CodePipelines(client=client("codepipeline")),
            stacks=CloudFormationStacks(roles=roles),
            archives=AccountArchives(roles=roles),
            copies=ReleaseCopies(s3=client("s3"), bucket=settings.releases_bucket, releases=releases),
            logs=BuildLogGroups(client=client("logs"), names=SaasNames(prefix=settings.prefix)),
            prefix=settings.prefix,
        ),
        builds=ProvisioningBuilds(
            client=client("codebuild"), project=settings.provisioning_project, releases_bucket=settings.releases_bucket
        ),
        pins=checked_pins(client("s3"), bucket=settings.releases_bucket, releases=releases, clock=clock.now),
        targets=TargetPolicy.from_json(settings.target_policy),
        policy=Policy(
            grace=timedelta(hours=settings.grace_hours),
            tombstone=timedelta(days=settings.tombstone_days),
            archive=settings.archive,
            on_row_removed=settings.on_row_removed,
        ),
        home=Home(account=settings.toolchain_account, region=settings.aws_region),
        clock=clock.now,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the machine's next state: whether it is over, the seconds to wait, and what it remembers.

    The event has the machine's `execution` and when it `started`, and its `state`: the input of the execution, later
    the last answer.
    """
    state = event["state"]
    with about(deployment=state["id"], execution=event["execution"]):
        answer = _lifecycle().step(
            state["id"],
            execution=event["execution"],
            started=stamp(moment(event["started"])),
            memory=Memory.from_event(state),
        )
    return {"id": state["id"], "done": answer.done, "seconds": answer.seconds, **answer.memory.to_event()}
