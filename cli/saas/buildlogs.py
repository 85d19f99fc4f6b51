"""The ends of build logs: which builds tell of a deployment, and what their logs end with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from lambdas.common.aws_errors import ignoring
from lambdas.saas.model.assets import build_told
from lambdas.saas.pipeline_watch.executions import ActionRun, History, latest_runs
from lambdas.saas.store.builds import failure_of

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Executions that are looked through for one with a failed build.
_LOOKED_BACK = 20


@dataclass(frozen=True, kw_only=True)
class BuildLog:
    """The end of one build's log."""

    what: str
    build_id: str
    state: str
    link: str
    lines: tuple[str, ...]
    missing: str = ""

    def document(self) -> dict[str, Any]:
        return asdict(self)


def failed_build(history: History, pipeline: str) -> tuple[str, str] | None:
    """The newest failed build of a pipeline, as what it was and its id."""
    for execution in islice(history.executions(pipeline), _LOOKED_BACK):
        if execution.status == "Succeeded":
            continue
        for run in reversed(latest_runs(history.runs(pipeline, execution.id))):
            if run.status == "Failed" and (build := _build_of(run)):
                return f"pipeline {pipeline}, stage {run.stage}, action {run.name}", build
    return None


def _build_of(run: ActionRun) -> str:
    """The build of an action, or the one that published for many, which its answer names."""
    return run.external_id if run.provider == "CodeBuild" else build_told(run.message)


@dataclass(frozen=True, kw_only=True)
class BuildLogs:
    """Builds of CodeBuild, and their logs in CloudWatch."""

    codebuild: Any
    logs: Any

    def end(self, what: str, build_id: str, *, limit: int) -> BuildLog:
        """Read the last lines of a build's log; why there are none is told in `missing`."""
        builds, missing = [], "CodeBuild takes this for no id of a build: somebody has written it into the status"
        with ignoring("InvalidInputException"):
            builds = self.codebuild.batch_get_builds(ids=[build_id])["builds"]
            missing = "CodeBuild has forgotten this build: it keeps builds for a year"
        if not builds:
            return _without(what, build_id, missing)
        build = builds[0]
        where = build.get("logs", {})
        group, stream = where.get("groupName"), where.get("streamName")
        state, link = build.get("buildStatus", ""), where.get("deepLink", "")
        if not group or not stream:
            return _without(what, build_id, failure_of(build) or "it has not written a log yet", state=state)
        with ignoring("ResourceNotFoundException"):
            lines = tuple(self._last(group, stream, limit))
            return BuildLog(what=what, build_id=build_id, state=state, link=link, lines=lines)
        return _without(what, build_id, f"log group {group} has no stream {stream} any more", state=state)

    def _last(self, group: str, stream: str, limit: int) -> list[str]:
        lines: list[str] = []
        for events in self._backwards(group, stream):
            page = [_COLOUR.sub("", line) for event in events for line in event["message"].splitlines()]
            lines = page + lines
            if len(lines) >= limit:
                break
        return lines[-limit:]

    def _backwards(self, group: str, stream: str) -> Iterator[list[dict[str, Any]]]:
        request: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "startFromHead": False}
        while True:
            page = self.logs.get_log_events(**request)
            yield page["events"]
            token = page.get("nextBackwardToken")
            # The same token again is the beginning of the log.
            # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
            if not token or token == request.get("nextToken"):
                return
            request["nextToken"] = token


def _without(what: str, build_id: str, missing: str, *, state: str = "") -> BuildLog:
    return BuildLog(what=what, build_id=build_id, state=state, link="", lines=(), missing=missing)
