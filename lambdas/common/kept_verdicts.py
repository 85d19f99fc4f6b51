"""Verdicts as they are kept: in a bucket, below a release's revision, written by gates and by nobody else."""

from __future__ import annotations

from typing import Any

from lambdas.common.errors import UnreadableError
from lambdas.common.evidence.verdict import Verdict, verdicts_of


def kept_verdicts(s3: Any, *, bucket: str, revision: str) -> tuple[list[Verdict], list[str]]:
    """All verdicts about a revision, the oldest first, and what cannot be read as one, each in a sentence."""
    return verdicts_below(s3, bucket=bucket, prefix=verdicts_of(revision))


def verdicts_below(s3: Any, *, bucket: str, prefix: str) -> tuple[list[Verdict], list[str]]:
    """The same of the verdicts whose keys begin so."""
    found: list[Verdict] = []
    unread: list[str] = []
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for key in (entry["Key"] for page in pages for entry in page.get("Contents", ())):
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode(errors="replace")
        try:
            found.append(Verdict.from_json(text))
        except UnreadableError as error:
            unread.append(f"{key}: {error}")
    return sorted(found, key=lambda one: one.predicate.judged_at), unread
