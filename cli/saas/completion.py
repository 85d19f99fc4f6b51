"""Completion of ids: within a second or so, and never with an error, for it runs while somebody types."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import typer

LIMIT = 50
SECONDS = 1.5


def within(seconds: float, look: Callable[[], list[str]]) -> list[str]:
    """What `look` finds in time; nothing when it takes longer, or fails."""
    found: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def run() -> None:
        try:
            found.put(look())
        except Exception:  # whatever it is, the shell must not show it
            found.put([])

    # A daemon is left behind when the process ends.
    threading.Thread(target=run, daemon=True).start()
    try:
        return found.get(timeout=seconds)
    except queue.Empty:
        return []


def deployment_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of rows that begin with what is typed already."""
    given = ctx.find_root().params
    return within(SECONDS, lambda: _ids(given.get("config"), given.get("profile") or "", incomplete))


def _ids(directory: Path | None, profile: str, prefix: str) -> list[str]:
    from cli.saas.session import SaasSession

    session = SaasSession(directory=directory, profile=profile) if directory else SaasSession(profile=profile)
    pages = (
        session.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=session.names.deployments_table,
            ProjectionExpression="id",
            FilterExpression="begins_with(id, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": prefix}},
        )
    )
    found = (item["id"]["S"] for page in pages for item in page["Items"])
    return sorted(islice(filter(str.isprintable, found), LIMIT))  # the shell writes them as they are
