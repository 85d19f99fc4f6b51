"""Lambda function `release`: the steps of the release state machine that concern a run as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.errors import GranaryError
from lambdas.common.log import about
from lambdas.common.proven_names import proven_name
from lambdas.common.settings import Document, read_settings
from lambdas.common.task_tokens import StepFunctionsTokens
from lambdas.saas.model.rings import ReleasePolicy
from lambdas.saas.model.runs import RunState, never_begun
from lambdas.saas.model.target_policy import TargetPolicy
from lambdas.saas.release.alarms import CloudWatchAlarms
from lambdas.saas.release.answers import PROOF, read_answer, words_of
from lambdas.saas.release.begin import Asked, Beginning, release_of
from lambdas.saas.release.build_places import QuotaOfBuilds
from lambdas.saas.release.decide import Done
from lambdas.saas.release.progress import Progress
from lambdas.saas.release.shelf import ReleaseShelf
from lambdas.saas.store.release_statuses import ReleaseStatusTable
from lambdas.saas.store.runs_table import RunsTable
from lambdas.saas.store.standing_pipelines import standing_pipelines
from lambdas.saas.store.tables import DeploymentsTable
from lambdas.saas.store.verdicts import ReleaseVerdicts

_CAUSE_SHOWN = 1_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    release_policy: Document
    target_policy: Document
    deployments_table: str
    status_table: str
    releases_table: str
    releases_bucket: str
    release_parameter: str


@cache
def _runs() -> RunsTable:
    return RunsTable(client=client("dynamodb"), name=read_settings(Settings).releases_table)


@cache
def _statuses() -> ReleaseStatusTable:
    settings = read_settings(Settings)
    return ReleaseStatusTable(client=client("dynamodb"), name=settings.status_table, releases=settings.releases_table)


@cache
def _tokens() -> StepFunctionsTokens:
    return StepFunctionsTokens(client=client("stepfunctions"))


@cache
def _shelf() -> ReleaseShelf:
    settings = read_settings(Settings)
    return ReleaseShelf(
        s3=client("s3"), ssm=client("ssm"), bucket=settings.releases_bucket, parameter=settings.release_parameter
    )


@cache
def _verdicts() -> ReleaseVerdicts:
    return ReleaseVerdicts(s3=client("s3"), bucket=read_settings(Settings).releases_bucket, clock=clock.now)


@cache
def _beginning() -> Beginning:
    settings = read_settings(Settings)
    return Beginning(
        policy=ReleasePolicy.from_json(settings.release_policy),
        targets=TargetPolicy.from_json(settings.target_policy),
        deployments=DeploymentsTable(client=client("dynamodb"), name=settings.deployments_table),
        statuses=_statuses(),
        runs=_runs(),
        shelf=_shelf(),
        verdicts=_verdicts(),
        tokens=_tokens(),
        places=QuotaOfBuilds(client=client("service-quotas")),
        pipelines=partial(standing_pipelines, client("codepipeline")),
        clock=clock.now,
    )


@cache
def _progress() -> Progress:
    return Progress(
        runs=_runs(),
        statuses=_statuses(),
        shelf=_shelf(),
        alarms=CloudWatchAlarms(client=client("cloudwatch")),
        verdicts=_verdicts(),
        clock=clock.now,
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, object]:
    """Answer with what the state machine does next: see `progress`."""
    with about(run=event["run"]):
        return _operate(event["run"], event, context)


def _operate(run: str, event: Mapping[str, Any], context: Any) -> dict[str, object]:
    match event["op"]:
        case "begin":
            release = release_of(event["release"])
            _beginning().begin(
                run,
                release=release,
                resumes=event["resumes"],
                execution=event["execution"],
                asked=Asked.of(event),
            )
            return {"action": "begin", "ring": -1, "answer": {}}
        case "next":
            ring, answer = int(event["ring"]), event["answer"]

            def whose() -> str:
                said = words_of(run, ring, answer)
                return proven_name(said, answer.get(PROOF), function=context.invoked_function_arn)

            return _progress().next(run, Done(action=event["action"], ring=ring, answer=read_answer(answer, whose)))
        case "ask":
            _ask(run, int(event["ring"]), event["token"])
        case "broken":
            _broken(run, event)
        case op:
            raise GranaryError(f"the function `release` knows no operation {op!r}")
    return {}


def _ask(run: str, index: int, token: str) -> None:
    ring = _runs().ring(run, index)
    if ring is None or not _runs().asked(ring, token=token, now=clock.now()):
        _tokens().fail(token, error="NotAsked", cause=f"ring {index} does not wait for an approval")
        return
    # Read after the token was written: who supersedes this run has either seen the token, or is seen here.
    if (current := _runs().current()) != run:
        _tokens().fail(token, error="Superseded", cause=f"superseded by run {current}")


def _broken(run: str, event: Mapping[str, Any]) -> None:
    """Stop a run whose state machine cannot go on, so that it can be resumed."""
    error, now = event["error"], clock.now()
    with suppress(GranaryError):  # of what is no release, or none of CI/CD's, there is nothing to keep
        _beginning().keep(release_of(event["input"].get("release", {})))
    reason = f"the state machine could not go on: {error.get('Error', '')}: {error.get('Cause', '')}"[:_CAUSE_SHOWN]
    if not _runs().end(run, state=RunState.STOPPED, reason=reason, now=now) and _runs().run(run) is None:
        _runs().begun(never_begun(run, event["input"], execution=event["execution"], reason=reason, now=now))
