"""Lambda function `sweep`: the schedule, and the event that a release was published."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.errors import UnreadableError
from lambdas.common.metrics import CloudWatchMetrics
from lambdas.saas.model.status import Status
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.store.builds import ProvisioningBuilds
from lambdas.saas.store.lifecycle_machine import LifecycleMachine
from lambdas.saas.store.release_parameter import ReleaseParameter
from lambdas.saas.store.release_starts import ReleaseMachine
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.tables import DeploymentsTable, StatusTable
from lambdas.saas.sweep.catch_up import CatchUp
from lambdas.saas.sweep.executions import ReleaseExecutions
from lambdas.saas.sweep.fleet import fleet_metrics, release_metrics
from lambdas.saas.sweep.release_look import ReleaseLook
from lambdas.saas.sweep.release_seen import see_release
from lambdas.saas.sweep.sweep import Sweep

logger = logging.getLogger(__name__)


def _look(pipeline: str) -> None:
    payload = json.dumps({"detail": {"pipeline": pipeline}}).encode()
    client("lambda").invoke(FunctionName=os.environ["PIPELINE_WATCH_FUNCTION"], InvocationType="Event", Payload=payload)


def _measure(statuses: Collection[Status], unreadable: Collection[str], now: datetime) -> None:
    """What the dashboard shows is not worth a round: a figure that could not be written is there with the next one."""
    env = os.environ
    metrics = CloudWatchMetrics(client=client("cloudwatch"), factory=env["FACTORY"])
    problems, of_release = set(unreadable), []
    try:
        seen = see_release(
            RunsTable(client=client("dynamodb"), name=env["RELEASES_TABLE"]),
            ReleaseParameter(client=client("ssm"), name=env["RELEASE_PARAMETER"]),
        )
        of_release = release_metrics(statuses, seen)
    except UnreadableError as error:
        problems.add(str(error))
        logger.error("%s", error)  # noqa: TRY400 - told, no fault
    except Exception:
        logger.exception("the release could not be measured")
    try:
        metrics.put([*fleet_metrics(statuses, now, unreadable=len(problems)), *of_release], now=now)
    except Exception:
        logger.exception("the fleet's metrics could not be written")


@cache
def _sweep() -> Sweep:
    env = os.environ
    runs = RunsTable(client=client("dynamodb"), name=env["RELEASES_TABLE"])
    executions = ReleaseExecutions(client=client("stepfunctions"), machine_arn=env["RELEASE_MACHINE"])
    machine = ReleaseMachine(client=client("stepfunctions"), machine_arn=env["RELEASE_MACHINE"])
    return Sweep(
        policy=TargetPolicy.from_json(env["TARGET_POLICY"]),
        deployments=DeploymentsTable(client=client("dynamodb"), name=env["DEPLOYMENTS_TABLE"]),
        statuses=StatusTable(client=client("dynamodb"), name=env["STATUS_TABLE"]),
        builds=ProvisioningBuilds(
            client=client("codebuild"), project=env["PROVISIONING_PROJECT"], releases_bucket=env["RELEASES_BUCKET"]
        ),
        releases=ReleaseParameter(client=client("ssm"), name=env["RELEASE_PARAMETER"]),
        lifecycles=LifecycleMachine(client=client("stepfunctions"), machine_arn=env["LIFECYCLE_MACHINE"]),
        look=_look,
        measure=_measure,
        stop_dead_run=ReleaseLook(runs=runs, executions=executions).stop_dead_run,
        catch_up=CatchUp(runs=runs, executions=machine),
        retire_removed=env["ON_ROW_REMOVED"] == "retire",
        max_ids_per_build=int(env["MAX_IDS_PER_BUILD"]),
        clock=clock.now,
    )


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """Answer with the counts of the round."""
    return _sweep().run()
