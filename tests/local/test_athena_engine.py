"""The local cloud's Athena: a query reads what IAM and Lake Formation let its caller read, and nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.athena import program
from tests.local.local_cloud_fixtures import Workbench, allow, wait_until

_COLUMNS = {"fare": "double", "phone": "string", "zone": "string"}
_RIDES = {"DatabaseName": "lake", "Name": "rides"}
_ROWS = "(values (5.5::double, '12', 'a'), (7.25, null, 'b'), (1.0, '', 'b')) as rides(fare, phone, zone)"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"


@pytest.fixture(scope="session")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Three rides, without a column that the table got later."""
    target = tmp_path_factory.mktemp("rides") / "rides.parquet"
    script = f"import duckdb; duckdb.sql(\"copy (select fare, phone, zone from {_ROWS}) to '{target}'\")"  # noqa: S608
    subprocess.run([str(program.python()), "-c", script], check=True)
    return Path(target).read_bytes()


class Lake:
    """An account with a governed table in two partitions, and a role that queries it."""

    def __init__(self, workbench: Workbench, parquet: bytes) -> None:
        self.bench, self.data = workbench, f"data-{workbench.account}"
        self.results = f"results-{workbench.account}"
        self.s3, self.lakeformation = workbench.client("s3"), workbench.client("lakeformation")
        for bucket in (self.data, self.results):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": workbench.region})
        self.lakeformation.put_data_lake_settings(DataLakeSettings={})
        self._catalog(workbench.client("glue"), parquet)
        configuration = {"ResultConfiguration": {"OutputLocation": f"s3://{self.results}/analysts/"}}
        for name in ("analysts", "others"):
            workbench.client("athena").create_work_group(Name=name, Configuration=configuration)
        self.role = self.analyst("analyst", allow("lakeformation:GetDataAccess"))

    def _catalog(self, glue: Any, parquet: bytes) -> None:
        storage: dict[str, Any] = {
            "Columns": [{"Name": name, "Type": kind} for name, kind in (*_COLUMNS.items(), ("tip", "int"))]
        }
        storage |= {"InputFormat": _PARQUET, "Location": f"s3://{self.data}/rides/"}
        days = [{"Name": "day", "Type": "string"}]
        glue.create_database(DatabaseInput={"Name": "lake"})
        table = {"Name": "rides", "StorageDescriptor": storage, "PartitionKeys": days}
        glue.create_table(DatabaseName="lake", TableInput=table)
        for day in ("2026-01-01", "2026-01-02"):
            self.s3.put_object(Bucket=self.data, Key=f"rides/day={day}/1.parquet", Body=parquet)
            place = {**storage, "Location": f"s3://{self.data}/rides/day={day}/"}
            partition = {"Values": [day], "StorageDescriptor": place}
            glue.create_partition(DatabaseName="lake", TableName="rides", PartitionInput=partition)

    def register(self) -> None:
        """Let Lake Formation hand out access to the data."""
        reads = allow(
            "s3:ListBucket", "s3:GetObject", resource=[f"arn:aws:s3:::{self.data}{end}" for end in ("", "/*")]
        )
        role = self.bench.role("data", principal={"Service": "lakeformation.amazonaws.com"}, statements=[reads])
        self.lakeformation.register_resource(ResourceArn=f"arn:aws:s3:::{self.data}", RoleArn=role)

    def analyst(self, name: str, *more: Any) -> str:
        """A role that may use one work group, keep its results, and ask the catalog."""
        athena = f"arn:aws:athena:{self.bench.region}:{self.bench.account}:workgroup/analysts"
        statements = [
            allow("athena:*", resource=athena),
            allow("glue:GetTable", "glue:GetPartitions"),
            allow("s3:PutObject", "s3:GetObject", resource=f"arn:aws:s3:::{self.results}/analysts/*"),
            *more,
        ]
        return self.bench.role(name, principal={"AWS": self.bench.account}, statements=statements)

    def grant(self, role: str, resource: dict[str, Any], *permissions: str) -> None:
        """Grant as the root."""
        principal = {"DataLakePrincipalIdentifier": role}
        self.lakeformation.grant_permissions(Principal=principal, Resource=resource, Permissions=list(permissions))

    def athena(self, role: str | None = None) -> Any:
        """A client with a role's credentials."""
        return self.bench.client("athena", self.bench.assume(role or self.role))

    def ended(self, sql: str, role: str | None = None, **more: Any) -> dict[str, Any]:
        """What is told of a query when it has ended."""
        athena = self.athena(role)
        given = {"WorkGroup": "analysts", "QueryExecutionContext": {"Database": "lake"}, **more}
        identifier = athena.start_query_execution(QueryString=sql, **given)["QueryExecutionId"]

        def end() -> dict[str, Any] | None:
            told: dict[str, Any] = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
            return told if told["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED") else None

        found: dict[str, Any] = wait_until(end, what="the end of the query")
        return found

    def rows(self, sql: str, role: str | None = None, **more: Any) -> list[list[str | None]]:
        """The rows of a query that succeeds, the first of which has the names."""
        told = self.ended(sql, role, **more)
        assert told["Status"]["State"] == "SUCCEEDED", told["Status"]
        pages = (
            self.athena(role)
            .get_paginator("get_query_results")
            .paginate(QueryExecutionId=told["QueryExecutionId"], PaginationConfig={"PageSize": 2})
        )
        return [
            [cell.get("VarCharValue") for cell in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]
        ]

    def reason(self, sql: str, role: str | None = None, **more: Any) -> str:
        """Why a query failed."""
        status = self.ended(sql, role, **more)["Status"]
        assert status["State"] == "FAILED", status
        return str(status["StateChangeReason"])


@pytest.fixture
def lake(workbench: Workbench, parquet: bytes) -> Lake:
    return Lake(workbench, parquet)


def test_a_query_reads_the_columns_that_are_granted(lake: Lake) -> None:
    """Given a location of which S3 lets the caller read nothing, then Lake Formation's grants let it read columns."""
    lake.register()
    assert "Insufficient Lake Formation permission(s)" in lake.reason("select * from rides")
    lake.grant(lake.role, {"TableWithColumns": {**_RIDES, "ColumnNames": ["fare", "day", "tip"]}}, "SELECT")
    everything = lake.rows("select * from rides order by day, fare")
    assert everything[:2] == [["fare", "tip", "day"], ["1.0", None, "2026-01-01"]]
    assert len(everything) == 7
    refused = "COLUMN_NOT_FOUND: Column 'phone' cannot be resolved or requester is not authorized"
    for sql in ("select phone from rides", "select count(*) from rides where rides.phone = '12'"):
        assert refused in lake.reason(sql)
    (without_context,) = lake.rows("select count(*) from lake.rides", QueryExecutionContext={})[1:]
    assert without_context == ["6"]
    late = "select fare from awsdatacatalog.\"lake\".rides where day > '2026-01-01'"
    assert lake.rows(f"with late as ({late}) select sum(fare) as fares from late")[1:] == [["13.75"]]  # noqa: S608
    lake.grant(lake.role, {"TableWithColumns": {**_RIDES, "ColumnNames": ["phone"]}}, "SELECT")
    told = lake.ended("select phone from rides where day = '2026-01-01' order by fare")
    bucket, _, key = told["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
    assert lake.s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b'"phone"\n""\n"12"\n\n'
    assert told["Statistics"]["DataScannedInBytes"] > 0


def test_a_filter_leaves_its_rows_and_columns(lake: Lake) -> None:
    lake.register()
    name = {"TableCatalogId": lake.bench.account, "DatabaseName": "lake", "TableName": "rides", "Name": "zone-b"}
    cells = {**name, "ColumnNames": ["fare"], "RowFilter": {"FilterExpression": "zone = 'b'"}}
    lake.lakeformation.create_data_cells_filter(TableData=cells)
    lake.grant(lake.role, {"DataCellsFilter": name}, "SELECT")
    distinct = "select distinct * from rides order by fare"
    assert lake.rows(distinct) == [["fare"], ["1.0"], ["7.25"]]
    lake.grant(lake.role, {"TableWithColumns": {**_RIDES, "ColumnNames": ["zone"]}}, "SELECT")
    assert [None, "a"] in lake.rows("select * from rides")


def test_data_is_read_with_what_lake_formation_hands_out_or_the_callers_own_permissions(lake: Lake) -> None:
    """Given a granted table, then its data need GetDataAccess once they are registered, and S3's before."""
    plain = lake.analyst("plain")
    own = lake.analyst("own", allow("s3:ListBucket", "s3:GetObject", resource=f"arn:aws:s3:::{lake.data}*"))
    for role in (plain, own, lake.role):
        lake.grant(role, {"Table": _RIDES}, "SELECT")
    count = "select count(*) from rides"
    assert "s3:ListBucket" in lake.reason(count, lake.role)
    assert lake.rows(count, own)[1:] == [["6"]]
    lake.register()
    assert lake.rows(count, lake.role)[1:] == [["6"]]
    assert "lakeformation:GetDataAccess" in lake.reason(count, own)


def test_a_work_group_bounds_its_queries(lake: Lake) -> None:
    lake.register()
    lake.grant(lake.role, {"Table": _RIDES}, "SELECT")
    with pytest.raises(ClientError, match=r"AccessDenied.*athena:StartQueryExecution"):
        lake.athena().start_query_execution(QueryString="select 1", WorkGroup="others")
    with pytest.raises(ClientError, match=r"AccessDenied.*athena:GetWorkGroup"):
        lake.athena().get_work_group(WorkGroup="others")
    elsewhere = {"OutputLocation": f"s3://{lake.results}/elsewhere/"}
    told = lake.ended("select 1", ResultConfiguration=elsewhere)
    assert told["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{lake.results}/analysts/")
    athena = lake.bench.client("athena")
    with pytest.raises(ClientError, match=r"InvalidRequest.*output location"):
        athena.start_query_execution(QueryString="select 1")
    updates = {"BytesScannedCutoffPerQuery": 10000000, "EnforceWorkGroupConfiguration": True}
    athena.update_work_group(WorkGroup="analysts", ConfigurationUpdates=updates)
    assert lake.rows("select count(*) from rides")[1:] == [["6"]]
    lake.s3.put_object(Bucket=lake.data, Key="rides/day=2026-01-01/large.parquet", Body=b"x" * 10000001)
    status = lake.ended("select count(*) from rides")["Status"]
    assert (status["State"], "scanned limit" in status["StateChangeReason"]) == ("CANCELLED", True)
    athena.update_work_group(WorkGroup="analysts", State="DISABLED")
    with pytest.raises(ClientError, match=r"InvalidRequest.*disabled"):
        lake.athena().start_query_execution(QueryString="select 1", WorkGroup="analysts")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("drop table rides", "NOT_SUPPORTED"),
        ("insert into rides select * from rides", "NOT_SUPPORTED"),
        ("show tables", "NOT_SUPPORTED"),
        ("select 1; select 2", "NOT_SUPPORTED"),
        ("selec 1", "SYNTAX_ERROR"),
        ("select * from nothing", "TABLE_NOT_FOUND"),
        ("select * from read_csv('/etc/passwd')", "Permission Error"),
        ("select * from '/etc/passwd'", "TABLE_NOT_FOUND"),
    ],
)
def test_what_is_no_query_of_the_catalog_is_refused(lake: Lake, sql: str, reason: str) -> None:
    assert reason in lake.reason(sql)


def test_a_template_makes_a_work_group_as_the_stacks_role(lake: Lake) -> None:
    place = f"arn:aws:athena:{lake.bench.region}:{lake.bench.account}:workgroup/made"
    needed = allow("athena:CreateWorkGroup", "athena:GetWorkGroup", resource=place)
    role = lake.bench.role("stack", principal={"Service": "cloudformation.amazonaws.com"}, statements=[needed])
    result = {"OutputLocation": "s3://x/", "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    properties = {"Name": "made", "WorkGroupConfiguration": {"ResultConfiguration": result}}
    client = lake.bench.client("cloudformation")
    template = {"Resources": {"Group": {"Type": "AWS::Athena::WorkGroup", "Properties": properties}}}
    client.create_stack(StackName="group", TemplateBody=json.dumps(template), RoleARN=role)
    client.get_waiter("stack_create_complete").wait(StackName="group", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    made = lake.bench.client("athena").get_work_group(WorkGroup="made")["WorkGroup"]
    assert made["Configuration"]["ResultConfiguration"] == result


def _crawler_role(lake: Lake, *more: Any) -> str:
    catalog = allow("glue:GetTable", "glue:CreateTable", "glue:UpdateTable", "glue:CreatePartition")
    trusted = {"Service": "glue.amazonaws.com"}
    return lake.bench.role(f"crawler-{len(more)}", principal=trusted, statements=[catalog, *more])


def _crawled(lake: Lake, name: str, role: str) -> dict[str, Any]:
    """How the last crawl of a new crawler has ended."""
    glue = lake.bench.client("glue")
    targets = {"S3Targets": [{"Path": f"s3://{lake.data}/rides/"}]}
    glue.create_crawler(Name=name, Role=role, DatabaseName="lake", Targets=targets, TablePrefix="found_")
    glue.start_crawler(Name=name)

    def end() -> dict[str, Any] | None:
        crawler: dict[str, Any] = glue.get_crawler(Name=name)["Crawler"]
        return crawler if crawler["State"] == "READY" else None

    found: dict[str, Any] = wait_until(end, what="the end of the crawler")["LastCrawl"]
    return found


def test_a_crawler_tells_the_catalog_what_its_role_finds(lake: Lake) -> None:
    """Given two folders of a table, when a crawler has been there, then the table can be queried."""
    queue = lake.bench.client("sqs").create_queue(QueueName="ends")["QueueUrl"]
    pattern = json.dumps({"source": ["aws.glue"], "detail-type": ["Glue Crawler State Change"]})
    events = lake.bench.client("events")
    events.put_rule(Name="ends", EventPattern=pattern)
    arn = f"arn:aws:sqs:{lake.bench.region}:{lake.bench.account}:ends"
    events.put_targets(Rule="ends", Targets=[{"Id": "queue", "Arn": arn}])
    assert _crawled(lake, "blind", _crawler_role(lake))["Status"] == "FAILED"
    data = [f"arn:aws:s3:::{lake.data}", f"arn:aws:s3:::{lake.data}/*"]
    role = _crawler_role(lake, allow("s3:ListBucket", "s3:GetObject", resource=data))
    assert _crawled(lake, "seeing", role)["Status"] == "SUCCEEDED"
    lake.register()
    lake.grant(lake.role, {"Table": {**_RIDES, "Name": "found_rides"}}, "SELECT")
    assert lake.rows("select distinct day, fare from found_rides order by 1, 2")[1:4:2] == [
        ["2026-01-01", "1.0"],
        ["2026-01-01", "7.25"],
    ]
    told: list[str] = []

    def both() -> bool:
        answer = lake.bench.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        told.extend(json.loads(message["Body"])["detail"]["state"] for message in answer.get("Messages", ()))
        return sorted(told) == ["Failed", "Succeeded"]

    wait_until(both, what="the events")
