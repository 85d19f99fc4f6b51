"""`granary lake`: what is told, what is started, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.lake import trying
from lambdas.lake.model.names import LakeNames
from lambdas.lake.model.objects import Arrival, AuditRow, ObjectVersion, Phase
from lambdas.lake.store.audit_table import AuditTable
from tests.unit.cli.lake.lakes import ELSEWHERE, make_table
from tests.unit.cli.saas.factory import ACCOUNT, REGION, Factory

_NAMES = LakeNames(prefix="granary", environment="dev")
_KEY = "nyc_tlc/green_trips/{}.csv"


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
    assert f"the lake prod (config/lake.yaml) is in account {ELSEWHERE}" in answer.stderr


_READ = {"table": "green_trips", "granary_read": "3", "granary_good": "2", "granary_quarantined": "1"}
_ROW = {"row": "1,2", "line": 4, "rules": ["fields"]}


@pytest.mark.parametrize(
    ("script", "code", "told"),
    [
        (f"print('''{json.dumps(_READ)}''')", 0, "3 rows read: 2 good, 1 quarantined"),
        (f"print('''{json.dumps(_READ)}'''); print('''{json.dumps(_ROW)}''')", 1, "line 4: fields: 1,2"),
        ("class GranaryError(Exception): pass\nraise GranaryError('the header lacks x')", 1, "loaded: the header"),
        (
            "import sys; sys.exit('py4j.protocol.Py4JJavaError: An error\\n: x.SparkException: a\\n\\tat y.Z\\n"
            "Caused by: java.util.regex.PatternSyntaxException: Unknown modifier\\n(?P\\n   ^\\n\\t... 47 more')",
            1,
            "loaded: Unknown modifier",
        ),
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
