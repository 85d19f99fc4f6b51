"""`granary lake`: what is told, what is started, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli.lake import permissions, trying
from lambdas.lake.model.governance.plan import Plan
from lambdas.lake.model.names import LakeNames
from lambdas.lake.model.objects import Arrival, AuditRow, ObjectVersion, Phase
from lambdas.lake.store.audit_table import AuditTable
from lambdas.lake.store.plans import Plans
from tests.unit.cli.saas.factory import ACCOUNT, REGION, Factory
from tests.unit.lambdas.lake.fakes import FakeLake

_EXAMPLES = Path(__file__).parents[4] / "config/examples/all"
_NAMES = LakeNames(prefix="granary", environment="dev")
_ELSEWHERE = "222222222222"
_KEY = "nyc_tlc/green_trips/{}.csv"
_DEV = {"name": "dev", "account": ACCOUNT, "region": REGION, "object_key": "dev.zip", "cidr": "10.0.0.0/24"}
_PROD = {**_DEV, "name": "prod", "account": _ELSEWHERE, "object_key": "prod.zip", "cidr": "10.1.0.0/24"}


@pytest.fixture
def lake(factory: Factory) -> Factory:
    """A factory with two lakes, one of them in the account of these credentials."""
    shutil.copytree(_EXAMPLES / "datasets", factory.directory / "datasets")
    section = {"environments": [_DEV, _PROD], "datasets": ["green_trips"]}
    (factory.directory / "lake.yaml").write_text(json.dumps(section), encoding="utf-8")
    return factory


def make_table(factory: Factory, name: str) -> None:
    factory.db.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


class Runs:
    """The audit table and the machine of the environment dev."""

    def __init__(self, factory: Factory) -> None:
        make_table(factory, _NAMES.audit_table)
        self.hours = iter(range(24))
        self.audit = AuditTable(
            client=factory.db,
            table=_NAMES.audit_table,
            clock=lambda: datetime(2026, 11, 28, next(self.hours), tzinfo=UTC),
        )
        self.machine = factory.machine(_NAMES.machine)

    def put(self, name: str, phase: Phase = Phase.FAILED, *, dataset: str = "green_trips", key: str = _KEY) -> AuditRow:
        version = ObjectVersion(bucket="raw", key=key.format(name), version="v1")
        row = self.audit.claim(Arrival(object=version, day="2026-11-28"), dataset=dataset)
        if phase not in (Phase.CLAIMED, Phase.REFUSED):
            self.audit.ended(row, phase)
        return row

    @property
    def started(self) -> list[dict[str, Any]]:
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{_NAMES.machine}"
        found = self.machine.list_executions(stateMachineArn=arn)["executions"]
        told = [self.machine.describe_execution(executionArn=one["executionArn"]) for one in found]
        return [{**json.loads(one["input"]), "name": one["name"]} for one in told]


@pytest.fixture
def runs(lake: Factory) -> Runs:
    return Runs(lake)


@pytest.mark.parametrize(
    "words", [("datasets",), ("try", "green_trips", "a.csv"), ("runs", "dev"), ("plan", "dev"), ("who-can", "a.b")]
)
def test_without_the_room_there_is_nothing(factory: Factory, words: tuple[str, ...]) -> None:
    (factory.directory / "lake-permissions.yaml").write_text("personas: []", encoding="utf-8")
    answer = factory.granary("lake", *words)
    assert answer.code == 3
    assert "the room lake is off: copy config/examples/all/lake.yaml" in answer.stderr


def test_datasets_are_told_with_what_is_made_of_them(lake: Factory) -> None:
    answer = lake.granary("lake", "datasets")
    assert "green_trips              nyc_tlc/green_trips/ -> green_trips (20 columns)" in answer.stdout
    assert "-> trips_by_payment (trips_by_payment.sql)" in answer.stdout
    assert "pickup_location_id (location)" in answer.stdout
    assert lake.granary("lake", "datasets", "--json").document[0]["name"] == "green_trips"


def test_runs_are_told_newest_first_and_no_more_than_asked_for(lake: Factory, runs: Runs) -> None:
    for name, phase in (("a", Phase.SUCCEEDED), ("b", Phase.FAILED), ("c", Phase.SUCCEEDED), ("d", Phase.FAILED)):
        runs.put(name, phase)

    def keys(*words: str) -> list[str]:
        return [one["key"][-5] for one in lake.granary("lake", "runs", "dev", "--json", *words).document]

    assert keys() == ["d", "c", "b", "a"]
    assert keys("--limit", "2") == ["d", "c"]
    assert keys("--phase", "failed") == ["d", "b"]
    assert keys("--phase", "STARTED") == []
    assert "FAILED" in lake.granary("lake", "runs", "dev").stdout.splitlines()[0]


def test_a_row_that_cannot_be_read_hides_no_other(lake: Factory, runs: Runs) -> None:
    runs.put("a")
    lake.db.put_item(TableName=_NAMES.audit_table, Item={"id": {"S": "odd"}})
    answer = lake.granary("lake", "runs", "dev", "--json")
    assert (answer.code, len(answer.document)) == (1, 1)
    assert "'odd' cannot be read" in answer.stderr


@pytest.mark.parametrize("words", [("--phase", "LOST"), ("--again", "x", "--again-all-failed"), ("--limit", "0")])
def test_what_cannot_be_meant_is_refused(lake: Factory, words: tuple[str, ...]) -> None:
    assert lake.granary("lake", "runs", "dev", *words).code == 2


def test_a_failed_object_is_run_again_as_another_attempt(lake: Factory, runs: Runs) -> None:
    row = runs.put("a")
    answer = lake.granary("lake", "runs", "dev", "--again", row.id)
    assert (answer.code, f"started {row.id}-2" in answer.stdout) == (0, True)
    (told,) = runs.started
    assert (told["name"], told["run"], told["version"]) == (f"{row.id}-2", f"{row.id}-2", "v1")
    after = runs.audit.row(row.id)
    assert after
    assert (after.phase, after.attempt, after.reason) == (Phase.STARTED, 2, "")
    assert lake.granary("lake", "runs", "dev", "--again", row.id).code == 5
    assert len(runs.started) == 1


def test_a_claim_that_nobody_started_is_started_as_it_is(lake: Factory, runs: Runs) -> None:
    """A command that was killed between its claim and its start is given again."""
    row = runs.put("a", Phase.CLAIMED)
    assert lake.granary("lake", "runs", "dev", "--again", row.id).code == 0
    assert [one["name"] for one in runs.started] == [f"{row.id}-1"]


def test_a_refused_object_is_run_once_it_is_in_a_datasets_folder(lake: Factory, runs: Runs) -> None:
    row, stray = runs.put("a", dataset=""), runs.put("b", dataset="", key="elsewhere/{}.csv")
    answer = lake.granary("lake", "runs", "dev", "--again", stray.id)
    assert (answer.code, "is in no dataset's folder: add a dataset" in answer.stderr) == (5, True)
    assert lake.granary("lake", "runs", "dev", "--again", row.id).code == 0
    assert [(one["name"], one["dataset"]) for one in runs.started] == [(f"{row.id}-2", "green_trips")]


def test_all_that_failed_are_run_again_and_nothing_else(lake: Factory, runs: Runs) -> None:
    failed = [runs.put("a"), runs.put("b")]
    runs.put("c", Phase.SUCCEEDED)
    runs.put("d", dataset="")
    answer = lake.granary("lake", "runs", "dev", "--again-all-failed")
    assert (answer.code, "2 started" in answer.stderr) == (0, True)
    assert sorted(one["name"] for one in runs.started) == sorted(f"{row.id}-2" for row in failed)
    assert lake.granary("lake", "runs", "dev", "--again-all-failed").stdout == ""


def test_one_that_cannot_be_run_again_is_in_no_others_way(lake: Factory, runs: Runs) -> None:
    """Given a failed object whose dataset is gone since."""
    runs.put("a", key="gone/{}.csv")
    row = runs.put("b")
    answer = lake.granary("lake", "runs", "dev", "--again-all-failed", "--json")
    assert (answer.code, [one["id"] for one in answer.document]) == (1, [row.id])
    assert "gone/a.csv is in no dataset's folder" in answer.stderr


def test_an_object_or_an_environment_that_is_not_there_is_not_found(lake: Factory, runs: Runs) -> None:
    assert lake.granary("lake", "runs", "dev", "--again", "nothing").code == 3
    answer = lake.granary("lake", "runs", "test")
    assert (answer.code, "there are dev, prod" in answer.stderr) == (3, True)


def test_credentials_of_another_account_are_refused_by_its_name(lake: Factory) -> None:
    answer = lake.granary("lake", "runs", "prod")
    assert answer.code == 4
    assert f"the lake prod (config/lake.yaml) is in account {_ELSEWHERE}" in answer.stderr


_READ = {"table": "green_trips", "granary_read": "3", "granary_good": "2", "granary_quarantined": "1"}
_ROW = {"row": "1,2", "line": 4, "rules": ["fields"]}


@pytest.mark.parametrize(
    ("script", "code", "told"),
    [
        (f"print('''{json.dumps(_READ)}''')", 0, "3 rows read: 2 good, 1 quarantined"),
        (f"print('''{json.dumps(_READ)}'''); print('''{json.dumps(_ROW)}''')", 1, "line 4: fields: 1,2"),
        ("class GranaryError(Exception): pass\nraise GranaryError('the header lacks x')", 1, "loaded: the header"),
        ("import sys; print('no index', file=sys.stderr); sys.exit(6)", 6, "it cannot be set up: no index"),
    ],
)
def test_trying_a_file(lake: Factory, tmp_path: Path, script: str, code: int, told: str) -> None:
    """Given jobs that come to this: they see the dataset's definitions, and the file."""
    (tmp_path / "jobs.py").write_text(
        "import pathlib, sys\n"
        "place, file, folder = map(pathlib.Path, sys.argv[1:])\n"
        "assert {one.name for one in place.iterdir()} == {'dataset.json', 'trips_by_payment.sql'}\n"
        f"assert file.read_text() == 'a' and folder.exists()\n{script}\n"
    )
    file = tmp_path / "a.csv"
    file.write_text("a")
    lake.monkeypatch.setattr(trying, "_module", lambda: "jobs")
    lake.monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answer = lake.granary("lake", "try", "green_trips", str(file))
    assert answer.code == code
    assert told in answer.stdout + answer.stderr


def test_trying_needs_a_dataset_a_file_and_spark(lake: Factory, tmp_path: Path) -> None:
    assert lake.granary("lake", "try", "nothing", str(tmp_path)).code == 3
    assert lake.granary("lake", "try", "green_trips", str(tmp_path / "none")).code == 3
    (tmp_path / "a.csv").touch()
    lake.monkeypatch.setattr(trying, "find_spec", lambda _: None)
    answer = lake.granary("lake", "try", "green_trips", str(tmp_path / "a.csv"))
    assert (answer.code, "this Python has no pyspark" in answer.stderr) == (6, True)


@pytest.fixture
def governed(lake: Factory) -> Factory:
    """A lake with the example's permissions."""
    shutil.copy(_EXAMPLES / "lake-permissions.yaml", lake.directory)
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
    place = f"{_ELSEWHERE}/{REGION}"
    plans = Plans(
        s3=s3,
        dynamodb=governed.db,
        bucket=bucket,
        table="granary-lake-governance",
        place=place,
        clock=lambda: datetime(2026, 11, 28, tzinfo=UTC),
    )
    facts: dict[str, Any] = {
        "catalog": _ELSEWHERE,
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
    assert (applied["account"], applied["plan"]) == (_ELSEWHERE, plan.digest)
    assert applied["approved_by"]
    assert answer.document["execution"] in [one["executionArn"] for one in found]


def test_only_the_last_plan_is_approved(governed: Factory, plan: Plan) -> None:
    machine = governed.machine("granary-lake-governance")
    answer = governed.granary("lake", "apply", "c0ffee")
    assert (answer.code, f"there are: {plan.digest} of {_ELSEWHERE}" in answer.stderr) == (5, True)
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
def catalog(governed: Factory) -> FakeLake:
    """A catalog with a table, which the caller may see all of."""
    found = FakeLake()
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
