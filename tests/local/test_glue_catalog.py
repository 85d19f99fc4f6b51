"""The local cloud's Data Catalog: pages, predicates, partitions that are created once, policies that name tables."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud_fixtures import Workbench, allow, wait_until

_KEYS = [{"Name": "year", "Type": "string"}, {"Name": "month", "Type": "int"}, {"Name": "object", "Type": "string"}]


def _table(name: str, **more: Any) -> dict[str, Any]:
    columns = [{"Name": "fare", "Type": "double"}]
    return {"Name": name, "StorageDescriptor": {"Columns": columns}, "PartitionKeys": _KEYS, **more}


@pytest.fixture
def catalog(workbench: Workbench) -> Any:
    """The client of an account with a database and a partitioned table in it."""
    client = workbench.client("glue")
    client.create_database(DatabaseInput={"Name": "lake"})
    client.create_table(DatabaseName="lake", TableInput=_table("rides"))
    return client


def _partition(catalog: Any, *values: str, **more: Any) -> None:
    catalog.create_partition(DatabaseName="lake", TableName="rides", PartitionInput={"Values": list(values), **more})


def _found(catalog: Any, expression: str) -> list[list[str]]:
    pages = catalog.get_paginator("get_partitions").paginate(
        DatabaseName="lake", TableName="rides", Expression=expression, PaginationConfig={"PageSize": 1}
    )
    return [one["Values"] for page in pages for one in page["Partitions"]]


def test_what_is_listed_comes_in_pages(catalog: Any) -> None:
    """Given many, when what was shown is dropped between two pages, then nothing else is left out or shown twice."""
    names = [f"table-{number:03}" for number in range(5)]
    for name in names:
        catalog.create_table(DatabaseName="lake", TableInput=_table(name))
        catalog.create_database(DatabaseInput={"Name": f"another-{name}"})
    first = catalog.get_tables(DatabaseName="lake", Expression="table*", MaxResults=2)
    catalog.delete_table(DatabaseName="lake", Name=names[0])
    second = catalog.get_tables(
        DatabaseName="lake", Expression="table*", MaxResults=4, NextToken=first.get("NextToken")
    )
    assert [one["Name"] for one in (*first["TableList"], *second["TableList"])] == names
    assert "NextToken" not in second
    pages = catalog.get_paginator("get_databases").paginate(PaginationConfig={"PageSize": 2})
    assert len([one for page in pages for one in page["DatabaseList"]]) == 6
    with pytest.raises(ClientError, match=r"InvalidInputException.*NextToken"):
        catalog.get_tables(DatabaseName="lake", NextToken="none")
    with pytest.raises(catalog.exceptions.EntityNotFoundException):
        catalog.get_tables(DatabaseName="nowhere")


def test_a_database_says_whether_iam_alone_decides_on_its_tables(catalog: Any) -> None:
    catalog.create_database(DatabaseInput={"Name": "governed", "CreateTableDefaultPermissions": []})
    said = {
        name: catalog.get_database(Name=name)["Database"]["CreateTableDefaultPermissions"]
        for name in ("lake", "governed")
    }
    assert [one["Permissions"] for one in said["lake"]] == [["ALL"]]
    assert said["governed"] == []
    with pytest.raises(ClientError, match="each account's own"):
        catalog.get_database(Name="lake", CatalogId="111111111111")


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("year='2026' AND object='b'", ["b"]),
        ("month > 9", ["c"]),
        ("month between 1 and 9 and not object like 'A%'", ["a", "b"]),
        ("year in ('2025') or (object <> 'a' and month = 2)", ["b", "c"]),
    ],
)
def test_partitions_are_found_by_a_predicate(catalog: Any, expression: str, found: list[str]) -> None:
    for values in (("2026", "1", "a"), ("2026", "2", "b"), ("2025", "10", "c")):
        _partition(catalog, *values)
    assert sorted(values[-1] for values in _found(catalog, expression)) == found


def test_a_predicate_that_says_nothing_of_partitions_is_refused(catalog: Any) -> None:
    for wrong in ("colour='red'", "year ="):
        with pytest.raises(ClientError, match=r"InvalidInputException.*Expression"):
            _found(catalog, wrong)


def test_a_partition_is_created_by_one_of_all_who_try(catalog: Any) -> None:
    """Given ten attempts at once, when they create one partition, then one has, and the others are told so."""

    def attempt(number: int) -> str:
        try:
            _partition(catalog, "2026", "1", "a", Parameters={"run": str(number)})
        except catalog.exceptions.AlreadyExistsException:
            return ""
        return str(number)

    with ThreadPoolExecutor(10) as pool:
        done = [number for number in pool.map(attempt, range(10)) if number]
    named = {"DatabaseName": "lake", "TableName": "rides"}
    kept = catalog.get_partition(**named, PartitionValues=["2026", "1", "a"])["Partition"]
    assert done == [kept["Parameters"]["run"]]


def test_partitions_belong_to_a_table_and_are_changed_and_deleted(catalog: Any) -> None:
    named, values = {"DatabaseName": "lake", "TableName": "rides"}, ["2026", "1", "a"]
    with pytest.raises(catalog.exceptions.EntityNotFoundException):
        catalog.create_partition(DatabaseName="lake", TableName="nothing", PartitionInput={"Values": values})
    with pytest.raises(ClientError, match=r"InvalidInputException.*number of partition"):
        _partition(catalog, "2026")
    with pytest.raises(catalog.exceptions.EntityNotFoundException):
        catalog.update_partition(**named, PartitionValueList=values, PartitionInput={})
    _partition(catalog, *values)
    catalog.update_partition(**named, PartitionValueList=values, PartitionInput={"Parameters": {"good": "3"}})
    kept = catalog.get_partition(**named, PartitionValues=values)["Partition"]
    assert (kept["Values"], kept["Parameters"]) == (values, {"good": "3"})
    catalog.delete_partition(**named, PartitionValues=values)
    for gone in (catalog.get_partition, catalog.delete_partition):
        with pytest.raises(catalog.exceptions.EntityNotFoundException):
            gone(**named, PartitionValues=values)
    _partition(catalog, *values)
    catalog.delete_table(DatabaseName="lake", Name="rides")
    catalog.create_table(DatabaseName="lake", TableInput=_table("rides"))
    assert catalog.get_partitions(**named)["Partitions"] == []


def test_a_table_has_versions_until_it_is_dropped(catalog: Any) -> None:
    catalog.update_table(DatabaseName="lake", TableInput=_table("rides", Description="second"))
    catalog.update_table(DatabaseName="lake", TableInput=_table("rides"), SkipArchive=True)
    named = {"DatabaseName": "lake", "TableName": "rides"}
    versions = catalog.get_table_versions(**named)["TableVersions"]
    assert [(one["VersionId"], one["Table"]["Description"]) for one in versions] == [("3", ""), ("1", "")]
    catalog.delete_table(DatabaseName="lake", Name="rides")
    catalog.create_table(DatabaseName="lake", TableInput=_table("rides"))
    assert len(catalog.get_table_versions(**named)["TableVersions"]) == 1


def test_a_table_needs_its_database_and_the_catalog_too(workbench: Workbench, catalog: Any) -> None:
    """Given policies that name one table, when another or the whole is asked for, then it is refused."""
    catalog.create_table(DatabaseName="lake", TableInput=_table("secrets"))
    place = f"arn:aws:glue:{workbench.region}:{workbench.account}"
    trusted = {"AWS": f"arn:aws:iam::{workbench.account}:root"}
    whole = [f"{place}:catalog", f"{place}:database/lake", f"{place}:table/lake/rides"]

    def reader(name: str, *resources: str) -> Any:
        allowed = allow("glue:GetTable", "glue:GetTables", "glue:CreatePartition", resource=resources)
        role = workbench.role(name, principal=trusted, statements=[allowed])
        return workbench.client("glue", workbench.assume(role))

    client = reader("reader", *whole)
    assert client.get_table(DatabaseName="lake", Name="rides")["Table"]["Name"] == "rides"
    _partition(client, "2026", "1", "a")
    for missing in range(3):
        partial = reader(f"without-{missing}", *(one for one in whole if one != whole[missing]))
        with pytest.raises(ClientError, match=r"AccessDenied.*glue:GetTable"):
            partial.get_table(DatabaseName="lake", Name="rides")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.get_table(DatabaseName="lake", Name="secrets")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.get_tables(DatabaseName="lake")


def _ended(workbench: Workbench, stack: str) -> str:
    client = workbench.client("cloudformation")

    def status() -> str | None:
        found = str(client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        return None if found.endswith("IN_PROGRESS") else found

    return str(wait_until(status, what="the end of the operation"))


def _created(workbench: Workbench, resources: dict[str, Any], *statements: dict[str, Any]) -> str:
    """The status in the end of a stack, of a role with these permissions."""
    role = workbench.role("stack", principal={"Service": "cloudformation.amazonaws.com"}, statements=statements)
    client = workbench.client("cloudformation")
    client.create_stack(StackName="lake", TemplateBody=json.dumps({"Resources": resources}), RoleARN=role)
    return _ended(workbench, "lake")


def test_a_template_makes_jobs_and_tables_as_the_stacks_role(workbench: Workbench) -> None:
    place = f"arn:aws:glue:{workbench.region}:{workbench.account}"
    job_role = workbench.role("job", principal={"Service": "glue.amazonaws.com"})
    needed = [
        allow("glue:CreateJob", resource=f"{place}:job/job"),
        allow("iam:PassRole", resource=job_role),
        allow("glue:CreateDatabase", resource=[f"{place}:catalog", f"{place}:database/lake"]),
        allow("glue:CreateTable", resource=[f"{place}:catalog", f"{place}:database/lake", f"{place}:table/lake/rides"]),
    ]
    needed.append(allow("glue:CreateSecurityConfiguration"))
    encrypted = {"S3Encryptions": [{"S3EncryptionMode": "SSE-S3"}], "JobBookmarksEncryption": {}}
    security = {"Name": "encrypted", "EncryptionConfiguration": encrypted}
    job: dict[str, Any] = {
        "Name": "job",
        "SecurityConfiguration": {"Ref": "Security"},
        "Role": job_role,
        "Command": {"Name": "glueetl", "ScriptLocation": "s3://a/b.py", "PythonVersion": "3"},
        "GlueVersion": "5.1",
        "ExecutionProperty": {"MaxConcurrentRuns": 3},
        "Timeout": 30,
    }
    account = {"CatalogId": workbench.account}
    table = {**account, "DatabaseName": {"Ref": "Database"}, "TableInput": _table("rides")}
    template: dict[str, Any] = {
        "Security": {"Type": "AWS::Glue::SecurityConfiguration", "Properties": security},
        "Job": {"Type": "AWS::Glue::Job", "Properties": job},
        "Database": {"Type": "AWS::Glue::Database", "Properties": {**account, "DatabaseInput": {"Name": "lake"}}},
        "Table": {"Type": "AWS::Glue::Table", "Properties": table},
    }
    assert _created(workbench, template, *needed) == "CREATE_COMPLETE"
    client = workbench.client("glue")
    made = client.get_job(JobName="job")["Job"]
    assert made["ExecutionProperty"] == {"MaxConcurrentRuns": 3}
    kept = client.get_security_configuration(Name=made["SecurityConfiguration"])["SecurityConfiguration"]
    assert kept["EncryptionConfiguration"]["S3Encryption"] == [{"S3EncryptionMode": "SSE-S3"}]
    assert client.get_table(DatabaseName="lake", Name="rides")["Table"]["PartitionKeys"] == _KEYS
    del job["ExecutionProperty"]
    update = allow("glue:UpdateJob", "iam:PassRole")
    document = json.dumps({"Version": "2012-10-17", "Statement": [update]})
    workbench.client("iam").put_role_policy(RoleName="stack", PolicyName="inline", PolicyDocument=document)
    changed = json.dumps({"Resources": template})
    workbench.client("cloudformation").update_stack(StackName="lake", TemplateBody=changed)
    assert _ended(workbench, "lake") == "UPDATE_COMPLETE"
    assert client.get_job(JobName="job")["Job"]["ExecutionProperty"] == {"MaxConcurrentRuns": 1}


def test_a_stack_whose_role_may_not_pass_the_jobs_role_makes_no_job(workbench: Workbench) -> None:
    role = workbench.role("job", principal={"Service": "glue.amazonaws.com"})
    job = {"Name": "job", "Role": role, "Command": {"Name": "pythonshell", "ScriptLocation": "s3://a/b.py"}}
    template = {"Job": {"Type": "AWS::Glue::Job", "Properties": job}}
    assert _created(workbench, template, allow("glue:*")) == "ROLLBACK_COMPLETE"
    assert workbench.client("glue").list_jobs()["JobNames"] == []
