"""Jobs and their runs: definitions are ministack's records, runs are executed.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs.html
"""

from __future__ import annotations

import contextvars
import signal
import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import glue

from local_cloud.glue import executor, record
from local_cloud.glue.paging import page
from local_cloud.glue.record import Run
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
_MOST_RUNS, _MOST_JOBS = 200, 1000
_SPARK_OF = "5.1"
_DEFAULTS = {"Description": "", "MaxRetries": 0, "Timeout": 480, "ExecutionProperty": {"MaxConcurrentRuns": 1}}
# Held while a run is admitted, so that two calls cannot both take the last place.
_admission = threading.Lock()
_runs: dict[str, Run] = {}


def run_of(run_id: str) -> Run:
    """A run that was started."""
    return _runs[run_id]


def stop_all() -> None:
    """End every run's processes; the server is about to end."""
    for run in tuple(_runs.values()):
        if not run.finished.is_set():
            run.control.interrupt("STOPPED")
            run.control.end_processes(signal.SIGKILL)


def stop(run: Run) -> None:
    """Ask a run to end; it is STOPPED when it has."""
    run.change("STOPPING")
    run.control.interrupt("STOPPED")


def _create(request: Request) -> dict[str, Any]:
    name = request["Name"]
    if name in glue._jobs:
        raise ServiceError("AlreadyExistsException", f"Job {name} already exists")
    _put(name, request, created=time.time())
    if request.get("Tags"):
        glue._tags[glue._arn("job", name)] = dict(request["Tags"])
    return {"Name": name}


def _update(request: Request) -> dict[str, Any]:
    name = request["JobName"]
    _put(name, request["JobUpdate"], created=_job(name)["CreatedOn"])
    return {"JobName": name}


def _put(name: str, definition: Request, *, created: float) -> None:
    """Keep a definition, which replaces the one before as a whole."""
    command, version = definition["Command"], definition.get("GlueVersion")
    if command.get("Name") not in ("glueetl", "pythonshell"):
        raise _unsupported(f"command {command.get('Name')}: it runs glueetl and pythonshell")
    if command["Name"] == "glueetl" and version != _SPARK_OF:
        raise _unsupported(f"Spark of Glue {version}: it has that of GlueVersion {_SPARK_OF}")
    if not command.get("ScriptLocation", "").startswith("s3://"):
        raise ServiceError("InvalidInputException", "Command.ScriptLocation is not an s3:// address")
    if (security := definition.get("SecurityConfiguration")) and security not in glue._security_configs:
        raise ServiceError("EntityNotFoundException", f"Security Configuration {security} not found.")
    if unknown := set(definition.get("Connections", {}).get("Connections", ())) - set(glue._connections):
        raise ServiceError("EntityNotFoundException", f"Connections {sorted(unknown)} not found.")
    for given in ("MaxRetries", "JobRunQueuingEnabled", "SourceControlDetails"):
        if definition.get(given):
            raise _unsupported(given)
    kept = {key: value for key, value in definition.items() if key != "Tags"}
    glue._jobs[name] = {**_DEFAULTS, **kept, "Name": name, "CreatedOn": created, "LastModifiedOn": time.time()}


def _unsupported(what: str) -> ServiceError:
    return ServiceError("InvalidInputException", f"The local cloud's Glue does not do this: {what}")


def _job(name: str) -> dict[str, Any]:
    job: dict[str, Any] | None = glue._jobs.get(name)
    if job is None:
        raise ServiceError("EntityNotFoundException", f"Job with name: {name} not found.")
    return job


def _delete(request: Request) -> dict[str, Any]:
    """What runs goes on, as in AWS."""
    name = request["JobName"]
    glue._jobs.pop(name, None)
    glue._tags.pop(glue._arn("job", name), None)
    return {"JobName": name}


def _get_jobs(request: Request) -> dict[str, Any]:
    return page(glue._jobs.values(), request, under="Jobs", key=lambda job: [job["Name"]], most=_MOST_JOBS)


def _list(request: Request) -> dict[str, Any]:
    if request.get("Tags"):
        raise _unsupported("ListJobs with Tags")
    found = _get_jobs(request)
    return {"JobNames": [job["Name"] for job in found.pop("Jobs")], **found}


def _start(request: Request) -> dict[str, Any]:
    job = _job(request["JobName"])
    for given in ("JobRunId", "JobRunQueuingEnabled", "ExecutionRoleSessionPolicy"):
        if request.get(given):
            raise _unsupported(f"StartJobRun with {given}")
    with _admission:
        active = [run for run in _records(job["Name"]) if run["JobRunState"] in record.ACTIVE]
        most = job["ExecutionProperty"].get("MaxConcurrentRuns", 1)
        if len(active) >= most:
            raise ServiceError("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job['Name']}")
        run = record.new(job, request, account=get_account_id(), region=get_region())
        _runs[run.id] = run
        glue._job_runs[job["Name"]] = [*_records(job["Name"]), run.record]
    # The stores that the run's thread touches are scoped by context variables.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(executor.execute, run), daemon=True, name=run.id).start()
    return {"JobRunId": run.id}


def _records(job: str) -> list[dict[str, Any]]:
    return list(glue._job_runs.get(job, []))


def _get_run(request: Request) -> dict[str, Any]:
    found = [run for run in _records(request["JobName"]) if run["Id"] == request["RunId"]]
    if not found:
        raise ServiceError("EntityNotFoundException", f"Job Run {request['RunId']} not found.")
    return {"JobRun": dict(found[0])}


def _get_runs(request: Request) -> dict[str, Any]:
    """The latest first."""
    if request["JobName"] not in glue._job_runs:
        _job(request["JobName"])
    runs = [dict(run) for run in _records(request["JobName"])]
    return page(runs, request, under="JobRuns", key=lambda run: [-run["StartedOn"], run["Id"]], most=_MOST_RUNS)


def _batch_stop(request: Request) -> dict[str, Any]:
    name, stopped, errors = request["JobName"], [], []
    known = {run["Id"]: run for run in _records(name)}
    for run_id in request["JobRunIds"]:
        named = {"JobName": name, "JobRunId": run_id}
        state = known.get(run_id, {}).get("JobRunState")
        if state in record.ACTIVE:
            stop(_runs[run_id])
            stopped.append(named)
            continue
        code = "InvalidInputException" if state else "EntityNotFoundException"
        message = f"Job run is {state}" if state else "Job run not found"
        errors.append({**named, "ErrorDetail": {"ErrorCode": code, "ErrorMessage": message}})
    return {"SuccessfulSubmissions": stopped, "Errors": errors}


OPERATIONS: Mapping[str, Operation] = {
    "CreateJob": _create,
    "UpdateJob": _update,
    "DeleteJob": _delete,
    "GetJob": lambda request: {"Job": _job(request["JobName"])},
    "GetJobs": _get_jobs,
    "ListJobs": _list,
    "StartJobRun": _start,
    "GetJobRun": _get_run,
    "GetJobRuns": _get_runs,
    "BatchStopJobRun": _batch_stop,
}
