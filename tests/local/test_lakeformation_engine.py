"""The local cloud's Lake Formation: who may grant what, what it takes along, and what is not shown without it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud_fixtures import Workbench, allow, wait_until

_COLUMNS = [{"Name": name, "Type": "string"} for name in ("fare", "tip", "phone")]
_TABLE = {"Name": "rides", "StorageDescriptor": {"Columns": _COLUMNS}, "PartitionKeys": [{"Name": "day"}]}
_RIDES = {"DatabaseName": "lake", "Name": "rides"}
_ON_RIDES = {"Table": _RIDES}
_COLUMN = {"TableWithColumns": {**_RIDES, "ColumnNames": ["fare"]}}


class Lake:
    """An account whose catalog Lake Formation governs, with a table in it."""

    def __init__(self, workbench: Workbench) -> None:
        self.bench = workbench
        self.root = workbench.client("lakeformation")
        self.root.put_data_lake_settings(DataLakeSettings={})
        self.glue = workbench.client("glue")
        self.glue.create_database(DatabaseInput={"Name": "lake"})
        self.glue.create_table(DatabaseName="lake", TableInput=_TABLE)

    def role(self, name: str) -> str:
        """A role that IAM lets do everything in the catalog and in Lake Formation."""
        trusted = {"AWS": f"arn:aws:iam::{self.bench.account}:root"}
        return self.bench.role(name, principal=trusted, statements=[allow("lakeformation:*", "glue:*")])

    def client(self, role: str, service: str = "glue") -> Any:
        """A client with the role's credentials."""
        return self.bench.client(service, self.bench.assume(role))

    def grant(self, role: str, resource: dict[str, Any], *permissions: str, **more: Any) -> None:
        """Grant as the root."""
        self.root.grant_permissions(**entry(role, resource, *permissions, **more))

    def columns(self, role: str) -> list[str]:
        """The columns of the table that a role sees."""
        table = self.client(role).get_table(**_RIDES)["Table"]
        return [column["Name"] for column in (*table["StorageDescriptor"]["Columns"], *table["PartitionKeys"])]

    def listed(self, **request: Any) -> list[tuple[str, list[str]]]:
        """Kinds of resources with the permissions on them, from pages of one row."""
        answer = self.root.list_permissions(**request, MaxResults=1)
        rows = list(answer["PrincipalResourcePermissions"])
        while token := answer.get("NextToken"):
            answer = self.root.list_permissions(**request, MaxResults=1, NextToken=token)
            rows += answer["PrincipalResourcePermissions"]
        return [(next(iter(row["Resource"])), row["Permissions"]) for row in rows]


def entry(role: str, resource: dict[str, Any], *permissions: str, **more: Any) -> dict[str, Any]:
    principal = {"DataLakePrincipalIdentifier": role}
    return {"Principal": principal, "Resource": resource, "Permissions": list(permissions), **more}


@pytest.fixture
def lake(workbench: Workbench) -> Lake:
    return Lake(workbench)


def test_iam_alone_decides_until_the_settings_say_otherwise(workbench: Workbench) -> None:
    """Given an account that never put settings, then everybody sees what is new; not what is made afterwards."""
    glue, lakeformation = workbench.client("glue"), workbench.client("lakeformation")
    glue.create_database(DatabaseInput={"Name": "open"})
    glue.create_table(DatabaseName="open", TableInput=_TABLE)
    lakeformation.put_data_lake_settings(DataLakeSettings={})
    glue.create_database(DatabaseInput={"Name": "closed"})
    role = workbench.role("reader", principal={"AWS": workbench.account}, statements=[allow("glue:*")])
    reader = workbench.client("glue", workbench.assume(role))
    assert [one["Name"] for one in reader.get_databases()["DatabaseList"]] == ["open"]
    assert len(reader.get_table(DatabaseName="open", Name="rides")["Table"]["StorageDescriptor"]["Columns"]) == 3
    lakeformation.revoke_permissions(
        **entry("IAM_ALLOWED_PRINCIPALS", {"Table": {"DatabaseName": "open", "Name": "rides"}}, "ALL")
    )
    with pytest.raises(ClientError, match=r"AccessDenied.*Insufficient Lake Formation"):
        reader.get_table(DatabaseName="open", Name="rides")


def test_what_is_not_granted_is_not_shown(lake: Lake) -> None:
    analyst = lake.role("analyst")
    glue = lake.client(analyst)
    of_table = {"DatabaseName": "lake", "TableName": "rides"}
    asked = ((glue.get_table, _RIDES), (glue.get_table_versions, of_table), (glue.get_partitions, of_table))
    for call, named in asked:
        with pytest.raises(ClientError, match=r"AccessDenied.*Required Describe on rides"):
            call(**named)
    assert glue.get_tables(DatabaseName="lake")["TableList"] == []
    lake.grant(analyst, _COLUMN, "SELECT")
    lake.grant(analyst, {"TableWithColumns": {**_RIDES, "ColumnNames": ["tip"]}}, "SELECT")
    assert lake.columns(analyst) == ["fare", "tip"]
    assert lake.listed(Principal={"DataLakePrincipalIdentifier": analyst}) == [("TableWithColumns", ["SELECT"])]
    lake.root.revoke_permissions(**entry(analyst, _COLUMN, "SELECT"))
    assert lake.columns(analyst) == ["tip"]
    excluded = {"TableWithColumns": {**_RIDES, "ColumnWildcard": {"ExcludedColumnNames": ["phone", "day"]}}}
    lake.grant(analyst, excluded, "SELECT")
    assert lake.columns(analyst) == ["fare", "tip"]
    lake.grant(analyst, _ON_RIDES, "DESCRIBE")
    assert lake.columns(analyst) == ["fare", "tip", "phone", "day"]
    assert [one["Name"] for one in glue.get_tables(DatabaseName="lake")["TableList"]] == ["rides"]


@pytest.mark.parametrize(
    ("resource", "permission", "error"),
    [
        ({"Table": {"DatabaseName": "lake", "Name": "nothing"}}, "SELECT", "EntityNotFound"),
        ({"Database": {"Name": "nothing"}}, "DESCRIBE", "EntityNotFound"),
        ({"TableWithColumns": {**_RIDES, "ColumnNames": ["colour"]}}, "SELECT", "EntityNotFound"),
        ({"TableWithColumns": {**_RIDES, "ColumnNames": ["fare"]}}, "INSERT", "InvalidInput"),
        ({"LFTagPolicy": {"ResourceType": "TABLE", "Expression": [{"TagKey": "no", "TagValues": ["x"]}]}}, "SELECT",
         "EntityNotFound"),
        ({"Table": {**_RIDES, "CatalogId": "111111111111"}}, "SELECT", "InvalidInput"),
    ],
)  # fmt: skip
def test_a_grant_on_what_is_not_there_is_refused(lake: Lake, resource: Any, permission: str, error: str) -> None:
    with pytest.raises(ClientError, match=error):
        lake.grant(lake.role("analyst"), resource, permission)


def test_principals_that_are_gone_get_nothing_and_lose_what_they_have(lake: Lake) -> None:
    analyst = lake.role("analyst")
    lake.grant(analyst, _ON_RIDES, "SELECT", "DESCRIBE")
    with pytest.raises(ClientError, match=r"InvalidInput.*Invalid principal"):
        lake.grant(f"{analyst}s", _ON_RIDES, "SELECT")
    iam = lake.bench.client("iam")
    iam.delete_role_policy(RoleName="analyst", PolicyName="inline")
    iam.delete_role(RoleName="analyst")
    whose = {"DataLakePrincipalIdentifier": analyst}
    assert lake.listed(Principal=whose) == [("Table", ["DESCRIBE"]), ("TableWithColumns", ["SELECT"])]
    lake.root.revoke_permissions(**entry(analyst, _ON_RIDES, "SELECT", "DESCRIBE"))
    assert lake.listed(Principal=whose) == []
    with pytest.raises(ClientError, match=r"InvalidInput.*No permissions revoked"):
        lake.root.revoke_permissions(**entry(analyst, _ON_RIDES, "SELECT"))


def test_only_administrators_and_holders_of_the_option_grant(lake: Lake) -> None:
    steward, analyst, admin = lake.role("steward"), lake.role("analyst"), lake.role("admin")
    granting = lake.client(steward, "lakeformation")
    with pytest.raises(ClientError, match=r"AccessDenied.*Required Grantable Select on rides"):
        granting.grant_permissions(**entry(analyst, _ON_RIDES, "SELECT"))
    lake.grant(steward, _ON_RIDES, "SELECT", PermissionsWithGrantOption=["SELECT"])
    granting.grant_permissions(**entry(analyst, _COLUMN, "SELECT"))
    with pytest.raises(ClientError, match="AccessDenied"):
        granting.grant_permissions(**entry(analyst, _ON_RIDES, "SELECT", "DROP"))
    assert lake.columns(analyst) == ["fare"]
    lake.root.put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": [{"DataLakePrincipalIdentifier": admin}]})
    lake.client(admin, "lakeformation").grant_permissions(**entry(analyst, _ON_RIDES, "DROP"))
    assert lake.columns(admin) == ["fare", "tip", "phone", "day"]
    seen = granting.list_permissions()["PrincipalResourcePermissions"]
    assert {one["Principal"]["DataLakePrincipalIdentifier"] for one in seen} == {steward}


def test_who_makes_a_table_may_do_everything_with_it_until_it_is_dropped(lake: Lake) -> None:
    """Given grants on a table, when it is dropped and made again, then they are gone."""
    crawler, analyst = lake.role("crawler"), lake.role("analyst")
    lake.grant(analyst, _ON_RIDES, "SELECT")
    lake.glue.delete_table(**_RIDES)
    assert lake.listed(Principal={"DataLakePrincipalIdentifier": analyst}) == []
    lake.client(crawler).create_table(DatabaseName="lake", TableInput=_TABLE)
    assert lake.columns(crawler) == ["fare", "tip", "phone", "day"]
    with pytest.raises(ClientError, match="AccessDenied"):
        lake.columns(analyst)
    lake.client(crawler, "lakeformation").grant_permissions(**entry(analyst, _COLUMN, "SELECT"))
    smaller = {**_TABLE, "StorageDescriptor": {"Columns": _COLUMNS[1:]}}
    lake.glue.update_table(DatabaseName="lake", TableInput=smaller)
    assert lake.listed(Principal={"DataLakePrincipalIdentifier": analyst}) == []


def test_a_batch_tells_which_of_its_entries_failed(lake: Lake, no_faults: None) -> None:
    analyst = lake.role("analyst")
    entries = [
        {"Id": "right", **entry(analyst, _ON_RIDES, "SELECT")},
        {"Id": "wrong", **entry(analyst, {"Database": {"Name": "nothing"}}, "DESCRIBE")},
    ]
    failures = lake.root.batch_grant_permissions(Entries=entries)["Failures"]
    told = [(one["RequestEntry"]["Id"], one["Error"]["ErrorCode"]) for one in failures]
    assert told == [("wrong", "EntityNotFoundException")]
    assert len(lake.columns(analyst)) == 4
    lake.bench.cloud.faults.set({"lakeformation:Entry": {"error": "ConcurrentModificationException", "count": 1}})
    failures = lake.root.batch_revoke_permissions(Entries=entries[:1])["Failures"]
    assert [one["Error"]["ErrorCode"] for one in failures] == ["ConcurrentModificationException"]
    assert lake.root.batch_revoke_permissions(Entries=entries[:1])["Failures"] == []
    with pytest.raises(ClientError, match=r"InvalidInput.*20 at most"):
        lake.root.batch_grant_permissions(Entries=[{**entries[0], "Id": str(number)} for number in range(21)])


def test_tags_are_inherited_and_grants_by_them_follow(lake: Lake) -> None:
    analyst, keys = lake.role("analyst"), {"TagKey": "PII", "TagValues": ["none", "Direct"]}
    lake.root.create_lf_tag(**keys)
    lake.root.add_lf_tags_to_resource(
        Resource={"Database": {"Name": "lake"}}, LFTags=[{"TagKey": "pii", "TagValues": ["none"]}]
    )
    on_phone = {"TableWithColumns": {**_RIDES, "ColumnNames": ["phone"]}}
    direct = [{"TagKey": "pii", "TagValues": ["direct"]}]
    assert lake.root.add_lf_tags_to_resource(Resource=on_phone, LFTags=direct)["Failures"] == []
    expression = [{"TagKey": "pii", "TagValues": ["none"]}]
    lake.grant(analyst, {"LFTagPolicy": {"ResourceType": "TABLE", "Expression": expression}}, "SELECT")
    tags = lake.root.get_resource_lf_tags(Resource=_ON_RIDES)
    assert {one["Name"]: one["LFTags"][0]["TagValues"] for one in tags["LFTagsOnColumns"]}["phone"] == ["direct"]
    assert tags["LFTagsOnTable"][0]["TagValues"] == ["none"]
    found = lake.root.search_tables_by_lf_tags(Expression=direct)["TableList"]
    assert [one["Table"]["Name"] for one in found] == ["rides"]
    decided = lake.client(analyst)
    assert [one["Name"] for one in decided.get_databases()["DatabaseList"]] == ["lake"]
    lake.root.update_lf_tag(TagKey="pii", TagValuesToAdd=["other"])
    with pytest.raises(ClientError, match=r"InvalidInput.*in use"):
        lake.root.update_lf_tag(TagKey="pii", TagValuesToDelete=["direct"])
    failed = lake.root.add_lf_tags_to_resource(Resource=_ON_RIDES, LFTags=[{"TagKey": "pii", "TagValues": ["absent"]}])
    assert failed["Failures"][0]["Error"]["ErrorCode"] == "InvalidInputException"
    lake.root.delete_lf_tag(TagKey="pii")
    assert lake.listed(Principal={"DataLakePrincipalIdentifier": analyst}) == []


def test_filters_name_rows_and_columns_of_a_table(lake: Lake) -> None:
    analyst, named = lake.role("analyst"), {"DatabaseName": "lake", "TableName": "rides", "Name": "cheap"}
    cells = {"TableCatalogId": lake.bench.account, **named, "RowFilter": {"FilterExpression": "fare < '5'"}}
    with pytest.raises(ClientError, match="EntityNotFound"):
        lake.root.create_data_cells_filter(TableData={**cells, "ColumnNames": ["colour"]})
    lake.root.create_data_cells_filter(TableData={**cells, "ColumnNames": ["fare"]})
    with pytest.raises(ClientError, match="AlreadyExists"):
        lake.root.create_data_cells_filter(TableData={**cells, "ColumnNames": ["fare"]})
    lake.grant(analyst, {"DataCellsFilter": {"TableCatalogId": lake.bench.account, **named}}, "SELECT")
    assert lake.columns(analyst) == ["fare"]
    lake.root.update_data_cells_filter(TableData={**cells, "ColumnWildcard": {"ExcludedColumnNames": ["phone"]}})
    assert lake.columns(analyst) == ["fare", "tip", "day"]
    lake.root.delete_data_cells_filter(TableCatalogId=lake.bench.account, **named)
    assert lake.listed(Principal={"DataLakePrincipalIdentifier": analyst}) == []
    assert lake.root.list_data_cells_filter()["DataCellsFilters"] == []


def test_what_it_does_not_do_is_refused(lake: Lake) -> None:
    with pytest.raises(ClientError, match=r"The local cloud does not implement lakeformation:GetEffective"):
        lake.root.get_effective_permissions_for_path(ResourceArn="arn:aws:s3:::x")
    with pytest.raises(ClientError, match="HybridAccessEnabled"):
        lake.root.register_resource(ResourceArn="arn:aws:s3:::x", UseServiceLinkedRole=True, HybridAccessEnabled=True)


def test_a_template_grants_as_the_stacks_role(lake: Lake) -> None:
    """Given a role of CloudFormation's, then it grants once it is an administrator, and not before."""
    needed = allow("lakeformation:GrantPermissions", "lakeformation:ListPermissions", "lakeformation:RevokePermissions")
    trusted = {"Service": "cloudformation.amazonaws.com"}
    role = lake.bench.role("stack", principal=trusted, statements=[needed])
    properties = {**entry(lake.role("analyst"), _COLUMN, "SELECT"), "PermissionsWithGrantOption": []}
    grant = {"Type": "AWS::LakeFormation::PrincipalPermissions", "Properties": properties}
    client = lake.bench.client("cloudformation")

    def ended(name: str) -> str:
        client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Grant": grant}}), RoleARN=role)
        return str(wait_until(lambda: status(name), what="the end of the stack"))

    def status(name: str) -> str | None:
        found = str(client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
        return None if found.endswith("IN_PROGRESS") else found

    assert ended("before") == "ROLLBACK_COMPLETE"
    lake.root.put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": [{"DataLakePrincipalIdentifier": role}]})
    assert ended("after") == "CREATE_COMPLETE"
    assert lake.columns(properties["Principal"]["DataLakePrincipalIdentifier"]) == ["fare"]
