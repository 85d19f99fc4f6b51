"""The lake in AWS: conditional creation, what a table keeps when it grows, versions of objects."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from urllib3 import HTTPResponse

from lambdas.common.errors import GranaryError
from lambdas.lake.model.commits import CODE
from lambdas.lake.model.datasets import Column, Dataset
from lambdas.lake.spark.aws import AwsLake
from lambdas.lake.spark.committing import carry_out
from lambdas.lake.spark.lake import Partition, Place
from lambdas.lake.spark.records import summary

VALUES = ("2026", "01", "31", "0" * 32)
TABLE = Place(root="s3://zone", database="conformed", table="trips")
QUARANTINE = Place(root="s3://zone", database="conformed", table="trips_quarantine")
COLUMNS = (("id", "int"), ("fare", "decimal(12,2)"))


@pytest.fixture
def lake(aws: None) -> AwsLake:
    s3 = boto3.client("s3")
    for bucket in ("raw", "zone", "temporary"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="raw", VersioningConfiguration={"Status": "Enabled"})
    lake = AwsLake()
    lake.ensure_database(TABLE.database)
    return lake


def partition(location: str) -> Partition:
    return Partition(values=VALUES, location=f"s3://zone/{location}", columns=COLUMNS, parameters={CODE: "abc"})


def table(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = boto3.client("glue").get_table(DatabaseName=place.database, Name=place.table)["Table"]
    return found


def keys(bucket: str) -> list[str]:
    return [one["Key"] for one in boto3.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def run(lake: AwsLake, attempt: str) -> Partition:
    """An attempt that writes a file into each folder."""
    s3 = boto3.client("s3")

    def write(*folders: str) -> dict[str, str]:
        for folder in folders:
            s3.put_object(Bucket="zone", Key=f"{folder.removeprefix('s3://zone/')}/part-0.parquet", Body=b"x")
        return {CODE: "abc"}

    return carry_out(lake, TABLE, values=VALUES, columns=COLUMNS, attempt=attempt, write=write, quarantine=QUARANTINE)


def test_the_first_attempt_is_committed_and_the_second_changes_nothing(lake: AwsLake) -> None:
    first = run(lake, "run-1")
    assert first.location == f"{TABLE.location}/year=2026/month=01/day=31/object={VALUES[3]}/run-1"
    assert run(lake, "run-2") == first == lake.partition(TABLE, VALUES)
    there = lake.partition(QUARANTINE, VALUES)
    assert there
    assert there.location == first.parameters["granary_quarantine"]
    assert [key.rpartition("/")[0].rpartition("/")[2] for key in keys("zone")] == ["run-1", "run-1"]


def test_creating_a_partition_that_there_is_changes_nothing(lake: AwsLake) -> None:
    lake.put_columns(TABLE, COLUMNS, before=None)
    lake.add_partition(TABLE, partition("first"))
    lake.add_partition(TABLE, partition("second"))
    assert lake.partition(TABLE, VALUES) == partition("first")
    lake.replace_partition(TABLE, partition("second"))
    assert lake.partition(TABLE, VALUES) == partition("second")


def test_what_is_absent_is_none(lake: AwsLake) -> None:
    assert lake.columns(TABLE) is None
    assert lake.partition(TABLE, VALUES) is None
    lake.put_columns(TABLE, COLUMNS, before=None)
    assert lake.partition(TABLE, VALUES) is None


def test_a_refusal_is_not_taken_for_absence(lake: AwsLake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The public sample takes a throttle for a table that is not there."""
    error = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "GetPartition")

    def refuse(**_given: object) -> None:
        raise error

    for name in ("get_partition", "get_table", "get_database", "create_partition"):
        monkeypatch.setattr(lake._glue, name, refuse)
    for call in (
        lambda: lake.partition(TABLE, VALUES),
        lambda: lake.columns(TABLE),
        lambda: lake.ensure_database("conformed"),
        lambda: lake.add_partition(TABLE, partition("first")),
    ):
        with pytest.raises(ClientError, match="slow"):
            call()


def test_a_database_of_ours_gives_nobody_permissions(lake: AwsLake) -> None:
    found = boto3.client("glue").get_database(Name=TABLE.database)["Database"]
    assert found.get("CreateTableDefaultPermissions", []) == []


def test_a_table_that_grows_keeps_what_others_have_written_on_it(lake: AwsLake) -> None:
    assert lake.put_columns(TABLE, COLUMNS, before=None)
    found = table(TABLE)
    assert found["StorageDescriptor"]["Location"] == "s3://zone/conformed/trips/"
    assert [one["Name"] for one in found["PartitionKeys"]] == ["year", "month", "day", "object"]
    found["StorageDescriptor"]["Columns"][0]["Comment"] = "kept"
    given = {name: found[name] for name in ("Name", "StorageDescriptor", "PartitionKeys", "Parameters", "TableType")}
    boto3.client("glue").update_table(DatabaseName="conformed", TableInput={**given, "Description": "kept"})
    assert lake.put_columns(TABLE, (*COLUMNS, ("new", "date")), before=COLUMNS)
    assert lake.columns(TABLE) == (*COLUMNS, ("new", "date"))
    found = table(TABLE)
    assert (found["Description"], found["Parameters"]["classification"]) == ("kept", "parquet")
    assert found["StorageDescriptor"]["Columns"][0]["Comment"] == "kept"


def test_a_table_that_is_not_as_it_was_is_left_alone(lake: AwsLake) -> None:
    assert lake.put_columns(TABLE, COLUMNS, before=None)
    assert not lake.put_columns(TABLE, (("other", "int"),), before=None)
    assert not lake.put_columns(TABLE, (("other", "int"),), before=COLUMNS[:1])
    assert lake.columns(TABLE) == COLUMNS


def test_a_table_of_somebody_elses_is_refused(lake: AwsLake) -> None:
    given = {"Name": "trips", "StorageDescriptor": {"Columns": [], "Location": "s3://x/"}, "PartitionKeys": []}
    boto3.client("glue").create_table(DatabaseName="conformed", TableInput=given)
    with pytest.raises(GranaryError, match=r"conformed\.trips is partitioned by nothing: somebody else has made it"):
        lake.columns(TABLE)


def test_the_version_that_was_claimed_is_the_one_that_is_read(lake: AwsLake) -> None:
    s3 = boto3.client("s3")
    version = s3.put_object(Bucket="raw", Key="a b/c+.csv", Body=b"id\n1\n2\n")["VersionId"]
    s3.put_object(Bucket="raw", Key="a b/c+.csv", Body=b"later")
    lake.copy("raw", "a b/c+.csv", version, "s3://temporary/x/run/object.csv")
    dataset = Dataset(name="a", prefix="b/a/", table="a", columns=(Column(name="id"),))
    with lake.open("s3://temporary/x/run/object.csv") as stream:
        assert summary(stream, dataset).read == 2


def test_a_connection_that_is_closed_at_its_end_has_given_all(lake: AwsLake) -> None:
    """The answers of a real S3 close themselves; moto's do not."""
    content = b"id\n1\n2\n"
    boto3.client("s3").put_object(Bucket="zone", Key="a.csv", Body=content)

    def answer(request: AWSPreparedRequest, **_given: object) -> AWSResponse:
        headers = HTTPHeaders()
        headers["Content-Length"] = str(len(content))
        raw = HTTPResponse(io.BytesIO(content), status=200, preload_content=False)
        return AWSResponse(request.url, 200, headers, raw)

    event = "before-send.s3.GetObject"
    lake._s3.meta.events.register_first(event, answer)
    dataset = Dataset(name="a", prefix="b/a/", table="a", columns=(Column(name="id"),))
    try:
        with lake.open("s3://zone/a.csv") as stream:
            assert summary(stream, dataset).read == 2
    finally:
        lake._s3.meta.events.unregister(event, answer)


def test_a_folder_is_deleted_and_its_neighbour_is_not(lake: AwsLake) -> None:
    s3 = boto3.client("s3")
    for key in ("x/run-1/a", "x/run-1/b/c", "x/run-10/a"):
        s3.put_object(Bucket="temporary", Key=key, Body=io.BytesIO(b""))
    lake.delete("s3://temporary/x/run-1")
    assert keys("temporary") == ["x/run-10/a"]


def test_of_a_folder_all_is_deleted_but_what_is_to_stay(lake: AwsLake) -> None:
    s3 = boto3.client("s3")
    for key in ("x/run-1/a", "x/run-10/a", "x/run-2/b", "xy/run-2/a"):
        s3.put_object(Bucket="temporary", Key=key, Body=io.BytesIO(b""))
    lake.delete("s3://temporary/x", but="s3://temporary/x/run-1")
    assert keys("temporary") == ["x/run-1/a", "xy/run-2/a"]


def test_what_cannot_be_deleted_fails_no_job(lake: AwsLake, capsys: pytest.CaptureFixture[str]) -> None:
    lake.delete("s3://nowhere/x/run-1")
    assert "s3://nowhere/x/run-1 is left over: " in capsys.readouterr().out
