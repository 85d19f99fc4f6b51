"""Lambda function `onboard`: the deployments table's stream."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.onboard.onboarding import Onboarding
from lambdas.saas.onboard.plan import Look
from lambdas.saas.store.builds import ProvisioningBuilds
from lambdas.saas.store.lifecycle_machine import LifecycleMachine
from lambdas.saas.store.release_parameter import ReleaseParameter
from lambdas.saas.store.tables import DeploymentsTable, StatusTable


def _dead_letter(look: Look, reason: str) -> None:
    body = {"id": look.id, "sequence": look.sequence, "event": look.event, "reason": reason}
    client("sqs").send_message(QueueUrl=os.environ["DEAD_LETTER_QUEUE_URL"], MessageBody=json.dumps(body))


@cache
def _onboarding() -> Onboarding:
    env = os.environ
    return Onboarding(
        policy=TargetPolicy.from_json(env["TARGET_POLICY"]),
        deployments=DeploymentsTable(client=client("dynamodb"), name=env["DEPLOYMENTS_TABLE"]),
        statuses=StatusTable(client=client("dynamodb"), name=env["STATUS_TABLE"]),
        builds=ProvisioningBuilds(
            client=client("codebuild"), project=env["PROVISIONING_PROJECT"], releases_bucket=env["RELEASES_BUCKET"]
        ),
        releases=ReleaseParameter(client=client("ssm"), name=env["RELEASE_PARAMETER"]),
        lifecycles=LifecycleMachine(client=client("stepfunctions"), machine_arn=env["LIFECYCLE_MACHINE"]),
        retire_removed=env["ON_ROW_REMOVED"] == "retire",
        max_ids_per_build=int(env["MAX_IDS_PER_BUILD"]),
        dead_letter=_dead_letter,
        clock=clock.now,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the records to deliver again (ReportBatchItemFailures)."""
    again = _onboarding().handle(event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in again]}
