"""The action at the end of each tenant's Deploy stage: asks saas about the tenant, and answers the job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.probe.model.greeting import greeting

from lambdas.common.clients import client
from lambdas.common.errors import GranaryError
from lambdas.common.pipeline_jobs import answer_job, ask
from lambdas.common.settings import read_settings


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    greeting: str
    refuses: str
    tenants_function: str


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Answer one job."""
    answer_job(event, client("codepipeline"), _greet)


def _greet(given: Mapping[str, Any]) -> str:
    settings = read_settings(Settings)
    question = {"deployment": given["deployment"], "execution": given["execution"]}
    said = greeting(settings.greeting, ask(settings.tenants_function, question, client("lambda")))
    if given["deployment"] in settings.refuses.split(","):
        raise GranaryError(f"refused: {said}")
    return said
