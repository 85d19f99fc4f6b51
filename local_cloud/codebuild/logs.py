"""A build's log: a file in its directory and a stream in CloudWatch Logs."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Any, TextIO

from botocore.exceptions import ClientError
from ministack.services import codebuild as ministack_codebuild

from local_cloud.codebuild.failure import BuildFailure
from local_cloud.codebuild.job import Job

_MASK = "***"
# A shorter value would blot out ordinary words; AWS masks what it finds, too.
_SHORTEST_SECRET = 4


class BuildLog:
    """Appends lines to both places; values of secrets are masked."""

    def __init__(self, job: Job) -> None:
        self._file: TextIO = job.log_file.open("w", encoding="utf-8", errors="replace")
        self._emit: Callable[[str], Any] | None = None
        self._secrets: tuple[str, ...] = ()

    def open_stream(self, job: Job) -> None:
        """Create group and stream with the build role's credentials, as CodeBuild does; raises BuildFailure."""
        group, stream = job.build["logs"].get("groupName"), job.build["logs"].get("streamName")
        if group is None:
            return
        logs = job.client("logs")
        try:
            _create_group(logs, group)
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        except ClientError as error:
            raise BuildFailure(
                "ACCESS_DENIED",
                "Service role does not allow AWS CodeBuild to create Amazon CloudWatch "
                f"Logs log streams for build {job.build['arn']}. Error message: {error}",
            ) from error
        # The lines themselves take the short way: a request for each would cost more than most builds do.
        self._emit = ministack_codebuild._log_sink(job.build)

    def mask(self, values: Iterable[str]) -> None:
        """Hide these values in everything that is written from now on."""
        self._secrets += tuple(value for value in values if len(value) >= _SHORTEST_SECRET)

    def say(self, message: str) -> None:
        """A line of CodeBuild's own."""
        stamp = datetime.datetime.now(datetime.UTC).strftime("%Y/%m/%d %H:%M:%S.%f")
        self.line(f"[Container] {stamp} {message}")

    def line(self, text: str) -> None:
        """One line of output."""
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        self._file.write(f"{text}\n")
        self._file.flush()
        if self._emit is not None:
            self._emit(text)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _create_group(logs: Any, group: str) -> None:
    try:
        logs.create_log_group(logGroupName=group)
    except logs.exceptions.ResourceAlreadyExistsException:
        return
    except ClientError as error:
        # A role without this permission is fine when the group exists; creating the stream will tell.
        if "AccessDenied" not in error.response["Error"]["Code"]:
            raise
