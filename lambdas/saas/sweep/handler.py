"""Lambda function `sweep`: the schedule, and the event that a release was published."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.builds import ProvisioningBuilds
from lambdas.common.clients import client
from lambdas.common.record import TargetPolicy
from lambdas.common.releases import ReleaseParameter
from lambdas.common.tables import DeploymentsTable, StatusTable
from lambdas.saas.sweep.sweep import Sweep


def _look(pipeline: str) -> None:
    payload = json.dumps({"detail": {"pipeline": pipeline}}).encode()
    client("lambda").invoke(FunctionName=os.environ["PIPELINE_WATCH_FUNCTION"], InvocationType="Event", Payload=payload)


@cache
def _sweep() -> Sweep:
    env = os.environ
    return Sweep(
        policy=TargetPolicy.from_json(env["TARGET_POLICY"]),
        deployments=DeploymentsTable(client=client("dynamodb"), name=env["DEPLOYMENTS_TABLE"]),
        statuses=StatusTable(client=client("dynamodb"), name=env["STATUS_TABLE"]),
        builds=ProvisioningBuilds(
            client=client("codebuild"), project=env["PROVISIONING_PROJECT"], releases_bucket=env["RELEASES_BUCKET"]
        ),
        releases=ReleaseParameter(client=client("ssm"), name=env["RELEASE_PARAMETER"]),
        look=_look,
        max_ids_per_build=int(env["MAX_IDS_PER_BUILD"]),
        clock=clock.now,
    )


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """Answer with the counts of the round."""
    return _sweep().run()
