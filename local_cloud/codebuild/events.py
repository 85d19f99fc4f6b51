"""CodeBuild's events on EventBridge.

Shape: AWS CodeBuild User Guide, "Build state change notification reference" (version 1).
"""

from __future__ import annotations

import datetime
from typing import Any

from local_cloud.codebuild import record
from local_cloud.codebuild.job import Job
from local_cloud.server import events

_TIME = "%b %d, %Y %I:%M:%S %p"


def build_state_changed(job: Job) -> None:
    """Publish "CodeBuild Build State Change" with the record's present status."""
    build = record.snapshot(job.build)
    detail = {
        "build-status": build["buildStatus"],
        "project-name": build["projectName"],
        "build-id": build["arn"],
        "current-phase": build["currentPhase"],
        "current-phase-context": "[]",
        "version": "1",
        "additional-information": {
            "artifact": build["artifacts"],
            "build-complete": build["buildComplete"],
            "build-number": build["buildNumber"],
            "build-start-time": _time(build["startTime"]),
            "cache": build["cache"],
            "environment": _environment(build["environment"]),
            "initiator": build["initiator"],
            "logs": {"group-name": build["logs"].get("groupName"), "stream-name": build["logs"].get("streamName")},
            "phases": [_phase(phase) for phase in build["phases"]],
            "queued-timeout-in-minutes": build["queuedTimeoutInMinutes"],
            "source": build["source"],
            "source-version": build["sourceVersion"],
            "timeout-in-minutes": build["timeoutInMinutes"],
        },
    }
    events.publish(job.account, job.region, "aws.codebuild", "CodeBuild Build State Change", detail, [build["arn"]])


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime(_TIME)


def _environment(environment: dict[str, Any]) -> dict[str, Any]:
    return {
        "image": environment.get("image"),
        "compute-type": environment.get("computeType"),
        "type": environment.get("type"),
        "privileged-mode": environment.get("privilegedMode", False),
        "environment-variables": [
            {"type": "PLAINTEXT", **item} for item in environment.get("environmentVariables") or []
        ],
    }


def _phase(phase: dict[str, Any]) -> dict[str, Any]:
    contexts = [f"{item['statusCode']}: {item['message']}" for item in phase.get("contexts", ())]
    shown = {"phase-type": phase["phaseType"], "start-time": _time(phase["startTime"]), "phase-context": contexts}
    if "endTime" in phase:
        shown |= {
            "end-time": _time(phase["endTime"]),
            "duration-in-seconds": phase["durationInSeconds"],
            "phase-status": phase["phaseStatus"],
        }
    return shown
