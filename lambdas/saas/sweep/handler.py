"""Lambda function `sweep`: the schedule, and the event that a release was published."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.errors import UnreadableError
from lambdas.common.metrics import CloudWatchMetrics
from lambdas.common.settings import Document, read_settings
from lambdas.saas.model.status import Status
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.store.builds import ProvisioningBuilds
from lambdas.saas.store.lifecycle_machine import LifecycleMachine
from lambdas.saas.store.pins import checked_pins
from lambdas.saas.store.release_parameter import ReleaseParameter
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.standing_pipelines import standing_pipelines
from lambdas.saas.store.tables import DeploymentsTable, StatusTable
from lambdas.saas.sweep.brake import Brake
from lambdas.saas.sweep.catch_up import CatchUp
from lambdas.saas.sweep.executions import WatchedReleaseMachine
from lambdas.saas.sweep.fleet import fleet_metrics, release_metrics
from lambdas.saas.sweep.release_look import ReleaseLook
from lambdas.saas.sweep.release_seen import see_release
from lambdas.saas.sweep.sweep import Sweep

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    target_policy: Document
    factory: str
    deployments_table: str
    status_table: str
    releases_table: str
    provisioning_project: str
    releases_bucket: str
    release_parameter: str
    lifecycle_machine: str
    release_machine: str
    pipeline_watch_function: str
    max_ids_per_build: int
    on_row_removed: str
    max_removed_percent: int


def _look(pipeline: str) -> None:
    payload = json.dumps({"detail": {"pipeline": pipeline}}).encode()
    function = read_settings(Settings).pipeline_watch_function
    client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=payload)


def _measure(statuses: Collection[Status], unreadable: Collection[str], now: datetime, held: int = 0) -> None:
    """What the dashboard shows is not worth a round: a figure that could not be written is there with the next one."""
    settings = read_settings(Settings)
    metrics = CloudWatchMetrics(client=client("cloudwatch"), factory=settings.factory)
    problems, of_release = set(unreadable), []
    try:
        seen = see_release(
            RunsTable(client=client("dynamodb"), name=settings.releases_table),
            ReleaseParameter(client=client("ssm"), name=settings.release_parameter),
            statuses,
        )
        of_release = release_metrics(statuses, seen)
    except UnreadableError as error:
        problems.add(str(error))
        logger.error("%s", error)  # noqa: TRY400 - told, no fault
    except Exception:
        logger.exception("the release could not be measured")
    try:
        metrics.put([*fleet_metrics(statuses, now, unreadable=len(problems), held=held), *of_release], now=now)
    except Exception:
        logger.exception("the fleet's metrics could not be written")


@cache
def _sweep() -> Sweep:
    settings = read_settings(Settings)
    runs = RunsTable(client=client("dynamodb"), name=settings.releases_table)
    releases = ReleaseParameter(client=client("ssm"), name=settings.release_parameter, kept=runs.release)
    machine = WatchedReleaseMachine(client=client("stepfunctions"), machine_arn=settings.release_machine)
    return Sweep(
        policy=TargetPolicy.from_json(settings.target_policy),
        deployments=DeploymentsTable(client=client("dynamodb"), name=settings.deployments_table),
        statuses=StatusTable(client=client("dynamodb"), name=settings.status_table),
        builds=ProvisioningBuilds(
            client=client("codebuild"), project=settings.provisioning_project, releases_bucket=settings.releases_bucket
        ),
        releases=releases,
        pins=checked_pins(client("s3"), bucket=settings.releases_bucket, releases=releases, clock=clock.now),
        lifecycles=LifecycleMachine(client=client("stepfunctions"), machine_arn=settings.lifecycle_machine),
        pipelines=partial(standing_pipelines, client("codepipeline")),
        look=_look,
        measure=_measure,
        stop_dead_run=ReleaseLook(runs=runs, executions=machine).stop_dead_run,
        catch_up=CatchUp(runs=runs, executions=machine),
        retire_removed=settings.on_row_removed == "retire",
        brake=Brake(percent=settings.max_removed_percent),
        max_ids_per_build=settings.max_ids_per_build,
        clock=clock.now,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Answer with the counts of the round; it fails, for the alarm, when something of it has failed.

    A person may say with `retire_removed` how many removed rows may retire.
    """
    sweep, confirmed = _sweep(), event.get("retire_removed")
    if type(confirmed) is int:
        sweep = replace(sweep, brake=replace(sweep.brake, confirmed=confirmed))
    return sweep.run()
