"""A run's log in CloudWatch Logs, written with the credentials of the job's role."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.glue.record import Run

# So much output at a time has no more lines than one call takes.
_CHUNK = 16384
_IGNORED = ("ResourceAlreadyExistsException", "AccessDeniedException")
_log = logging.getLogger("local_cloud.glue")


def copy(run: Run, process: subprocess.Popen[bytes]) -> list[threading.Thread]:
    """Let what the process says go to the log as soon as it is said; the threads end with its output."""
    pipes = zip(run.log_groups, (process.stdout, process.stderr), strict=True)
    threads = [threading.Thread(target=_copy, args=(run, group, pipe), daemon=True) for group, pipe in pipes]
    for thread in threads:
        thread.start()
    return threads


def _copy(run: Run, group: str, pipe: Any) -> None:
    stream = _Stream(run.client("logs"), logGroupName=group, logStreamName=run.id)
    rest = b""
    while said := pipe.read1(_CHUNK):
        *lines, rest = (rest + said).split(b"\n")
        stream.put(lines)
    stream.put([rest])


class _Stream:
    """A log stream. As in AWS a run goes on without its log, if the role may not write it."""

    def __init__(self, client: Any, **names: str) -> None:
        self._client, self._names = client, names
        self._state = "new"

    def put(self, lines: list[bytes]) -> None:
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line.decode(errors="replace")} for line in lines if line.strip()]
        if not events or self._state == "refused":
            return
        try:
            if self._state == "new":
                self._create()
            self._client.put_log_events(**self._names, logEvents=events)
        except (BotoCoreError, ClientError) as error:
            _log.warning("A run's log is not written: %s", error)
            self._state = "refused"

    def _create(self) -> None:
        group = {"logGroupName": self._names["logGroupName"]}
        for create, names in ((self._client.create_log_group, group), (self._client.create_log_stream, self._names)):
            try:
                create(**names)
            except ClientError as error:
                if error.response["Error"]["Code"] not in _IGNORED:
                    raise
        self._state = "open"
