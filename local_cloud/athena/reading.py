"""What a query may read: the catalog is asked as the caller, then Lake Formation, and S3 with what it hands out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from ministack.core import iam_evaluator
from ministack.services import iam, sts

from local_cloud.glue import catalog
from local_cloud.lakeformation import authoriser, lake
from local_cloud.server import clients, credentials

_CATALOGS = ("", "awsdatacatalog")
_DENIED = "Insufficient permissions to execute the query."


class QueryFailedError(Exception):
    """The query fails; the message is its StateChangeReason."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who a query is from."""

    access_key: str
    account: str
    region: str

    def client(self, service: str, keys: Mapping[str, str] | None = None) -> Any:
        """A client with the caller's credentials, or with other ones."""
        keys = keys or self._keys()
        return clients.client(service, account=self.account, region=self.region, credentials=keys)

    def _keys(self) -> Mapping[str, str] | None:
        if iam_evaluator.is_root_access_key(self.access_key):
            return None
        if session := sts._sessions.get(self.access_key):
            return {
                "AccessKeyId": self.access_key,
                "SecretAccessKey": session["SecretAccessKey"],
                "SessionToken": session["SessionToken"],
            }
        secret = iam._access_keys.get_scoped(self.account, None, self.access_key)["SecretAccessKey"]
        return {"AccessKeyId": self.access_key, "SecretAccessKey": secret}


@dataclass(frozen=True, kw_only=True)
class Object:
    """An object of a table, to be read with a client; `values` are those of its partition."""

    client: Any
    bucket: str
    key: str
    size: int
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a query, as far as the caller may read it."""

    database: str
    name: str
    columns: Sequence[Mapping[str, str]]
    readable: Mapping[str, authoriser.Rows]
    objects: Sequence[Object]

    def fetched(self, folder: Path) -> dict[str, Any]:
        """The table for the program that executes the query, with copies of its objects."""
        parts: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for place, one in enumerate(self.objects):
            target = folder / f"{self.database}.{self.name}.{place}.parquet"
            target.write_bytes(one.client.get_object(Bucket=one.bucket, Key=one.key)["Body"].read())
            parts.setdefault(one.values, []).append(str(target))
        return {
            "database": self.database,
            "name": self.name,
            "columns": [{"name": one["Name"], "type": one.get("Type", "string")} for one in self.columns],
            "readable": self.readable,
            "parts": [{"files": files, "values": dict(values)} for values, files in parts.items()],
        }


def table(caller: Caller, named: Sequence[str], database: str) -> Table:
    """Find a table and what the caller may read of it.

    Raises:
        QueryFailedError: there is none, or it may read nothing of it.
    """
    catalog_name, schema, name = named
    database = schema or database
    if catalog_name.lower() not in _CATALOGS or not database:
        raise QueryFailedError(f"TABLE_NOT_FOUND: Table '{'.'.join(filter(None, named))}' does not exist")
    glue = caller.client("glue")
    try:
        glue.get_table(DatabaseName=database, Name=name)
        whole = catalog.table(database, name)
        decision = authoriser.may(authoriser.caller(), database, name)
        if not decision.columns:
            raise QueryFailedError(f"{_DENIED} {authoriser.denied('Select', name).message}")
        return Table(
            database=database,
            name=name,
            columns=(*whole["StorageDescriptor"]["Columns"], *whole.get("PartitionKeys", ())),
            readable=decision.columns,
            objects=tuple(_objects(caller, glue, whole)),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "EntityNotFoundException":
            words = f"TABLE_NOT_FOUND: Table '{_CATALOGS[1]}.{database}.{name}' does not exist"
            raise QueryFailedError(words) from error
        raise QueryFailedError(f"{_DENIED} {error.response['Error']['Message']}") from error


def _objects(caller: Caller, glue: Any, whole: Mapping[str, Any]) -> Iterator[Object]:
    """The objects of a table, of which the catalog says where its partitions are."""
    keys = [key["Name"] for key in whole.get("PartitionKeys", ())]
    places: list[tuple[Mapping[str, Any], tuple[tuple[str, str], ...]]] = [(whole["StorageDescriptor"], ())]
    if keys:
        pages = glue.get_paginator("get_partitions").paginate(
            DatabaseName=whole["DatabaseName"], TableName=whole["Name"]
        )
        found = [partition for page in pages for partition in page["Partitions"]]
        places = [(one["StorageDescriptor"], tuple(zip(keys, one["Values"], strict=True))) for one in found]
    for storage, values in places:
        if "parquet" not in str(whole["StorageDescriptor"].get("InputFormat", "")).lower():
            raise QueryFailedError(f"NOT_SUPPORTED: {whole['Name']}: the local cloud's Athena reads parquet alone")
        bucket, _, prefix = storage["Location"].removeprefix("s3://").partition("/")
        prefix = f"{prefix.rstrip('/')}/" if prefix else ""
        client = _client(caller, storage["Location"])
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for one in page.get("Contents", ()):
                if one["Size"] and not one["Key"].rpartition("/")[2].startswith(("_", ".")):
                    yield Object(client=client, bucket=bucket, key=one["Key"], size=one["Size"], values=values)


def _client(caller: Caller, location: str) -> Any:
    """S3 with what Lake Formation hands out for a registered location, or else with the caller's credentials."""
    registered = lake.registered(location)
    if registered is None:
        return caller.client("s3")
    if iam_evaluator.enforce(caller.access_key, "lakeformation:GetDataAccess", "lakeformation", caller.region):
        raise QueryFailedError(f"{_DENIED} {authoriser.caller()} is not authorized: lakeformation:GetDataAccess")
    role = registered["RoleArn"]
    if role.endswith(f"/{lake.SERVICE_LINKED}"):
        return clients.client("s3", account=caller.account, region=caller.region)
    try:
        # https://docs.aws.amazon.com/lake-formation/latest/dg/cross-service-confused-deputy-prevention.html
        keys = credentials.assume_service_role(
            role,
            "lakeformation.amazonaws.com",
            "AWSLF-ATHENA",
            source_arn=f"arn:aws:lakeformation:{caller.region}:{caller.account}:*",
            source_account=caller.account,
        )
    except PermissionError as error:
        raise QueryFailedError(f"{_DENIED} {error}") from error
    return caller.client("s3", keys)
