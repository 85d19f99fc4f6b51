"""Crawlers of Glue: they list what is in S3 as their role, and tell the catalog of tables and partitions of parquet.

https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html
"""

from __future__ import annotations

import contextvars
import json
import logging
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region
from ministack.services import glue

from lambdas.gates.scanners.environments import EnvironmentError_
from local_cloud.athena import program
from local_cloud.glue import registration
from local_cloud.server import clients, credentials, events, settings
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
_STORAGE = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}
_log = logging.getLogger("local_cloud.crawlers")
# A table's folder, its partition's folder, the partition's keys and values, and an object of it.
_Found = tuple[str, str, tuple[tuple[str, str], ...], str]


def register() -> None:
    """Add the operations to Glue; once, before serving."""
    operations = registration.SERVICE.operations
    operations["StartCrawler"] = _start
    operations["StopCrawler"] = _stop
    for name in ("CreateCrawler", "UpdateCrawler"):
        operations[name] = _checked(operations[name])


def _checked(operation: Operation) -> Operation:
    def call(request: Request) -> dict[str, Any]:
        targets = request.get("Targets", {})
        if others := {kind for kind in targets if kind != "S3Targets" and targets[kind]}:
            raise ServiceError("InvalidInputException", f"The local cloud crawls S3Targets alone, not {sorted(others)}")
        if request.get("Classifiers"):
            raise ServiceError("InvalidInputException", "The local cloud's crawlers do not apply Classifiers")
        # The bucket is level 1: tables are the folders right below each target.
        levels = {
            len(one["Path"].removeprefix("s3://").strip("/").split("/")) + 1 for one in targets.get("S3Targets", ())
        }
        tables = [{"Version": 1.0, "Grouping": {"TableLevelConfiguration": level}} for level in levels]
        if (told := request.get("Configuration")) and [json.loads(told)] != tables:
            raise ServiceError("InvalidInputException", f"The local cloud's crawlers group as {tables} say, not {told}")
        return operation(request)

    return call


def _crawler(request: Request) -> dict[str, Any]:
    found: dict[str, Any] | None = glue._crawlers.get(request["Name"])
    if found is None:
        raise ServiceError("EntityNotFoundException", f"Crawler {request['Name']} not found")
    return found


def _start(request: Request) -> dict[str, Any]:
    crawler = _crawler(request)
    if crawler["State"] != "READY":
        raise ServiceError("CrawlerRunningException", f"Crawler with name {crawler['Name']} has already started")
    crawler["State"] = "RUNNING"
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_crawl, crawler), daemon=True, name=crawler["Name"]).start()
    return {}


def _stop(request: Request) -> dict[str, Any]:
    crawler = _crawler(request)
    if crawler["State"] != "RUNNING":
        raise ServiceError("CrawlerNotRunningException", f"Crawler with name {crawler['Name']} is not running")
    crawler["State"] = "STOPPING"
    return {}


class _StoppedError(Exception):
    """Somebody has stopped the crawler."""


def _crawl(crawler: dict[str, Any]) -> None:
    started, counts, message = time.time(), {"tablesCreated": 0, "tablesUpdated": 0, "partitionsCreated": 0}, ""
    try:
        _work(crawler, counts)
        status = "SUCCEEDED"
    except _StoppedError:
        status = "CANCELLED"
    except (ClientError, PermissionError, program.FailedError, EnvironmentError_) as error:
        status, message = "FAILED", str(error)
    except Exception as error:
        _log.exception("Crawler %s: the local cloud itself failed", crawler["Name"])
        status, message = "FAILED", f"The local cloud itself failed: {error}"
    told = {"ErrorMessage": message} if message else {}
    crawler["LastCrawl"] = {"Status": status, "StartTime": started, **told}
    crawler["State"] = "READY"
    if status == "CANCELLED":
        return
    state = status.title()
    detail = {"accountId": get_account_id(), "crawlerName": crawler["Name"], "state": state}
    detail |= {"message": f"Crawler {state}", **{key: str(value) for key, value in counts.items()}}
    detail |= {"errorMessage": message} if message else {}
    events.publish(get_account_id(), get_region(), "aws.glue", "Glue Crawler State Change", detail, [])


def _work(crawler: Mapping[str, Any], counts: dict[str, int]) -> None:
    account, region, role = get_account_id(), get_region(), crawler["Role"]
    arn = role if role.startswith("arn:") else f"arn:aws:iam::{account}:role/{role}"
    source = f"arn:aws:glue:{region}:{account}:crawler/{crawler['Name']}"
    keys = credentials.assume_service_role(arn, "glue.amazonaws.com", "AWS-Crawler", source, account)
    catalog, s3 = (clients.client(one, account=account, region=region, credentials=keys) for one in ("glue", "s3"))
    done: set[str] = set()
    for target in crawler["Targets"].get("S3Targets", ()):
        for folder, place, values, key in _objects(s3, target["Path"]):
            if crawler["State"] == "STOPPING":
                raise _StoppedError
            if place in done:
                continue
            bucket = target["Path"].removeprefix("s3://").partition("/")[0]
            table = re.sub(r"\W", "_", crawler.get("TablePrefix", "") + folder.rpartition("/")[2].lower())
            named = {"DatabaseName": crawler["DatabaseName"], "TableName": table}
            if folder not in done:
                columns = _columns(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
                storage = {**_STORAGE, "Columns": columns, "Location": f"s3://{folder}/"}
                _put_table(catalog, crawler, named, storage, [name for name, _ in values], counts)
            done |= {folder, place}
            if values:
                whole = catalog.get_table(DatabaseName=named["DatabaseName"], Name=table)["Table"]["StorageDescriptor"]
                _put_partition(catalog, named, {**whole, "Location": f"s3://{place}/"}, values, counts)


def _objects(s3: Any, path: str) -> Iterator[_Found]:
    """Objects below a target; folders `key=value` are partitions of the table whose folder they are in."""
    bucket, _, prefix = path.removeprefix("s3://").partition("/")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for one in page.get("Contents", ()):
            if not one["Size"] or not one["Key"].endswith(".parquet"):
                continue
            folders = one["Key"].split("/")[:-1]
            pairs = tuple((name, value) for name, same, value in (one.partition("=") for one in folders) if same)
            table = folders[: next((at for at, folder in enumerate(folders) if "=" in folder), len(folders))]
            yield "/".join((bucket, *table)), "/".join((bucket, *folders)), pairs, one["Key"]


def _columns(content: bytes) -> list[dict[str, str]]:
    with tempfile.NamedTemporaryFile(dir=settings.current().scratch_dir, suffix=".parquet") as file:
        Path(file.name).write_bytes(content)
        answer = program.run({"file": file.name})
    if error := answer.get("error"):
        raise program.FailedError(error)
    return [{"Name": name, "Type": kind} for name, kind in answer["columns"]]


def _put_table(  # noqa: PLR0917 - what a table is made of
    catalog: Any,
    crawler: Request,
    named: Mapping[str, str],
    storage: Request,
    keys: list[str],
    counts: dict[str, int],
) -> None:
    table: dict[str, Any] = {"Name": named["TableName"], "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
    table["PartitionKeys"] = [{"Name": name, "Type": "string"} for name in keys]
    table["Parameters"] = {"classification": "parquet", "UPDATED_BY_CRAWLER": crawler["Name"]}
    try:
        catalog.create_table(DatabaseName=named["DatabaseName"], TableInput=table)
        counts["tablesCreated"] += 1
    except catalog.exceptions.AlreadyExistsException:
        there = catalog.get_table(DatabaseName=named["DatabaseName"], Name=named["TableName"])["Table"]
        behaviour = crawler.get("SchemaChangePolicy", {}).get("UpdateBehavior", "UPDATE_IN_DATABASE")
        if there["StorageDescriptor"]["Columns"] != storage["Columns"] and behaviour == "UPDATE_IN_DATABASE":
            catalog.update_table(DatabaseName=named["DatabaseName"], TableInput=table)
            counts["tablesUpdated"] += 1


def _put_partition(
    catalog: Any,
    named: Mapping[str, str],
    storage: Request,
    values: tuple[tuple[str, str], ...],
    counts: dict[str, int],
) -> None:
    partition = {"Values": [value for _, value in values], "StorageDescriptor": storage}
    try:
        catalog.create_partition(**named, PartitionInput=partition)
        counts["partitionsCreated"] += 1
    except catalog.exceptions.AlreadyExistsException:
        return
