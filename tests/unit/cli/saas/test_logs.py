"""`logs ID`: which builds, and the ends of their logs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cli.saas.buildlogs import BuildLogs, failed_build
from lambdas.saas.model.assets import not_published
from lambdas.saas.pipeline_watch.executions import ActionRun, Execution
from tests.unit.cli.saas.factory import REGION, Factory

_BEGAN = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


class FakeHistory:
    """Executions, newest first, each with the runs of its actions."""

    def __init__(self, *found: tuple[Execution, list[ActionRun]]) -> None:
        self._found = found

    def executions(self, _pipeline: str) -> Iterator[Execution]:
        return (execution for execution, _ in self._found)

    def runs(self, _pipeline: str, execution_id: str) -> list[ActionRun]:
        return next(runs for execution, runs in self._found if execution.id == execution_id)


def _execution(name: str, status: str = "Failed") -> Execution:
    return Execution(id=name, status=status, started=_BEGAN)


def _action(name: str, status: str, *, minute: int = 0, provider: str = "CodeBuild", message: str = "") -> ActionRun:
    when = _BEGAN + timedelta(minutes=minute)
    return ActionRun(
        stage="Build",
        name=name,
        status=status,
        provider=provider,
        started=when,
        updated=when,
        configuration={},
        external_id=f"build-{name}-{minute}",
        message=message,
    )


def test_the_newest_failed_build_of_a_pipeline() -> None:
    history = FakeHistory(
        (_execution("e3", "Succeeded"), [_action("Synth", "Failed")]),
        (_execution("e2"), [_action("Deploy", "Failed", provider="CloudFormation")]),
        (_execution("e1"), [_action("Synth", "Failed"), _action("Synth", "Failed", minute=5)]),
    )
    assert failed_build(history, "p") == ("pipeline p, stage Build, action Synth", "build-Synth-5")


@pytest.mark.parametrize("why", ["FAILED: phase BUILD: exit status 1", "was waited for", "is over without b/k"])
def test_the_build_that_published_for_many_is_told_of_each(why: str) -> None:
    """And not that of an execution before."""
    message = not_published(f"build granary-assets:7244dc40-1757 {why}")
    history = FakeHistory(
        (_execution("e2"), [_action("Publish", "Failed", provider="Lambda", message=message)]),
        (_execution("e1"), [_action("Synth", "Failed")]),
    )
    told = "pipeline p, stage Build, action Publish"
    assert failed_build(history, "p") == (told, "granary-assets:7244dc40-1757")


def test_an_action_that_was_retried_well_has_not_failed() -> None:
    retried = [_action("Synth", "Failed"), _action("Synth", "Succeeded", minute=5)]
    assert failed_build(FakeHistory((_execution("e1"), retried)), "p") is None


def _reader(builds: list[dict[str, Any]], pages: list[dict[str, Any]]) -> BuildLogs:
    session = boto3.session.Session(region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")
    codebuild, logs = session.client("codebuild"), session.client("logs")
    asked, read = Stubber(codebuild), Stubber(logs)
    asked.add_response("batch_get_builds", {"builds": builds})
    for page in pages:
        read.add_response("get_log_events", page)
    asked.activate()
    read.activate()
    return BuildLogs(codebuild=codebuild, logs=logs)


def test_the_last_lines_over_pages() -> None:
    pages = [
        {"events": [{"message": "three\nfour\n"}], "nextBackwardToken": "b1"},
        {"events": [{"message": "one"}, {"message": "two"}], "nextBackwardToken": "b2"},
    ]
    build = {"id": "b", "buildStatus": "FAILED", "logs": {"groupName": "g", "streamName": "s", "deepLink": "https://l"}}
    end = _reader([build], pages).end("provisioning", "b", limit=3)
    assert end.lines == ("two", "three", "four")
    assert (end.state, end.link, end.missing) == ("FAILED", "https://l", "")


def test_a_short_log_ends_at_its_beginning() -> None:
    pages: list[dict[str, Any]] = [
        {"events": [{"message": "one"}], "nextBackwardToken": "b"},
        {"events": [], "nextBackwardToken": "b"},
    ]
    build = {"id": "b", "logs": {"groupName": "g", "streamName": "s"}}
    assert _reader([build], pages).end("provisioning", "b", limit=9).lines == ("one",)


def test_why_there_is_no_log() -> None:
    assert "has forgotten" in _reader([], []).end("provisioning", "b", limit=9).missing
    assert "not written a log" in _reader([{"id": "b"}], []).end("provisioning", "b", limit=9).missing


def test_nothing_to_tell(factory: Factory) -> None:
    assert factory.granary("logs", "nobody").code == 3
    factory.status(type="")
    answer = factory.granary("logs", "acme")
    assert answer.code == 3
    assert "granary status acme" in answer.stderr


def test_a_forgotten_build(factory: Factory) -> None:
    factory.status(build_id="granary-provisioning:1", type="")
    answer = factory.granary("logs", "acme")
    assert answer.code == 0
    assert answer.stdout.startswith("==> provisioning, build granary-provisioning:1\nCodeBuild has forgotten")


def test_what_is_no_id_of_a_build_hides_no_other_log(factory: Factory) -> None:
    """Given a build's id that somebody has spoilt, then the log of the other build is told all the same."""
    factory.status(pending_build="garbage", build_id="granary-provisioning:1", type="")
    answer = factory.granary("logs", "acme")
    assert answer.code == 0
    assert "build garbage\nCodeBuild takes this for no id of a build" in answer.stdout
    assert "==> provisioning, build granary-provisioning:1\n" in answer.stdout


def test_a_build_that_died_before_any_command_tells_where(aws: None) -> None:
    """Given a build without a log, whose source could not be fetched, then its phase and words stand there."""
    failed = {"phaseType": "DOWNLOAD_SOURCE", "phaseStatus": "FAILED", "contexts": [{"message": "NoSuchVersion"}]}
    codebuild = boto3.client("codebuild", region_name=REGION)
    with Stubber(codebuild) as stub:
        stub.add_response("batch_get_builds", {"builds": [{"id": "p:1", "buildStatus": "FAILED", "phases": [failed]}]})
        log = BuildLogs(codebuild=codebuild, logs=None).end("provisioning", "p:1", limit=5)
    assert (log.state, log.missing) == ("FAILED", "phase DOWNLOAD_SOURCE: NoSuchVersion")


def test_a_row_that_waits_names_the_build_that_was_started_for_it(factory: Factory) -> None:
    factory.status(phase="PENDING", pending_build="granary-provisioning:2", type="")
    answer = factory.granary("logs", "acme")
    assert answer.stdout.startswith("==> provisioning, started last, build granary-provisioning:2\n")
