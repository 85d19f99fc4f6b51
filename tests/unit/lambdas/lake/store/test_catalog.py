"""The catalog as it is seen, on the fake catalog and on moto's Glue and Lake Formation."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.common.errors import GranaryError
from lambdas.lake.store.governance import Governance
from lambdas.lake.store.patience import Patience
from tests.unit.lambdas.lake.fakes import ACCOUNT, READER, FakeLake
from tests.unit.lambdas.lake.model.governance.cases import READ, policy
from tests.unit.lambdas.lake.worlds import FakePlans, FakeSts, applying, arn, governance


def _lake(tables: int = 30) -> FakeLake:
    lake = FakeLake()
    for number in range(tables):
        lake.crawl(f"d{number % 3}", f"t{number}", "id", "email")
    return lake


def test_every_page_is_read_those_after_an_empty_one_too() -> None:
    lake = _lake()
    for number in range(30):
        lake.grant(arn(f"role/r{number}"), {"Table": {"DatabaseName": "d0", "Name": "t0"}}, "ALTER")
    seen = governance(policy(), lake, FakePlans()).observe()
    assert len(seen.tables) == 30
    assert len(seen.grants) == 30
    assert seen.complete


def test_a_page_that_fails_is_asked_again_or_fails_the_look() -> None:
    lake, pauses = _lake(), list[float]()
    codes = iter(["", "", "ThrottlingException", "ConcurrentModificationException", "OperationTimeoutException"])
    lake.fault = lambda _: next(codes, "")
    look = replace(governance(policy(), lake, FakePlans()), patience=Patience(pause=pauses.append))
    assert len(look.observe().tables) == 30
    assert len(pauses) == 3
    assert pauses == sorted(pauses)
    codes = iter(["", "", "InternalServiceException"])
    with pytest.raises(ClientError, match="InternalServiceException"):
        look.observe()
    lake.fault = lambda _: "ThrottlingException"
    with pytest.raises(ClientError, match="ThrottlingException"):
        look.observe()


@pytest.mark.parametrize("code", ["AccessDeniedException", "EntityNotFoundException"])
def test_a_database_that_cannot_be_read_makes_the_look_incomplete(code: str) -> None:
    lake = _lake()
    codes = iter(["", code])
    lake.fault = lambda name: next(codes, "") if name == "GetTables" else ""
    seen = governance(policy(), lake, FakePlans()).observe()
    # Its first page is no half of a database.
    assert seen.unseen == (f"the tables of d0 could not be read ({code})",)
    assert {it.database for it in seen.tables} == {"d1", "d2"}


def test_a_role_that_lake_formation_hides_things_from_has_not_seen_everything() -> None:
    lake = _lake()
    lake.admins = [READER.upper()]
    assert governance(policy(), lake, FakePlans()).observe().complete
    lake.admins = [arn("role/other")]
    (told,) = governance(policy(), lake, FakePlans()).observe().unseen
    assert told.startswith(f"{READER} is no administrator of the data lake")


def test_what_new_tables_give_everybody_is_told() -> None:
    lake = _lake()
    lake.defaults = ["Table"]
    assert governance(policy(), lake, FakePlans()).observe().open_defaults == ("tables",)


def test_the_digest_is_of_what_was_seen_in_whatever_order() -> None:
    first = governance(policy(), _lake(), FakePlans()).observe()
    assert first.digest == replace(first, tables=first.tables[::-1]).digest
    assert first.digest != replace(first, tables=first.tables[1:]).digest
    assert first.digest != replace(first, unseen=("d0",)).digest


def test_each_role_is_narrowed_to_what_it_is_for() -> None:
    look = governance(policy(READ), _lake(), FakePlans())
    look.observe()
    look.writer()
    (reader, may_read), (writer, may_write) = look.sts.asked
    assert reader == READER
    assert writer == f"arn:aws:iam::{ACCOUNT}:role/granary/granary-lake-catalog-admin"
    assert "Grant" not in may_read
    assert "lakeformation:BatchGrantPermissions" in json.loads(may_write)["Statement"][0]["Action"]


def test_a_role_that_is_not_there_is_told() -> None:
    class Refusing(FakeSts):
        def assume_role(self, **_: Any) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")

    look = replace(governance(policy(), _lake(), FakePlans()), sts=Refusing())
    with pytest.raises(
        GranaryError, match=f"cannot be assumed: the administrator of account {ACCOUNT} .*-workload-roles-{ACCOUNT}`"
    ):
        look.observe()


@pytest.fixture
def moto(aws: None) -> dict[str, Any]:
    """A catalog of moto's, which has neither pages, nor searches by tags, nor filters."""
    clients = {name: boto3.client(name, region_name="eu-west-1") for name in ("glue", "lakeformation")}
    for database in ("d1", "d2"):
        clients["glue"].create_database(DatabaseInput={"Name": database})
        for table in ("t1", "t2"):
            columns = [{"Name": it, "Type": "string"} for it in ("id", "email")]
            keys = [{"Name": "day", "Type": "string"}]
            told = {"Name": table, "StorageDescriptor": {"Columns": columns}, "PartitionKeys": keys}
            clients["glue"].create_table(DatabaseName=database, TableInput=told)
    admins = [{"DataLakePrincipalIdentifier": READER}]
    clients["lakeformation"].put_data_lake_settings(CatalogId=ACCOUNT, DataLakeSettings={"DataLakeAdmins": admins})
    return clients


def _on(clients: dict[str, Any], look: Governance) -> Governance:
    return replace(look, make_client=lambda service, **_: clients[service])


def test_a_plan_is_applied_to_and_read_back_from_moto(moto: dict[str, Any]) -> None:
    """moto takes, lists and gives back grants as they are written: so do these, for the whole way of a request."""
    everybody = {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
    place = {"Table": {"CatalogId": ACCOUNT, "DatabaseName": "d1", "Name": "t1"}}
    moto["lakeformation"].grant_permissions(CatalogId=ACCOUNT, Principal=everybody, Resource=place, Permissions=["ALL"])
    file = policy(replace(READ, record="contact"), use_tags=False, remove_iam_allowed=True)
    plans = FakePlans()
    run = applying(file, FakeLake(), plans)
    run = replace(run, governance=_on(moto, run.governance))
    plan = run.governance.plan().plan
    assert {it.columns for it in run.governance.observe().tables} == {("id", "email", "day")}
    assert [it.grant.table for it in plan.grants] == ["t1", "t2"]
    plans.keep(plan, "# Permissions")
    applied = run.apply(plan.digest, approved_by="ada")
    assert (applied.failed, applied.left) == ((), 0)
    assert run.governance.plan().plan.empty
    assert {it.principal for it in run.governance.observe().grants} == {arn("role/analyst")}
