"""Streams deliver again what a function reports as failed; ministack does so for queues only.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import lambda_svc

_REPORTS = "ReportBatchItemFailures"
_thread = threading.local()


def register() -> None:
    """Patch ministack; once, before it serves."""
    poll, execute = lambda_svc._poll_dynamodb_streams, lambda_svc._execute_function

    def poll_streams() -> bool:
        _thread.polls_streams = True
        try:
            return bool(poll())
        finally:
            _thread.polls_streams = False

    def execute_function(function: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = execute(function, event)
        if not getattr(_thread, "polls_streams", False) or result.get("error"):
            return result
        failed, mapping = _failed(result.get("body")), _mapping(function, event["Records"])
        return _deliver_again(mapping, event["Records"], failed) if failed and mapping else result

    lambda_svc._poll_dynamodb_streams = poll_streams
    lambda_svc._execute_function = execute_function


def _failed(body: Any) -> set[str]:
    try:
        answer = json.loads(body) if isinstance(body, str) else body
    except ValueError:
        return set()
    failures = answer.get("batchItemFailures") or () if isinstance(answer, dict) else ()
    return {str(failure.get("itemIdentifier", "")) for failure in failures}


def _mapping(function: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The event source mapping that brought these records, if its function may report failures."""
    name = function.get("config", function)["FunctionName"]
    for _account, _region, mapping in lambda_svc._iter_all_esms():
        brought = mapping["FunctionName"] == name and mapping["EventSourceArn"] == records[0]["eventSourceARN"]
        if brought and _REPORTS in mapping.get("FunctionResponseTypes", []):
            return dict(mapping)
    return None


def _deliver_again(
    mapping: Mapping[str, Any], records: Sequence[Mapping[str, Any]], failed: set[str]
) -> dict[str, Any]:
    """Move the mapping on to the first failed record; as the batch then counts as failed, it stays there."""
    numbers = [str(record["dynamodb"]["SequenceNumber"]) for record in records]
    first = next((index for index, number in enumerate(numbers) if number in failed), 0)
    with lambda_svc._dynamodb_stream_positions_lock:
        lambda_svc._dynamodb_stream_positions[mapping["UUID"]] += first
    message = f"{len(records) - first} of {len(records)} records are delivered again"
    return {"error": True, "body": {"errorType": _REPORTS, "errorMessage": message}}
