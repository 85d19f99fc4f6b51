"""Job, whose bookmarks the local cloud does not keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Job:
    """A run begins and ends; nothing is remembered of it."""

    def __init__(self, _glue_context: Any) -> None:
        pass

    def init(self, _job_name: str, args: Mapping[str, Any] | None = None) -> None:
        """Begin; bookmarks are refused."""
        if (args or {}).get("job_bookmark_option") not in (None, "job-bookmark-disable"):
            raise NotImplementedError("The local cloud keeps no job bookmarks")

    def commit(self) -> None:
        """End."""
