"""The build record that BatchGetBuilds shows, and how it changes while the build runs."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Mapping
from typing import Any

# Builds change in their own threads while requests read them.
_lock = threading.Lock()


def now() -> float:
    """Seconds since the epoch, in milliseconds, as CodeBuild reports them."""
    return round(time.time(), 3)


def new(
    *, build_id: str, arn: str, number: int, project: Mapping[str, Any], initiator: str, source_version: str
) -> dict[str, Any]:
    """The record of a submitted build of `project` (overrides applied already)."""
    created = now()
    return {
        "id": build_id,
        "arn": arn,
        "buildNumber": number,
        "projectName": project["name"],
        "startTime": created,
        "buildStatus": "IN_PROGRESS",
        "buildComplete": False,
        "initiator": initiator,
        "sourceVersion": source_version,
        "phases": [
            {
                "phaseType": "SUBMITTED",
                "phaseStatus": "SUCCEEDED",
                "startTime": created,
                "endTime": created,
                "durationInSeconds": 0,
            }
        ],
        "currentPhase": "SUBMITTED",
        "source": project["source"],
        "artifacts": _artifacts(project["artifacts"]),
        "cache": project.get("cache") or {"type": "NO_CACHE"},
        "environment": project["environment"],
        "serviceRole": project["serviceRole"],
        "timeoutInMinutes": int(project.get("timeoutInMinutes") or 60),
        "queuedTimeoutInMinutes": int(project.get("queuedTimeoutInMinutes") or 480),
        "encryptionKey": project["encryptionKey"],
        "exportedEnvironmentVariables": [],
        "secondarySources": project.get("secondarySources") or [],
        "secondarySourceVersions": project.get("secondarySourceVersions") or [],
        "secondaryArtifacts": [_artifacts(item) for item in project.get("secondaryArtifacts") or []],
        "logs": _logs(project, build_id=build_id, arn=arn),
    }


def snapshot(build: dict[str, Any]) -> dict[str, Any]:
    """A copy that does not change any more."""
    with _lock:
        return copy.deepcopy(build)


def update(build: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Set fields of the record."""
    with _lock:
        build.update(values)


def start_phase(build: dict[str, Any], phase: str) -> None:
    """Open a phase."""
    with _lock:
        build["currentPhase"] = phase
        build["phases"].append({"phaseType": phase, "phaseStatus": "IN_PROGRESS", "startTime": now()})


def end_phase(build: dict[str, Any], status: str, *, code: str = "", message: str = "") -> None:
    """Close the open phase; code and message become its context when it did not succeed."""
    with _lock:
        phase = build["phases"][-1]
        phase["phaseStatus"] = status
        phase["endTime"] = now()
        phase["durationInSeconds"] = round(phase["endTime"] - phase["startTime"])
        phase["contexts"] = [{"statusCode": code, "message": message}]


def complete(build: dict[str, Any], status: str) -> None:
    """Close the build as SUCCEEDED, FAILED, STOPPED, TIMED_OUT or FAULT."""
    with _lock:
        build["endTime"] = now()
        build["currentPhase"] = "COMPLETED"
        build["phases"].append({"phaseType": "COMPLETED", "startTime": build["endTime"]})
        build["buildComplete"] = True
        build["buildStatus"] = status


def _artifacts(artifacts: Mapping[str, Any]) -> dict[str, Any]:
    known = ("artifactIdentifier", "encryptionDisabled", "overrideArtifactName")
    kept = {name: artifacts[name] for name in known if name in artifacts}
    return {"location": "", **kept} if artifacts.get("type") == "S3" else kept


def _logs(project: Mapping[str, Any], *, build_id: str, arn: str) -> dict[str, Any]:
    cloudwatch = (project.get("logsConfig") or {}).get("cloudWatchLogs") or {}
    if cloudwatch.get("status") == "DISABLED":
        return {"cloudWatchLogs": {"status": "DISABLED"}, "s3Logs": {"status": "DISABLED"}}
    name, uuid = build_id.split(":", 1)
    group = cloudwatch.get("groupName") or f"/aws/codebuild/{name}"
    prefix = cloudwatch.get("streamName")
    stream = f"{prefix}/{uuid}" if prefix else uuid
    account_and_region = ":".join(arn.split(":")[3:5])
    return {
        "groupName": group,
        "streamName": stream,
        "cloudWatchLogsArn": f"arn:aws:logs:{account_and_region}:log-group:{group}:log-stream:{stream}",
        "cloudWatchLogs": {"status": "ENABLED", "groupName": group},
        "s3Logs": {"status": "DISABLED"},
    }
