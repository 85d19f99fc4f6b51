"""Lambda function `fis_trigger`: jobs of tenants' pipelines, dry runs by hand, stops of executions, and its sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.errors import GranaryError
from lambdas.common.log import about
from lambdas.common.pipeline_jobs import Later, answer_job, ask, fail_job, pass_job
from lambdas.common.settings import Document, read_settings
from lambdas.resilience.fis_trigger.endings import Endings
from lambdas.resilience.fis_trigger.home import AtHome
from lambdas.resilience.fis_trigger.side import Side
from lambdas.resilience.fis_trigger.trying import Trying
from lambdas.resilience.fis_trigger.turns import Said, Turns
from lambdas.resilience.model.attempt import Attempt
from lambdas.resilience.model.names import ResilienceNames
from lambdas.resilience.model.plan import Chaos
from lambdas.resilience.store.attempts import AttemptsTable


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    chaos: Document
    prefix: str
    releases_bucket: str
    pipeline_timeout_minutes: int


def _ask(question: Mapping[str, Any]) -> dict[str, Any]:
    return ask(ResilienceNames(prefix=read_settings(Settings).prefix).tenants_function, question, client("lambda"))


@cache
def _trying() -> Trying:
    settings = read_settings(Settings)
    names = ResilienceNames(prefix=settings.prefix)
    return Trying(
        attempts=AttemptsTable(client=client("dynamodb"), table=names.attempts_table),
        side=lambda attempt: Side(attempt, names, client("sts")),
        home=AtHome(s3=client("s3"), bucket=settings.releases_bucket, events=client("events"), names=names),
        clock=clock.now,
    )


@cache
def _turns() -> Turns:
    settings = read_settings(Settings)
    chaos, minutes = Chaos.from_json(settings.chaos), settings.pipeline_timeout_minutes
    return Turns(trying=_trying(), chaos=chaos, ask=_ask, timeout_minutes=minutes, clock=clock.now)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any] | None:
    """Take whatever comes; a dry run is answered, and what came of a job is told to CodePipeline."""
    if "CodePipeline.job" in event:
        _job(event)
        return None
    if "dry_run" in event:
        return _dry_run(event["dry_run"])
    endings = Endings(trying=_trying(), ask=_ask, answer=_answer, clock=clock.now)
    if event.get("source") == "aws.codepipeline":
        detail = event["detail"]
        endings.stopped(detail["execution-id"], detail["state"])
    else:
        endings.sweep()
    return None


def _job(event: Mapping[str, Any]) -> None:
    job, said = event["CodePipeline.job"], list[Said]()

    def work(given: Mapping[str, Any]) -> str | Later:
        token = job["data"].get("continuationToken") or ""
        with about(deployment=given["deployment"], execution=given["execution"]):
            said.append(_turns().job(given, job=job["id"], token=token))
        return _answer_of(said[0])

    if answer_job(event, client("codepipeline"), work) and said and said[0].attempt:
        _turns().free(said[0].attempt)


def _dry_run(given: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a round: `token` to ask again with, or `said` and whether it passed; an error is `said`, too."""
    try:
        said = _turns().dry_run(
            str(given["deployment"]),
            str(given["experiment"]),
            attempt=str(given["attempt"]),
            token=str(given.get("token", "")),
        )
    except GranaryError as error:
        return {"said": str(error), "passes": False}
    if isinstance(said.answer, Later):
        return {"token": said.answer.token}
    if said.attempt:
        _turns().free(said.attempt)
    return {"said": said.answer, "passes": said.passes}


def _answer_of(said: Said) -> str | Later:
    if not said.passes:
        raise GranaryError(str(said.answer))
    return said.answer


def _answer(attempt: Attempt) -> None:
    if attempt.job:
        answer = pass_job if attempt.passes else fail_job
        answer(client("codepipeline"), attempt.job, attempt.said)
