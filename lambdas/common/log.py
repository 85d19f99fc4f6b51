"""What lines of the log are about, as JSON keys: `deployment`, `run` and `execution`.

Lambda's JSON format writes every attribute of a record that is not logging's own as a key of its own. CloudWatch Logs
Insights finds all lines about a tenant by it (`filter deployment = "acme"`), those of libraries as well.
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_subject: ContextVar[Mapping[str, str]] = ContextVar("subject", default={})  # noqa: B039 - never changed in place
_plain_record = logging.getLogRecordFactory()


@contextmanager
def about(*, deployment: str = "", run: str = "", execution: str = "") -> Iterator[None]:
    """Let every line that is logged in this block say what it is about; never a token, never a secret."""
    said = {"deployment": deployment, "run": run, "execution": execution}
    before = _subject.set({**_subject.get(), **{name: value for name, value in said.items() if value}})
    try:
        yield
    finally:
        _subject.reset(before)


def _record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = _plain_record(*args, **kwargs)
    record.__dict__.update(_subject.get())
    return record


logging.setLogRecordFactory(_record)
