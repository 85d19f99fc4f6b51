"""The lake in AWS: S3, and the Glue catalog."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.common.clients import client
from lambdas.common.errors import GranaryError
from lambdas.lake.model.datasets import PARTITION_KEYS
from lambdas.lake.spark.lake import Columns, Partition, Place, Values

# https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html
_KEPT = (
    "Name",
    "Description",
    "Owner",
    "LastAccessTime",
    "LastAnalyzedTime",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "TableType",
    "Parameters",
)
_PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


class AwsLake:
    """See `Lake`."""

    def __init__(self) -> None:
        self._s3, self._glue = client("s3"), client("glue")

    def root(self, bucket: str) -> str:
        return f"s3://{bucket}"

    def open(self, uri: str) -> IO[bytes]:
        # On this disk: a connection would not wait for whoever reads slowly, and is closed before its end is noticed.
        file = TemporaryFile()  # noqa: SIM115 - the caller closes it
        self._s3.download_fileobj(*_split(uri), file)
        file.seek(0)
        return file

    def copy(self, bucket: str, key: str, version: str, uri: str) -> None:
        to_bucket, to_key = _split(uri)
        # In parts if it has to be: one call copies 5 GB. Without the tags, which other permissions would be for.
        source = {"Bucket": bucket, "Key": key, "VersionId": version}
        self._s3.copy(source, to_bucket, to_key, ExtraArgs={"TaggingDirective": "REPLACE"})

    def delete(self, folder: str, *, but: str = "") -> None:
        (bucket, prefix), kept = _split(f"{folder}/"), f"{but}/"
        try:
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                found = (one["Key"] for one in page.get("Contents", []))
                if keys := [{"Key": key} for key in found if not f"s3://{bucket}/{key}".startswith(kept)]:
                    self._s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
        except (BotoCoreError, ClientError) as error:
            print(f"{folder} is left over: {error}")

    def ensure_database(self, database: str) -> None:
        try:
            self._glue.get_database(Name=database)
        except self._glue.exceptions.EntityNotFoundException:
            # Without permissions for everybody (IAMAllowedPrincipals): Lake Formation would have no say.
            given = {"Name": database, "CreateTableDefaultPermissions": []}
            self._unless(self._glue.exceptions.AlreadyExistsException, self._glue.create_database, DatabaseInput=given)

    def columns(self, place: Place) -> Columns | None:
        table = self._table(place)
        if not table:
            return None
        if (keys := tuple(one["Name"] for one in table.get("PartitionKeys", []))) != PARTITION_KEYS:
            raise GranaryError(
                f"the table {place.database}.{place.table} is partitioned by {', '.join(keys) or 'nothing'}: somebody "
                "else has made it; remove it from the catalog, or give the dataset another table"
            )
        return _columns(table["StorageDescriptor"])

    def put_columns(self, place: Place, columns: Columns, *, before: Columns | None) -> bool:
        errors = self._glue.exceptions
        if before is None:
            given = {
                "Name": place.table,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
                "PartitionKeys": [{"Name": name, "Type": "string"} for name in PARTITION_KEYS],
                "StorageDescriptor": _storage(columns, f"{place.location}/"),
            }
            create = self._glue.create_table
            return self._unless(errors.AlreadyExistsException, create, DatabaseName=place.database, TableInput=given)
        table = self._table(place)
        if not table or _columns(table["StorageDescriptor"]) != before:
            return False
        # Others may have written on it: what it has stays as it is, each old column with its comment.
        kept = {name: table[name] for name in _KEPT if name in table}
        old = {one["Name"]: one for one in table["StorageDescriptor"]["Columns"]}
        grown = [old.get(one["Name"], one) for one in _storage(columns, "")["Columns"]]
        kept["StorageDescriptor"] = {**table["StorageDescriptor"], "Columns": grown}
        return self._unless(
            errors.ConcurrentModificationException,
            self._glue.update_table,
            DatabaseName=place.database,
            TableInput=kept,
            **({"VersionId": table["VersionId"]} if "VersionId" in table else {}),
        )

    def partition(self, place: Place, values: Values) -> Partition | None:
        try:
            found = self._glue.get_partition(**_named(place), PartitionValues=list(values))["Partition"]
        except self._glue.exceptions.EntityNotFoundException:
            return None
        storage = found["StorageDescriptor"]
        return Partition(
            values=tuple(found["Values"]),
            location=storage["Location"].rstrip("/"),
            columns=_columns(storage),
            parameters=found.get("Parameters", {}),
        )

    def add_partition(self, place: Place, partition: Partition) -> None:
        create, given = self._glue.create_partition, _partition(partition)
        self._unless(self._glue.exceptions.AlreadyExistsException, create, **_named(place), PartitionInput=given)

    def replace_partition(self, place: Place, partition: Partition) -> None:
        given = _partition(partition)
        self._glue.update_partition(**_named(place), PartitionValueList=given["Values"], PartitionInput=given)

    def _table(self, place: Place) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._glue.get_table(DatabaseName=place.database, Name=place.table)["Table"]
        except self._glue.exceptions.EntityNotFoundException:
            return None
        return found

    @staticmethod
    def _unless(error: type[ClientError], call: Any, **given: Any) -> bool:
        """Whether a call was done; false if it was refused with this error."""
        try:
            call(**given)
        except error:
            return False
        return True


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _named(place: Place) -> dict[str, str]:
    return {"DatabaseName": place.database, "TableName": place.table}


def _partition(partition: Partition) -> dict[str, Any]:
    return {
        "Values": list(partition.values),
        "StorageDescriptor": _storage(partition.columns, f"{partition.location}/"),
        "Parameters": dict(partition.parameters),
    }


def _storage(columns: Columns, location: str) -> dict[str, Any]:
    return {"Columns": [{"Name": name, "Type": kind} for name, kind in columns], "Location": location, **_PARQUET}


def _columns(storage: dict[str, Any]) -> Columns:
    return tuple((one["Name"], one["Type"]) for one in storage["Columns"])
