"""What experiments tell CloudWatch Logs of themselves, where a template names a log group.

https://docs.aws.amazon.com/fis/latest/userguide/monitoring-logging.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch_logs

_PREFIX = "/aws/fis/experiment/"


def _group(record: Mapping[str, Any]) -> str:
    arn = record.get("logConfiguration", {}).get("cloudWatchLogsConfiguration", {}).get("logGroupArn", "")
    return str(arn).partition(":log-group:")[2].removesuffix(":*")


def problem(record: Mapping[str, Any]) -> str:
    """Why nothing can be logged; empty when it can, or need not."""
    group = _group(record)
    there = not group or group in cloudwatch_logs._log_groups
    return "" if there else f"The log group {group} does not exist."


def write(record: Mapping[str, Any], kind: str, details: Mapping[str, Any]) -> None:
    """Add an event to the experiment's stream."""
    group, stream = _group(record), f"{_PREFIX}{record['id']}"
    if not group or group not in cloudwatch_logs._log_groups:
        return
    told = {"id": record["id"], "log_type": kind, "event_timestamp": time.time(), "version": "2", "details": details}
    event = {"timestamp": int(time.time() * 1000), "message": json.dumps(told)}
    if stream not in cloudwatch_logs._log_groups[group]["streams"]:
        cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    cloudwatch_logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": [event]})
