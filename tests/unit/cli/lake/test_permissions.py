"""`granary lake` and who may read what: plans, records, and the catalog as it is."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from cli.lake import permissions
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.model.governance.report import Report
from lambdas.lake.store.plans import Plans
from lambdas.lake.store.reports import Reports
from tests.unit.cli.lake.lakes import ELSEWHERE, EXAMPLES, make_table
from tests.unit.cli.saas.factory import ACCOUNT, REGION, Factory
from tests.unit.lambdas.lake.fakes import FakeLake


@pytest.fixture
def governed(lake: Factory) -> Factory:
    """A lake with the example's permissions."""
    shutil.copy(EXAMPLES / "lake-permissions.yaml", lake.directory)
    return lake


@pytest.mark.parametrize("words", [("plan", "dev"), ("apply", "x"), ("who-can", "a.b"), ("records",)])
def test_without_permissions_nothing_is_governed(lake: Factory, words: tuple[str, ...]) -> None:
    answer = lake.granary("lake", *words, *(("--environment", "dev") if words[0] == "who-can" else ()))
    assert answer.code == 3
    assert "copy config/examples/all/lake-permissions.yaml" in answer.stderr


@pytest.fixture
def plan(governed: Factory) -> Plan:
    """The last plan of the environment prod, which is to be approved."""
    bucket = f"granary-lake-plans-{ACCOUNT}-{REGION}"
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket=bucket)
    make_table(governed, "granary-lake-governance")
    place = f"{ELSEWHERE}/{REGION}"
    plans = Plans(
        s3=s3,
        dynamodb=governed.db,
        bucket=bucket,
        table="granary-lake-governance",
        place=place,
        clock=lambda: datetime(2026, 11, 28, tzinfo=UTC),
    )
    facts: dict[str, Any] = {
        "catalog": ELSEWHERE,
        "region": REGION,
        "day": "2026-11-28",
        "policy": "p",
        "observation": "o",
    }
    made = Plan(**facts, approvals=("ada gains personal data of class contact: d.trips.email",))
    plans.keep(made, "page")
    return made


def test_a_plan_is_made_and_applied_by_the_machine_in_the_callers_name(governed: Factory, plan: Plan) -> None:
    machine = governed.machine("granary-lake-governance")
    assert governed.granary("lake", "plan", "dev").code == 0
    answer = governed.granary("lake", "apply", plan.digest[:12], "--json")
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:granary-lake-governance"
    found = machine.list_executions(stateMachineArn=arn)["executions"]
    given = [json.loads(machine.describe_execution(executionArn=it["executionArn"])["input"]) for it in found]
    assert {"account": ACCOUNT, "region": REGION} in given
    (applied,) = [one for one in given if "plan" in one]
    assert (applied["account"], applied["plan"]) == (ELSEWHERE, plan.digest)
    assert ";x-granary-said, Signature=" in applied["proof"]["Authorization"]
    assert set(applied) == {"account", "region", "plan", "proof"}, "of the caller, AWS says who it is"
    assert "proof" not in answer.document
    assert answer.document["execution"] in [one["executionArn"] for one in found]


@pytest.mark.parametrize("digits", [None, 0, 1, 11])
def test_only_the_last_plan_is_approved_and_only_by_its_digest(
    governed: Factory, plan: Plan, digits: int | None
) -> None:
    machine = governed.machine("granary-lake-governance")
    answer = governed.granary("lake", "apply", "c0ffee" if digits is None else plan.digest[:digits])
    assert (answer.code, f"There are: {plan.digest} of {ELSEWHERE}" in answer.stderr) == (5, True)
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:granary-lake-governance"
    assert machine.list_executions(stateMachineArn=arn)["executions"] == []


def test_the_last_plan_is_shown_as_people_read_it(governed: Factory, plan: Plan) -> None:
    answer = governed.granary("lake", "plan", "prod", "--last")
    assert (answer.code, "- ada gains personal data of class contact" in answer.stdout) == (1, True)
    assert "lost-property" in answer.stdout
    assert governed.granary("lake", "plan", "prod", "--last", "--json").document["digest"] == plan.digest
    assert governed.granary("lake", "plan", "dev", "--last").code == 3


def test_records_are_told_with_who_uses_them(governed: Factory) -> None:
    answer = governed.granary("lake", "records")
    assert answer.code == 0
    assert "lost-property" in answer.stdout
    assert "data_domain_engineer, rule 2" in answer.stdout
    path = governed.directory / "lake-permissions.yaml"
    path.write_text(path.read_text().replace("2027-12-31", "2020-12-31"))
    answer = governed.granary("lake", "records", "--json")
    assert (answer.code, answer.document[0]["expired"]) == (1, True)


@pytest.fixture
def reports(plan: Plan) -> Reports:
    """A report of the environment prod."""
    s3 = boto3.client("s3", region_name=REGION)
    found = Reports(s3=s3, bucket=f"granary-lake-plans-{ACCOUNT}-{REGION}", place=f"{ELSEWHERE}/{REGION}")
    found.keep(Report(catalog=ELSEWHERE, region=REGION, month="2026-10", day="2026-11-01"))
    found.keep(Report(catalog=ELSEWHERE, region=REGION, month="2026-11", day="2026-12-01"))
    return found


def test_a_report_is_shown_and_signed_once_by_whoever_the_credentials_are_of(
    governed: Factory, reports: Reports
) -> None:
    shown = governed.granary("lake", "report", "prod")
    assert (shown.code, "report of 2026-11" in shown.stdout) == (1, True)
    assert governed.granary("lake", "report", "prod", "--month", "2026-11", "--sign").code == 0
    signature = reports.signature("2026-11")
    report = reports.read("2026-11")
    assert signature
    assert report
    assert signature.report == report.digest
    assert signature.by == str(boto3.client("sts", region_name=REGION).get_caller_identity()["Arn"]).rsplit(":", 1)[-1]
    shown = governed.granary("lake", "report", "prod", "--json")
    assert (shown.code, shown.document["signature"]["by"]) == (0, signature.by)
    again = governed.granary("lake", "report", "prod", "--sign")
    assert (again.code, "is signed already by" in again.stderr) == (5, True)
    assert governed.granary("lake", "report", "prod", "--month", "2026-10").code == 1


def test_a_report_that_is_not_there_is_told_with_those_that_are(governed: Factory, reports: Reports) -> None:
    answer = governed.granary("lake", "report", "prod", "--month", "2026-09")
    assert (answer.code, "there are those of 2026-10, 2026-11" in answer.stderr) == (3, True)
    answer = governed.granary("lake", "report", "dev")
    assert (answer.code, "the first comes on the first day" in answer.stderr) == (3, True)


@pytest.fixture
def catalog(governed: Factory) -> FakeLake:
    """A catalog with a table, which the caller may see all of."""
    found = FakeLake(ACCOUNT)
    found.admins = [permissions._role(str(boto3.client("sts", region_name=REGION).get_caller_identity()["Arn"]))]
    found.crawl("d", "trips", "id", "email")
    columns = {"TableWithColumns": {"DatabaseName": "d", "Name": "trips", "ColumnNames": ["id"]}}
    found.grant(f"arn:aws:iam::{ACCOUNT}:role/analyst", columns, "SELECT")
    found.grant(f"arn:aws:iam::{ACCOUNT}:role/admin", {"Table": {"DatabaseName": "d", "Name": "trips"}}, "SELECT")
    governed.monkeypatch.setattr("cli.lake.session.LakeSession.lake_client", lambda *_: found)
    return found


def test_who_reads_a_column_and_who_has_a_table(governed: Factory, catalog: FakeLake) -> None:
    def told(*words: str) -> Any:
        return governed.granary("lake", *words, "--environment", "dev", "--json")

    assert set(told("who-can", "d.trips").document) == {
        f"arn:aws:iam::{ACCOUNT}:role/{it}" for it in ("admin", "analyst")
    }
    assert list(told("who-can", "d.trips.email").document) == [f"arn:aws:iam::{ACCOUNT}:role/admin"]
    assert told("who-can", "d.trips.nothing").code == 3
    assert told("who-can", "trips").code == 2
    (right,) = told("what-can", "role/analyst").document
    assert (right["table"], "id" in right["rights"], "email" in right["rights"]) == ("trips", True, False)
    assert told("what-can", "role/nobody").document == []
    catalog.admins = []
    partial = told("who-can", "d.trips")
    assert (partial.code, "not everything could be looked at" in partial.stderr) == (6, True)


def test_several_catalogs_need_a_name(governed: Factory) -> None:
    answer = governed.granary("lake", "who-can", "d.trips")
    assert (answer.code, "give --environment (dev, prod)" in answer.stderr) == (2, True)
