"""Lambda function `audit`: the end of a run of the lake's state machine, which tells it, or was stopped before."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.settings import Document, read_settings
from lambdas.lake.audit.closing import Closing
from lambdas.lake.model.objects import read_folders
from lambdas.lake.store.audit_table import AuditTable


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    folders: Document
    audit_table: str
    database: str
    notices_topic: str


@cache
def _closing() -> Closing:
    settings = read_settings(Settings)
    return Closing(
        audit=AuditTable(client=client("dynamodb"), table=settings.audit_table, clock=clock.now),
        glue=client("glue"),
        database=settings.database,
        folders=read_folders(settings.folders),
        sns=client("sns"),
        topic=settings.notices_topic,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, str]:
    """Answer with the `subject` and `message` for people; the event is the run's input, with `error` if it failed.

    Or it is EventBridge's, about an execution that has ended: then nobody waits for an answer.
    """
    if "detail" in event:
        _closing().close_stopped(event["detail"])
        return {}
    return asdict(_closing().close(event))
