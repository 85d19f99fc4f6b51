"""`status ID`: what is told, and what is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.saas.advice import next_step
from cli.saas.details import Details, facts
from lambdas.common.clock import moment
from lambdas.saas.model.lifecycle import checked
from lambdas.saas.model.record import DeploymentRecord, Wanted
from lambdas.saas.model.runs import Run, RunState
from lambdas.saas.model.status import Outcome, Phase, Status
from tests.unit.cli.saas.factory import NOW, PLACED, Factory, ref, stack

_WISH = DeploymentRecord(id="acme", type="silo", account="222222222222", region="eu-west-1")


@given(st.sampled_from(Phase), st.sampled_from(Wanted), st.booleans())
def test_there_is_a_next_step_for_every_state(phase: Phase, state: Wanted, row: bool) -> None:
    wish = replace(_WISH, state=state.value) if row else None
    assert next_step("acme", wish, Status(id="acme", phase=phase))


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (Status(id="acme", phase=Phase.FAILED), "granary retry acme"),
        (Status(id="acme", phase=Phase.SUSPENDED), "granary activate acme"),
        (Status(id="acme", phase=Phase.RETIRING, retire_after=NOW), f"until {NOW} with `granary activate acme`"),
        (Status(id="acme", phase=Phase.ACTIVE, release_outcome=Outcome.ROLLED_BACK.value), "granary resume"),
    ],
)
def test_the_next_step_names_the_command(status: Status, step: str) -> None:
    assert step in next_step("acme", _WISH, status)


@given(st.sampled_from(RunState), st.sampled_from(Outcome), st.booleans())
def test_nobody_is_told_to_retry_what_a_release_may_be_about_to_take_back(
    state: RunState, outcome: Outcome, own: bool
) -> None:
    status = Status(id="acme", phase=Phase.FAILED, reason="stage Deploy: no", release_run="r1", release_outcome=outcome)
    run = Run(run="r1" if own else "r2", revision="b", state=state, strategy="rings", rings=1, deployments=1)
    told = next_step("acme", _WISH, status, run)
    may_be = own and state is RunState.RUNNING and outcome in (Outcome.RUNNING, Outcome.FAILED, Outcome.ROLLING_BACK)
    assert told.startswith("nothing before run r1 is over, which may take it back") is may_be
    assert "remove the cause that the reason names, then run `granary retry acme`" in told


def test_a_plan_that_waits_for_consent_is_agreed_to_in_a_run_too() -> None:
    said = 'to agree to it put "allow_adopt": {"S": "sha256:0123"} into the row'
    status = Status(id="acme", phase=Phase.FAILED, reason=said, release_run="r1", release_outcome=Outcome.FAILED)
    run = Run(run="r1", revision="b", state=RunState.RUNNING, strategy="rings", rings=1, deployments=1)
    assert "granary adopt acme" in next_step("acme", _WISH, status, run)


def test_a_build_that_died_on_its_way_has_a_cause_to_be_removed() -> None:
    died = "build b:1 ended before it took the row up: phase DOWNLOAD_SOURCE: NoSuchVersion"
    waiting = Status(id="acme", phase=Phase.PENDING, pending_build="b:2", reason=died)
    assert "remove the cause" in next_step("acme", _WISH, waiting)
    assert next_step("acme", _WISH, replace(waiting, reason="")).startswith("nothing")


def test_a_row_of_another_type_waits_for_the_end_of_what_is_being_retired() -> None:
    retiring = Status(id="acme", phase=Phase.RETIRING, build_id="b", retire_after=NOW, placed=(PLACED,))
    told = next_step("acme", checked(replace(_WISH, type="pool"), retiring), retiring)
    assert told.startswith("nothing: its retirement goes on")
    assert "the pool is built when that is over" in told


def test_a_removed_row_is_to_be_put_back() -> None:
    assert next_step("acme", None, Status(id="acme", phase=Phase.ACTIVE)).startswith("put the row back")


def test_facts_leave_out_what_is_empty() -> None:
    status = Status(
        id="acme",
        phase=Phase.UPDATING,
        revision_wanted="b",
        revision_deployed="a",
        updated_at=NOW,
        claimed_by="release/r",
        claim_expires_at=NOW,
        component_stacks=(ref("component"),),
        former_stacks=(ref("component", region="us-east-1"),),
    )
    told = dict(facts(Details(id="acme", row={}, wish=_WISH, status=status), now=moment(NOW)))
    assert told["revision"] == "b wanted, a deployed"
    assert told["held by"].endswith(", which is over")
    assert told["component stack"] == "silo-acme-resources in account 222222222222, eu-west-1"
    assert told["left behind"].endswith("us-east-1")
    assert all(told.values())
    assert "archive" not in told


def test_the_release_that_refuses_a_row_is_told() -> None:
    status = Status(id="acme", phase=Phase.INVALID, reason="tier is none", refused_by="4f2c9d1")
    told = dict(facts(Details(id="acme", row={}, wish=_WISH, status=status), now=moment(NOW)))
    assert told["refused by"] == "release 4f2c9d1"
    assert told["next step"].startswith("wait for a release after 4f2c9d1")
    corrected = next_step("acme", _WISH, replace(status, refused_by=""))
    assert corrected.startswith("nothing: the row has been corrected")


def test_everything_about_one(factory: Factory) -> None:
    factory.row(ring="early", tags={"cost": "1"})
    factory.status(phase="FAILED", reason="stage Deploy: boom", component_stacks=[stack("component")], task_token="T")
    answer = factory.granary("status", "acme")
    assert answer.code == 0
    lines = answer.stdout.splitlines()
    assert "phase: FAILED" in lines
    assert "tags: cost=1" in lines
    assert "reason: stage Deploy: boom" in lines
    assert lines[-1].startswith("next step: remove the cause")


def test_what_is_public_is_told_in_both_regions_and_in_no_list(factory: Factory) -> None:
    outputs = {
        "us-east-1": {"Address": "https://b.example.com"},
        "eu-west-1": {"Address": "https://a.example.com\x1b[31m", "Console": "https://console"},
    }
    factory.row()
    factory.status(phase="ACTIVE", outputs=outputs)
    lines = factory.granary("status", "acme").stdout.splitlines()
    assert [line for line in lines if line.startswith("output: ")] == [
        "output: Address, eu-west-1: https://a.example.com\\x1b[31m",
        "output: Address, us-east-1: https://b.example.com",
        "output: Console, eu-west-1: https://console",
    ]
    assert factory.granary("status", "acme", "--json").document["status"]["outputs"] == outputs
    assert "example.com" not in factory.granary("list", "--plain").stdout
    assert "outputs" not in factory.granary("list", "--json").stdout


def test_json_has_the_row_and_the_status_and_no_token(factory: Factory) -> None:
    row = factory.row()
    factory.status(phase="FAILED", task_token="SECRET", release_run="r1")
    answer = factory.granary("status", "acme", "--json")
    assert answer.document["row"] == row
    assert answer.document["status"]["release_run"] == "r1"
    assert "SECRET" not in answer.stdout


@pytest.mark.parametrize(("phase", "code"), [("ACTIVE", 0), ("FAILED", 1), ("INVALID", 1), ("UPDATING", 0)])
def test_check_tells_by_the_exit_code(factory: Factory, phase: str, code: int) -> None:
    factory.row()
    factory.status(phase=phase)
    assert factory.granary("status", "acme", "--check").code == code


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("failed", 1), ("rolled_back", 1), ("rollback_failed", 1), ("succeeded", 0), ("running", 0), ("superseded", 0)],
)
def test_check_and_the_list_agree_about_a_release_that_failed(factory: Factory, outcome: str, code: int) -> None:
    factory.row()
    factory.status(release_run="r1", release_outcome=outcome)
    assert factory.granary("status", "acme", "--check").code == code
    listed = factory.granary("list", "--failed", "--json").document
    assert [entry["id"] for entry in listed] == ["acme"] * code


def test_check_finds_a_row_that_is_gone(factory: Factory) -> None:
    factory.status(row_removed=True)
    assert factory.granary("status", "acme", "--check").code == 1


def test_check_finds_a_row_that_is_not_valid(factory: Factory) -> None:
    factory.row(region="mars-1")
    answer = factory.granary("status", "acme", "--check")
    assert answer.code == 1
    assert "problem: region" in answer.stdout


def test_a_change_that_is_not_made_is_told(factory: Factory) -> None:
    """Given a deployment in one Region and a row that names another without consent, the problem is the move."""
    factory.row(region="us-east-1")
    placed: dict[str, Any] = {"type": "silo", "account": "222222222222", "region": "eu-west-1"}
    factory.status(placed=placed)
    assert "that is a move" in factory.granary("status", "acme").stdout


def test_both_places_of_a_tenant_are_told(factory: Factory) -> None:
    factory.row(standby_region="us-east-1")
    placed = [{"type": "silo", "account": "222222222222", "region": region} for region in ("eu-west-1", "us-east-1")]
    stacks = [vars(ref("component")), vars(ref("component", region="us-east-1"))]
    factory.status(phase="ACTIVE", placed=placed, component_stacks=stacks)
    told = factory.granary("status", "acme").stdout
    assert "account 222222222222, eu-west-1 with a standby in us-east-1" in told
    assert [f"in account 222222222222, {region}" in told for region in ("eu-west-1", "us-east-1")] == [True, True]
    assert "eu-west-1+us-east-1" in factory.granary("list", "--plain").stdout


def test_nobody_of_that_name(factory: Factory) -> None:
    answer = factory.granary("status", "nobody")
    assert (answer.code, answer.stdout) == (3, "")
    assert "granary list" in answer.stderr
