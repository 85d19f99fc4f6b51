"""`granary chaos`: what is told, what is asked of the function, and the exit codes that scripts rely on."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from typing import Any

import pytest

from cli.resilience import commands
from config.loader import CONFIG_DIR
from lambdas.resilience.model.attempt import Step
from lambdas.resilience.model.names import ResilienceNames
from lambdas.resilience.model.tenant import Tenant
from lambdas.resilience.store.attempts import AttemptsTable
from tests.unit.cli.saas.factory import Factory
from tests.unit.lambdas.resilience.store.test_attempts_table import _ATTEMPT as ATTEMPT

NAMES = ResilienceNames(prefix="granary")


@pytest.fixture
def chaos(factory: Factory) -> Factory:
    """A factory that experiments, and its table."""
    shutil.copy(CONFIG_DIR / "examples" / "all" / "resilience.yaml", factory.directory)
    factory.db.create_table(
        TableName=NAMES.attempts_table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return factory


@pytest.mark.parametrize(
    "words", [("list",), ("show", "x"), ("history",), ("run", "acme", "--experiment", "x", "--dry-run")]
)
def test_without_the_room_there_is_nothing(factory: Factory, words: tuple[str, ...]) -> None:
    answer = factory.granary("chaos", *words)
    assert (answer.code, "the room resilience is off" in answer.stderr) == (3, True)


def test_rings_and_the_catalogue_are_listed(chaos: Factory) -> None:
    told = chaos.granary("chaos", "list").stdout.splitlines()
    assert [" ".join(line.split()) for line in told] == [
        "ring canary run stop-a-task; probes home",
        "ring early dry-run reboot-the-database",
        "ring general validation; probes home; demands canary",
        "experiment stop-a-task 5 min: aws:ecs:stop-task",
        "experiment reboot-the-database 10 min: aws:rds:reboot-db-instances",
    ]
    assert json.loads(chaos.granary("chaos", "list", "--json").stdout)["demands"] == {"general": ["canary"]}


def test_an_experiment_is_shown_as_fis_gets_it(chaos: Factory) -> None:
    shown = json.loads(chaos.granary("chaos", "show", "stop-a-task").stdout)
    assert shown["targets"]["stop"]["resourceTags"] == {"granary:deployment": "{id}"}
    assert shown["targets"]["stop"]["parameters"]["service"] == "{type}-{id}"
    assert chaos.granary("chaos", "show", "nothing").code == 3


def test_what_is_shown_is_of_the_factorys_partition(chaos: Factory) -> None:
    for path in chaos.directory.glob("*.yaml"):
        text = path.read_text(encoding="utf-8").replace(
            "  - name: stop-a-task\n", "  - name: stop-a-task\n    stop_alarms: [x]\n"
        )
        for region, gov in (("us-east-1", "us-gov-west-1"), ("eu-west-1", "us-gov-east-1")):
            text = text.replace(region, gov)
        path.write_text(text, encoding="utf-8")
    shown = chaos.granary("chaos", "show", "stop-a-task")
    assert shown.code == 0, shown.stderr
    assert "arn:aws-us-gov:cloudwatch:{region}:{account}:alarm:" in shown.stdout
    assert "arn:aws:" not in shown.stdout


class Function:
    """The deployed function: answers one after the other."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert FunctionName == "granary-resilience-fis-trigger"
        self.asked.append(json.loads(Payload)["dry_run"])
        return {"Payload": io.BytesIO(json.dumps(self.answers.pop(0)).encode())}


@pytest.mark.parametrize(("passes", "code"), [(True, 0), (False, 1)])
def test_a_dry_run_is_asked_for_until_it_is_over(
    chaos: Factory, monkeypatch: pytest.MonkeyPatch, *, passes: bool, code: int
) -> None:
    function = Function({"token": "t1"}, {"token": "t2"}, {"said": "it would hit task/1", "passes": passes})
    monkeypatch.setattr("cli.common.session.Session.client", lambda *_: function)
    monkeypatch.setattr(commands, "_POLL_SECONDS", 0)
    answer = chaos.granary("chaos", "run", "acme", "--experiment", "stop-a-task", "--dry-run")
    assert (answer.code, answer.stdout.strip()) == (code, "it would hit task/1")
    assert [one.get("token") for one in function.asked] == [None, "t1", "t2"]
    assert len({one["attempt"] for one in function.asked}) == 1


def test_nobody_injects_a_fault_by_hand(chaos: Factory) -> None:
    answer = chaos.granary("chaos", "run", "acme", "--experiment", "stop-a-task")
    assert (answer.code, "--dry-run" in answer.stderr) == (2, True)


def test_what_was_tried_is_listed_newest_first(chaos: Factory) -> None:
    table = AttemptsTable(client=chaos.db, table=NAMES.attempts_table)
    over = replace(ATTEMPT, step=Step.ENDED, outcome="PASS", reason="it held", ring="canary", revision="r2")
    tenant = table.save(Tenant(id="acme").with_attempt(over))
    going_on = replace(ATTEMPT, id="job-2", began="2026-11-29T01:00:00.000+00:00")
    table.save(tenant.with_attempt(going_on))
    table.save(Tenant(id="globex").with_attempt(replace(over, deployment="globex")))
    told = chaos.granary("chaos", "history", "acme").stdout.splitlines()
    assert told == [
        "2026-11-29T01:00:00 acme goes on run stop-a-task",
        "2026-11-29T00:00:00 acme PASS run stop-a-task ring canary r2  it held",
    ]
    assert len(json.loads(chaos.granary("chaos", "history", "--json").stdout)) == 3


@pytest.mark.parametrize(("words", "said"), [((), "tried yet"), (("acme",), "tried at acme")])
def test_that_nothing_was_tried_is_said(chaos: Factory, words: tuple[str, ...], said: str) -> None:
    answer = chaos.granary("chaos", "history", *words, "--json")
    assert (answer.code, json.loads(answer.stdout), said in answer.stderr) == (0, [], True)


def test_what_cannot_be_read_is_told_and_hides_nothing(chaos: Factory) -> None:
    chaos.db.put_item(TableName=NAMES.attempts_table, Item={"id": {"S": "acme"}, "version": {"S": "x"}})
    answer = chaos.granary("chaos", "history")
    assert (answer.code, "cannot be read" in answer.stderr) == (1, True)
