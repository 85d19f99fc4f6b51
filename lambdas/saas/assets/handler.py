"""Lambda function `assets`: jobs of tenants' pipelines, which have the assets of their components published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.log import about
from lambdas.common.pipeline_jobs import Later, answer_job
from lambdas.common.settings import read_settings
from lambdas.saas.assets.listing import assets_of
from lambdas.saas.assets.places import Places
from lambdas.saas.assets.publishing import PublishingBuilds
from lambdas.saas.assets.work import Asked, Work
from lambdas.saas.model.asking import asker
from lambdas.saas.model.assets import Asset
from lambdas.saas.model.names import SaasNames
from lambdas.saas.store.asset_claims import AssetClaimsTable
from lambdas.saas.store.job_assembly import assembly_of, place_of


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed, and its Region."""

    aws_region: str
    prefix: str
    releases_table: str
    publisher: str
    patience_minutes: int


@cache
def _work() -> Work:
    settings = read_settings(Settings)
    names = SaasNames(prefix=settings.prefix)
    places = Places(sts=client("sts"), publisher=settings.publisher, session_name=names.assets_function)
    return Work(
        claims=AssetClaimsTable(client=client("dynamodb"), name=settings.releases_table),
        builds=PublishingBuilds(client=client("codebuild"), logs=client("logs"), project=names.assets_project),
        missing=places.missing,
        patience=timedelta(minutes=settings.patience_minutes),
        clock=clock.now,
    )


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Take a job; what came of it is told to CodePipeline."""
    data = event["CodePipeline.job"]["data"]

    def work(given: Mapping[str, Any]) -> str | Later:
        with about(deployment=given.get("deployment", ""), execution=given.get("execution", "")):
            asked = Asked.of_parameters(given, location="/".join(place_of(data)))
            return _work().job(asked, partial(_listed, asked, data), token=data.get("continuationToken", ""))

    answer_job(event, client("codepipeline"), work, asker=asker)


def _listed(asked: Asked, data: Mapping[str, Any]) -> list[Asset]:
    with assembly_of(data, region=read_settings(Settings).aws_region) as assembly:
        return assets_of(asked.pipeline, assembly)
