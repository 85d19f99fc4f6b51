"""Lambda function `onboard`: the deployments table's stream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.settings import Document, read_settings
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.onboard.onboarding import Onboarding
from lambdas.saas.onboard.plan import Look
from lambdas.saas.store.builds import ProvisioningBuilds
from lambdas.saas.store.lifecycle_machine import LifecycleMachine
from lambdas.saas.store.pins import checked_pins
from lambdas.saas.store.release_parameter import ReleaseParameter
from lambdas.saas.store.tables import DeploymentsTable, StatusTable


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    target_policy: Document
    deployments_table: str
    status_table: str
    provisioning_project: str
    releases_bucket: str
    release_parameter: str
    lifecycle_machine: str
    max_ids_per_build: int
    dead_letter_queue_url: str


def _dead_letter(look: Look, reason: str) -> None:
    body = {"id": look.id, "sequence": look.sequence, "event": look.event, "reason": reason}
    client("sqs").send_message(QueueUrl=read_settings(Settings).dead_letter_queue_url, MessageBody=json.dumps(body))


@cache
def _onboarding() -> Onboarding:
    settings = read_settings(Settings)
    releases = ReleaseParameter(client=client("ssm"), name=settings.release_parameter)
    return Onboarding(
        policy=TargetPolicy.from_json(settings.target_policy),
        deployments=DeploymentsTable(client=client("dynamodb"), name=settings.deployments_table),
        statuses=StatusTable(client=client("dynamodb"), name=settings.status_table),
        builds=ProvisioningBuilds(
            client=client("codebuild"), project=settings.provisioning_project, releases_bucket=settings.releases_bucket
        ),
        releases=releases,
        pins=checked_pins(client("s3"), bucket=settings.releases_bucket, releases=releases, clock=clock.now),
        lifecycles=LifecycleMachine(client=client("stepfunctions"), machine_arn=settings.lifecycle_machine),
        max_ids_per_build=settings.max_ids_per_build,
        dead_letter=_dead_letter,
        clock=clock.now,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the records to deliver again (ReportBatchItemFailures)."""
    again = _onboarding().handle(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in again]}
