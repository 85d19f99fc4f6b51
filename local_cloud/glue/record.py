"""A job run: its record, its files, and how it is ended from outside."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cloud.codebuild.control import BuildControl
from local_cloud.server import clients, events
from local_cloud.server import settings as server_settings

ACTIVE = ("STARTING", "RUNNING", "STOPPING")
# https://docs.aws.amazon.com/glue/latest/dg/automating-awsglue-with-cloudwatch-events.html
_SAID = {
    "STOPPED": ("INFO", "Job run stopped"),
    "TIMEOUT": ("WARN", "Job run timed out"),
    "FAILED": ("ERROR", "Job run failed to execute with exception"),
    "SUCCEEDED": ("INFO", "Job run succeeded"),
}
OUTPUT, ERRORS, OWN = "/aws-glue/jobs/output", "/aws-glue/jobs/error", "--continuous-log-logGroup"
# A run does not go back from where it is.
_ORDER = (*ACTIVE, *_SAID)
_OF_THE_JOB = ("GlueVersion", "MaxCapacity", "NumberOfWorkers", "SecurityConfiguration", "WorkerType", "ExecutionClass")
_TIMES = ("StartedOn", "LastModifiedOn", "CompletedOn")


@dataclass(kw_only=True)
class Run:
    """One run of a job, as the job was when the run started; `record` is what GetJobRun answers."""

    job: Mapping[str, Any]
    record: dict[str, Any]
    account: str
    region: str
    control: BuildControl = field(default_factory=BuildControl)
    credentials: dict[str, str] = field(default_factory=dict)
    finished: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def id(self) -> str:
        """The run's id, which names its folder and its log streams, too."""
        return str(self.record["Id"])

    @property
    def arguments(self) -> Mapping[str, str]:
        """The job's arguments and the run's."""
        arguments: Mapping[str, str] = self.record["Arguments"]
        return arguments

    @property
    def directory(self) -> Path:
        """The run's own folder."""
        return server_settings.current().scratch_dir / "glue" / self.id

    @property
    def log_groups(self) -> tuple[str, str]:
        """Where output and errors go."""
        own = self.arguments.get(OWN)
        return (own, own) if own else (OUTPUT, ERRORS)

    def client(self, service: str) -> Any:
        """A boto3 client with the credentials of the job's role."""
        return clients.client(service, account=self.account, region=self.region, credentials=self.credentials)

    def change(self, state: str, message: str = "") -> None:
        """Move on to a state, and tell EventBridge of the last one."""
        now = time.time()
        with self._lock:
            if _ORDER.index(state) <= _ORDER.index(self.record["JobRunState"]):
                return
            self.record |= {"JobRunState": state, "LastModifiedOn": now}
            if state in ACTIVE:
                return
            self.record |= {"CompletedOn": now, "ExecutionTime": int(now - self.record["StartedOn"])}
            if message:
                self.record["ErrorMessage"] = message
        severity, said = _SAID[state]
        told = {"jobName": self.record["JobName"], "severity": severity, "state": state, "jobRunId": self.id}
        told["message"] = f"{said} {message}".strip()
        events.publish(self.account, self.region, "aws.glue", "Glue Job State Change", told, [])

    def for_step_functions(self) -> dict[str, Any]:
        """The record as a task's output or cause has it: names in order, times in milliseconds."""
        times = {name: int(self.record[name] * 1000) for name in _TIMES if name in self.record}
        return dict(sorted((self.record | times).items()))

    def cause(self) -> str:
        """The record as the cause of a task's failure."""
        return json.dumps(self.for_step_functions(), separators=(",", ":"))


def new(job: Mapping[str, Any], request: Mapping[str, Any], *, account: str, region: str) -> Run:
    """A run that a request asks for."""
    now = time.time()
    fixed = job.get("NonOverridableArguments", {})
    record = {
        **{name: job[name] for name in _OF_THE_JOB if name in job},
        **{name: request[name] for name in _OF_THE_JOB if name in request},
        "Id": f"jr_{secrets.token_hex(32)}",
        "JobName": job["Name"],
        "Attempt": 0,
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": "STARTING",
        "Arguments": {**job.get("DefaultArguments", {}), **request.get("Arguments", {}), **fixed},
        "PredecessorRuns": [],
        "ExecutionTime": 0,
        "Timeout": request.get("Timeout", job["Timeout"]),
    }
    run = Run(job=job, record=record, account=account, region=region)
    record["LogGroupName"] = run.arguments.get(OWN) or "/aws-glue/jobs"
    return run
