"""Lambda function `lifecycle`: one step of an execution of the lifecycle machine."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.clock import moment, stamp
from lambdas.saas.lifecycle.archives import AccountArchives
from lambdas.saas.lifecycle.build_logs import BuildLogGroups
from lambdas.saas.lifecycle.copies import ReleaseCopies
from lambdas.saas.lifecycle.facts import Memory
from lambdas.saas.lifecycle.goal import Policy
from lambdas.saas.lifecycle.pipelines import CodePipelines
from lambdas.saas.lifecycle.roles import Roles
from lambdas.saas.lifecycle.stacks import CloudFormationStacks
from lambdas.saas.lifecycle.statuses import LifecycleStatusTable
from lambdas.saas.lifecycle.step import Home, Lifecycle
from lambdas.saas.model.names import SaasNames
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.store.release_parameter import ReleaseParameter
from lambdas.saas.store.tables import DeploymentsTable


@cache
def _lifecycle() -> Lifecycle:
    env = os.environ
    roles = Roles(sts=client("sts"), qualifier=env["BOOTSTRAP_QUALIFIER"], prefix=env["PREFIX"])
    return Lifecycle(
        deployments=DeploymentsTable(client=client("dynamodb"), name=env["DEPLOYMENTS_TABLE"]),
        statuses=LifecycleStatusTable(client=client("dynamodb"), name=env["STATUS_TABLE"]),
        pipelines=CodePipelines(client=client("codepipeline")),
        stacks=CloudFormationStacks(roles=roles),
        archives=AccountArchives(roles=roles),
        copies=ReleaseCopies(
            s3=client("s3"),
            bucket=env["RELEASES_BUCKET"],
            releases=ReleaseParameter(client=client("ssm"), name=env["RELEASE_PARAMETER"]),
        ),
        logs=BuildLogGroups(client=client("logs"), names=SaasNames(prefix=env["PREFIX"])),
        targets=TargetPolicy.from_json(env["TARGET_POLICY"]),
        policy=Policy(
            grace=timedelta(hours=int(env["GRACE_HOURS"])),
            tombstone=timedelta(days=int(env["TOMBSTONE_DAYS"])),
            archive=env["ARCHIVE"],
            on_row_removed=env["ON_ROW_REMOVED"],
        ),
        home=Home(account=env["TOOLCHAIN_ACCOUNT"], region=env["AWS_REGION"]),
        prefix=env["PREFIX"],
        clock=clock.now,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the machine's next state: whether it is over, the seconds to wait, and what it remembers.

    The event has the machine's `execution` and when it `started`, and its `state`: the input of the execution, later
    the last answer.
    """
    state = event["state"]
    answer = _lifecycle().step(
        state["id"],
        execution=event["execution"],
        started=stamp(moment(event["started"])),
        memory=Memory.from_event(state),
    )
    return {"id": state["id"], "done": answer.done, "seconds": answer.seconds, **answer.memory.to_event()}
