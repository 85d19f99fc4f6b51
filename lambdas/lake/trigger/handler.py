"""Lambda function `trigger`: the queue with S3's messages about new raw objects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from lambdas.common import clock
from lambdas.common.clients import client
from lambdas.common.settings import Document, read_settings
from lambdas.lake.model.objects import read_folders
from lambdas.lake.store.audit_table import AuditTable
from lambdas.lake.trigger.taking import Taking


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the function is told when it is deployed."""

    folders: Document
    audit_table: str
    machine: str
    notices_topic: str


@cache
def _taking() -> Taking:
    settings = read_settings(Settings)
    return Taking(
        audit=AuditTable(client=client("dynamodb"), table=settings.audit_table, clock=clock.now),
        states=client("stepfunctions"),
        machine=settings.machine,
        sns=client("sns"),
        topic=settings.notices_topic,
        folders=read_folders(settings.folders),
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the messages to deliver again (ReportBatchItemFailures)."""
    return {"batchItemFailures": [{"itemIdentifier": one} for one in _taking().handle(event["Records"])]}
