"""Why a build has failed: the phase, and what its log ends with."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.saas.model.build_log import telling_lines
from lambdas.saas.store.builds import failure_of

logger = logging.getLogger(__name__)

# What failed is near the end of the log: only the commands of the phases that run after a failure write more.
_LOG_EVENTS = 200


def explained(build: Mapping[str, Any], logs: Any) -> str:
    """Tell what a build failed of; `logs` is a client of CloudWatch Logs. Empty when no phase has failed."""
    failure = failure_of(build)
    said = _log_end(build.get("logs", {}), logs) if failure else ""
    return f"{failure}; its log: {said}" if said else failure


def _log_end(where: Mapping[str, Any], logs: Any) -> str:
    """A log that cannot be read must not hide the failure itself."""
    group, stream = where.get("groupName"), where.get("streamName")
    if not group or not stream:
        return ""
    try:
        events = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=_LOG_EVENTS, startFromHead=False)[
            "events"
        ]
    except (ClientError, BotoCoreError) as error:
        logger.warning("a failed build's log is not told: stream %s of log group %s: %s", stream, group, error)
        return ""
    return telling_lines(event["message"] for event in events)
