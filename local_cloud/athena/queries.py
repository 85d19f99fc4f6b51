"""Queries: started, executed in a thread, told about.

https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html
"""

from __future__ import annotations

import contextvars
import logging
import re
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region
from ministack.services import athena

from lambdas.gates.scanners.environments import EnvironmentError_
from local_cloud.athena import program, reading
from local_cloud.athena.reading import Caller, QueryFailedError
from local_cloud.glue.paging import page
from local_cloud.server import settings
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
_MOST_ROWS = 1000
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
_NO_COLUMN = re.compile(r'(?:Referenced|have a) column (?:named )?"([^"]+)"(?: not found)?')
_log = logging.getLogger("local_cloud.athena")
caller_key: contextvars.ContextVar[str] = contextvars.ContextVar("caller of Athena")
_executions: Any = AccountRegionScopedDict()
_tokens: Any = AccountRegionScopedDict()


class _CancelledError(Exception):
    """The query is stopped; the message says why."""


@dataclass(kw_only=True)
class _Execution:
    """A query; `record` is what the API tells of it."""

    record: dict[str, Any]
    caller: Caller
    cutoff: int | None
    answer: dict[str, Any] = field(default_factory=dict)
    stopped: bool = False
    process: subprocess.Popen[bytes] | None = None

    def started(self, process: subprocess.Popen[bytes]) -> None:
        """Know the process that is to be ended when the query is stopped."""
        self.process = process
        if self.stopped:
            process.kill()

    def change(self, state: str, reason: str = "") -> None:
        """Enter a state, unless it has come to its end."""
        status = self.record["Status"]
        if status["State"] in _ENDED:
            return
        ended = {"CompletionDateTime": time.time()} if state in _ENDED else {}
        told = {"StateChangeReason": reason} if reason else {}
        self.record["Status"] = {**status, "State": state, **told, **ended}


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidRequestException", message)


def _start(request: Request) -> dict[str, Any]:
    for given in ("ExecutionParameters", "ResultReuseConfiguration", "EngineConfiguration"):
        if request.get(given):
            raise _invalid(f"The local cloud's Athena does not do {given}")
    token = request.get("ClientRequestToken", str(uuid.uuid4()))
    if token in _tokens:
        return {"QueryExecutionId": _tokens[token]}
    name = request.get("WorkGroup", "primary")
    group = athena._workgroups.get(name)
    if group is None:
        raise _invalid(f"WorkGroup {name} is not found.")
    if group["State"] != "ENABLED":
        raise _invalid(f"WorkGroup {name} is disabled.")
    of_group, identifier = group.get("Configuration") or {}, str(uuid.uuid4())
    result = dict(of_group.get("ResultConfiguration") or {})
    if not of_group.get("EnforceWorkGroupConfiguration", name != "primary"):
        result |= request.get("ResultConfiguration", {})
    if not result.get("OutputLocation"):
        raise _invalid("No output location provided, neither by the work group nor by the request.")
    result["OutputLocation"] = f"{result['OutputLocation'].rstrip('/')}/{identifier}.csv"
    record = {
        "QueryExecutionId": identifier,
        "Query": request["QueryString"],
        "StatementType": "DML",
        "ResultConfiguration": result,
        "QueryExecutionContext": dict(request.get("QueryExecutionContext", {})),
        "Status": {"State": "QUEUED", "SubmissionDateTime": time.time()},
        "Statistics": {"DataScannedInBytes": 0},
        "WorkGroup": name,
    }
    caller = Caller(access_key=caller_key.get(), account=get_account_id(), region=get_region())
    cutoff = of_group.get("BytesScannedCutoffPerQuery")
    execution = _Execution(record=record, caller=caller, cutoff=int(cutoff) if cutoff else None)
    _executions[identifier], _tokens[token] = execution, identifier
    # The stores that the thread touches are scoped by context variables, and who asks is one.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_execute, execution), daemon=True, name=identifier).start()
    return {"QueryExecutionId": identifier}


def _execute(execution: _Execution) -> None:
    """Execute a query and complete its record, whatever happens."""
    started = time.monotonic()
    execution.change("RUNNING")
    try:
        with tempfile.TemporaryDirectory(dir=settings.current().scratch_dir) as folder:
            _work(execution, Path(folder))
        state, reason = "SUCCEEDED", ""
    except _CancelledError as stopped:
        state, reason = "CANCELLED", str(stopped)
    except (QueryFailedError, program.FailedError, EnvironmentError_) as failure:
        state, reason = "FAILED", str(failure)
    except ClientError as error:
        state, reason = "FAILED", f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    except Exception as error:
        _log.exception("Query %s: the local cloud itself failed", execution.record["QueryExecutionId"])
        state, reason = "FAILED", f"The local cloud itself failed: {error}"
    execution.record["Statistics"]["EngineExecutionTimeInMillis"] = round((time.monotonic() - started) * 1000)
    execution.change(state, reason)


def _work(execution: _Execution, folder: Path) -> None:
    record, sql = execution.record, execution.record["Query"].strip().rstrip(";")
    database = record["QueryExecutionContext"].get("Database", "")
    named = program.run({"sql": sql}, execution.started)
    if refused := named.get("refused"):
        raise QueryFailedError(f"NOT_SUPPORTED: The local cloud's Athena answers SELECT alone. {refused}")
    if wrong := named.get("syntax") or named.get("error"):
        raise QueryFailedError(f"SYNTAX_ERROR: {wrong}")
    tables = [reading.table(execution.caller, one, database) for one in named["tables"]]
    scanned = sum(one.size for table in tables for one in table.objects)
    record["Statistics"]["DataScannedInBytes"] = scanned
    if execution.cutoff is not None and scanned > execution.cutoff:
        raise _CancelledError(f"Bytes scanned limit was exceeded: {scanned} of {execution.cutoff}")
    given = [table.fetched(folder) for table in tables]
    answer = program.run({"sql": sql, "database": database, "tables": given}, execution.started)
    if wrong := answer.get("error"):
        raise QueryFailedError(_told(wrong))
    _keep(execution, answer)


def _told(error: str) -> str:
    if found := _NO_COLUMN.search(error):
        why = "cannot be resolved or requester is not authorized to access requested resources"
        return f"COLUMN_NOT_FOUND: Column '{found[1]}' {why}"
    return f"SYNTAX_ERROR: {error}"


def _keep(execution: _Execution, answer: dict[str, Any]) -> None:
    """Write the answer as the caller, encrypted as the work group says."""
    names = [column["Name"] for column in answer["columns"]]
    # A text is quoted, so that what is absent differs from what is empty.
    lines = (",".join("" if one is None else _quoted(one) for one in row) for row in (names, *answer["rows"]))
    text = "".join(f"{line}\n" for line in lines)
    result = execution.record["ResultConfiguration"]
    encryption = result.get("EncryptionConfiguration", {})
    kinds = {"SSE_S3": "AES256", "SSE_KMS": "aws:kms"}
    more = {"ServerSideEncryption": kinds[encryption["EncryptionOption"]]} if encryption else {}
    if key := encryption.get("KmsKey"):
        more["SSEKMSKeyId"] = key
    bucket, _, name = result["OutputLocation"].removeprefix("s3://").partition("/")
    execution.caller.client("s3").put_object(Bucket=bucket, Key=name, Body=text.encode(), **more)
    execution.answer = answer


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def of(identifier: str) -> _Execution:
    """A query; raises ServiceError when there is none."""
    found: _Execution | None = _executions.get(identifier)
    if found is None:
        raise _invalid(f"QueryExecution {identifier} was not found")
    return found


def work_group_of(identifier: str) -> str | None:
    """The work group of a query, if there is such a query."""
    found = _executions.get(identifier)
    return str(found.record["WorkGroup"]) if found else None


def _stop(request: Request) -> dict[str, Any]:
    execution = of(request["QueryExecutionId"])
    execution.stopped = True
    if execution.process is not None:
        execution.process.kill()
    execution.change("CANCELLED", "Query was cancelled by a request")
    return {}


def _results(request: Request) -> dict[str, Any]:
    """Rows, the first of which has the names; the caller must be able to read the object that has them."""
    execution = of(request["QueryExecutionId"])
    state = execution.record["Status"]["State"]
    if state != "SUCCEEDED":
        raise _invalid(f"Query did not finish successfully, or not yet. State: {state}")
    caller = Caller(access_key=caller_key.get(), account=get_account_id(), region=get_region())
    location = execution.record["ResultConfiguration"]["OutputLocation"]
    bucket, _, name = location.removeprefix("s3://").partition("/")
    try:
        caller.client("s3").get_object(Bucket=bucket, Key=name)
    except ClientError as error:
        raise _invalid(f"Query results cannot be read from {location}: {error}") from error
    columns = execution.answer["columns"]
    rows = enumerate([[column["Name"] for column in columns], *execution.answer["rows"]])
    known = [{"place": place, "row": row} for place, row in rows]
    found = page(known, request, under="Rows", key=lambda one: [one["place"]], most=_MOST_ROWS)
    cells = [{"Data": [_cell(value) for value in one["row"]]} for one in found.pop("Rows")]
    return {"ResultSet": {"Rows": cells, "ResultSetMetadata": {"ColumnInfo": columns}}, **found}


def _cell(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


OPERATIONS: Mapping[str, Operation] = {
    "StartQueryExecution": _start,
    "StopQueryExecution": _stop,
    "GetQueryExecution": lambda request: {"QueryExecution": of(request["QueryExecutionId"]).record},
    "GetQueryResults": _results,
}
