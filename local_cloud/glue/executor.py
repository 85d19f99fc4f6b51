"""Executes one run in a thread of its own: a process of this machine with the credentials of the job's role."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

from lambdas.gates.scanners.environments import EnvironmentError_
from local_cloud.codebuild.failure import BuildInterrupted
from local_cloud.glue import environment, logs
from local_cloud.glue.record import Run
from local_cloud.server import credentials, faults

SERVICE_PRINCIPAL = "glue.amazonaws.com"
_MODULES = "--extra-py-files"
_SECONDS_A_MINUTE = 60
_POLL_SECONDS = 0.1
_log = logging.getLogger("local_cloud.glue")
# Sparks at the same time, each of which takes a gigabyte and two processors; more wait in STARTING.
_sparks = threading.BoundedSemaphore(max(2, (os.cpu_count() or 1) // 2))


class RunFailedError(Exception):
    """The run failed; the message is its ErrorMessage."""


def execute(run: Run) -> None:
    """Execute the run and complete its record, whatever happens."""
    state, message = "FAILED", ""
    try:
        _work(run)
        state = "SUCCEEDED"
        shutil.rmtree(run.directory, ignore_errors=True)
    except BuildInterrupted as interruption:
        state = interruption.status
        message = f"Timeout of {run.record['Timeout']} minutes exceeded" if state == "TIMEOUT" else ""
    except (RunFailedError, EnvironmentError_) as failure:
        message = str(failure)
    except Exception as error:
        _log.exception("Run %s: the local cloud itself failed", run.id)
        message = f"The local cloud itself failed: {error}"
    finally:
        run.control.end_processes(signal.SIGKILL)
        run.change(state, message)
        run.finished.set()


def _work(run: Run) -> None:
    run.directory.mkdir(parents=True)
    _assume_role(run)
    named = [one.strip() for one in run.arguments.get(_MODULES, "").split(",") if one.strip()]
    addresses = (run.job["Command"]["ScriptLocation"], *named)
    script, *modules = [_fetched(run, address, run.directory / str(place)) for place, address in enumerate(addresses)]
    paths = [file.parent if file.suffix == ".py" else file for file in modules]
    variables = environment.of_run(run.directory, region=run.region, credentials=run.credentials, modules=paths)
    if run.job["Command"]["Name"] != "glueetl":
        _process(run, environment.python(None), script, variables)
        return
    place = environment.spark()
    with _a_spark(run):
        more = environment.for_spark(place, run.directory / "tmp")
        _process(run, environment.python(place), script, variables | more)


def _assume_role(run: Run) -> None:
    role, job = run.job["Role"], f"arn:aws:glue:{run.region}:{run.account}:job/{run.job['Name']}"
    arn = role if role.startswith("arn:") else f"arn:aws:iam::{run.account}:role/{role}"
    try:
        assumed = credentials.assume_service_role(arn, SERVICE_PRINCIPAL, "GlueJobRunnerSession", job, run.account)
    except PermissionError as error:
        raise RunFailedError(f"Role {arn} should be given assume role permissions for Glue Service. {error}") from error
    run.credentials.update(assumed)


def _fetched(run: Run, address: str, folder: Path) -> Path:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    folder.mkdir()
    target = folder / key.rsplit("/", 1)[-1]
    try:
        target.write_bytes(run.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        where = f"Error downloading from S3 for bucket: {bucket}, key: {key}"
        raise RunFailedError(f"LAUNCH ERROR | {where}. {error}") from error
    return target


@contextmanager
def _a_spark(run: Run) -> Iterator[None]:
    while not _sparks.acquire(timeout=_POLL_SECONDS):
        run.control.check()
    try:
        yield
    finally:
        _sparks.release()


def _process(run: Run, python: Path, script: Path, variables: dict[str, str]) -> None:
    """Run the script to its end, or raise what ended it."""
    reason = run.directory / "reason"
    words = [word for pair in _given(run).items() for word in pair]
    run.control.check()
    minute = faults.board.setting("glue", "seconds_a_minute") or _SECONDS_A_MINUTE
    timer = threading.Timer(run.record["Timeout"] * minute, run.control.interrupt, ("TIMEOUT",))
    timer.daemon = True
    process = subprocess.Popen(
        [str(python), str(environment.RUNTIME / "run_job.py"), str(reason), str(script), *words],
        cwd=run.directory / "home",
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    run.control.adopt(process)
    timer.start()
    run.change("RUNNING")
    copying = logs.copy(run, process)
    status = process.wait()
    timer.cancel()
    # What the script has left running would keep its output open.
    run.control.end_processes(signal.SIGKILL)
    for thread in copying:
        thread.join()
    run.control.check()
    if status:
        said = reason.read_text(encoding="utf-8") if reason.exists() else ""
        raise RunFailedError(said or f"Command failed with exit code {status}")


def _given(run: Run) -> dict[str, str]:
    """The script's arguments; a Python shell is not told what it runs as."""
    if run.job["Command"]["Name"] != "glueetl":
        return dict(run.arguments)
    name = run.job["Name"]
    return {"--JOB_ID": f"j_{name}", "--JOB_RUN_ID": run.id, "--JOB_NAME": name, **run.arguments}
