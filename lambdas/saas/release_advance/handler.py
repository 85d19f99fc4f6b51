"""Lambda function `release-advance`: one deployment's turn in a ring of a release."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.log import about
from lambdas.common.settings import Document, read_settings
from lambdas.common.task_tokens import StepFunctionsTokens
from lambdas.saas.model.rings import item_of
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.release_advance.advance import Advance, Turn
from lambdas.saas.release_advance.turns import Turns
from lambdas.saas.store.release_statuses import ReleaseStatusTable
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.tables import DeploymentsTable
from lambdas.saas.store.tenant_copies import TenantCopies
from lambdas.saas.store.verdicts import ReleaseVerdicts


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    target_policy: Document
    deployments_table: str
    status_table: str
    releases_table: str
    releases_bucket: str
    pipeline_timeout_minutes: int


@cache
def _turns() -> Turns:
    settings = read_settings(Settings)
    dynamodb, releases = client("dynamodb"), settings.releases_table
    advance = Advance(
        targets=TargetPolicy.from_json(settings.target_policy),
        deployments=DeploymentsTable(client=dynamodb, name=settings.deployments_table),
        statuses=ReleaseStatusTable(client=dynamodb, name=settings.status_table, releases=releases),
        runs=RunsTable(client=dynamodb, name=releases),
        pipelines=TenantCopies(
            s3=client("s3"), codepipeline=client("codepipeline"), releases_bucket=settings.releases_bucket
        ),
        verdicts=ReleaseVerdicts(s3=client("s3"), bucket=settings.releases_bucket, clock=clock.now),
        tokens=StepFunctionsTokens(client=client("stepfunctions")),
        timeout_minutes=settings.pipeline_timeout_minutes,
        clock=clock.now,
    )
    return Turns(advance=advance)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the outcome, empty while the pipeline runs: see `turns`."""
    turn = Turn(run=event["run"], ring=int(event["ring"]), item=item_of(event["item"]), token=event.get("token", ""))
    with about(run=turn.run, deployment=turn.item.id):
        if event["op"] == "give_up":
            return _turns().give_up(turn, event["error"])
        return _turns().take(event["op"], turn)
