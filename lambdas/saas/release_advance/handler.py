"""Lambda function `release-advance`: one deployment's turn in a ring of a release."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.task_tokens import StepFunctionsTokens
from lambdas.saas.model.rings import item_of
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.release_advance.advance import Advance, Turn
from lambdas.saas.release_advance.turns import Turns
from lambdas.saas.store.release_statuses import ReleaseStatusTable
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.tables import DeploymentsTable
from lambdas.saas.store.tenant_copies import TenantCopies


@cache
def _turns() -> Turns:
    env = os.environ
    dynamodb, releases = client("dynamodb"), env["RELEASES_TABLE"]
    advance = Advance(
        targets=TargetPolicy.from_json(env["TARGET_POLICY"]),
        deployments=DeploymentsTable(client=dynamodb, name=env["DEPLOYMENTS_TABLE"]),
        statuses=ReleaseStatusTable(client=dynamodb, name=env["STATUS_TABLE"], releases=releases),
        runs=RunsTable(client=dynamodb, name=releases),
        pipelines=TenantCopies(
            s3=client("s3"), codepipeline=client("codepipeline"), releases_bucket=env["RELEASES_BUCKET"]
        ),
        tokens=StepFunctionsTokens(client=client("stepfunctions")),
        timeout_minutes=int(env["PIPELINE_TIMEOUT_MINUTES"]),
        clock=clock.now,
    )
    return Turns(advance=advance)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the outcome, empty while the pipeline runs: see `turns`."""
    turn = Turn(run=event["run"], ring=int(event["ring"]), item=item_of(event["item"]), token=event.get("token", ""))
    if event["op"] == "give_up":
        return _turns().give_up(turn, event["error"])
    return _turns().take(event["op"], turn)
