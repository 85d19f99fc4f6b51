"""`release`, `resume`, `approve` and `reject`."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cli.common.errors import ConflictError
from cli.saas.approval import Answer, Approvals
from cli.saas.commands.release import follow_run
from cli.saas.progress import Failure, Sight, counts, headline, lines, next_step
from cli.saas.render.progress import drawn
from cli.saas.runs import Start, newest, start_of
from lambdas.saas.model.releases import Release
from lambdas.saas.model.runs import Ring, Run, RunState, run_name
from tests.unit.cli.saas.factory import NAMES, REGION, RELEASE, Factory, ring

_ARN = f"arn:aws:states:{REGION}:123456789012:stateMachine:{NAMES.release_machine}"
_NEWER = replace(RELEASE, revision="5a5a5a5", published_at="2026-11-25T09:30:00.000+00:00")


def _run(state: str = "RUNNING", **facts: Any) -> Run:
    known = {"revision": RELEASE.revision, "strategy": "rings", "rings": 2, "deployments": 4, **facts}
    return Run(run="r1", state=state, **known)


@given(st.permutations([RELEASE, _NEWER, replace(RELEASE, revision="0", published_at="2025")]))
def test_the_newest_is_the_one_published_last(releases: list[Release]) -> None:
    assert newest(releases) is _NEWER


def test_what_release_does() -> None:
    assert start_of(RELEASE, None) is Start.BEGIN
    assert start_of(_NEWER, _run("STOPPED")) is Start.BEGIN
    assert start_of(RELEASE, _run()) is Start.FOLLOW
    assert start_of(RELEASE, _run("SUCCEEDED")) is Start.DONE
    assert start_of(RELEASE, _run("STOPPED")) is Start.SHOW
    with pytest.raises(ConflictError, match="granary resume"):
        start_of(RELEASE, _run("STOPPED"), everyone=True)


def test_a_run_is_followed_until_it_is_over() -> None:
    """Given a run that advances, waits for an approval and stops, each look is shown and nothing after the last."""
    sights = [
        Sight(name="r1", run=None),
        Sight(name="r1", run=_run(), rings=[ring(0, "canary", "APPROVAL")]),
        Sight(name="r1", run=_run("STOPPED", reason="too many failed")),
    ]
    coming, shown, slept = iter(sights), list[Sight](), list[float]()
    last = follow_run(lambda _name, _before: next(coming), "r1", shown.append, sleep=slept.append)
    assert shown == sights
    assert last is sights[-1]
    assert len(slept) == 2
    assert [sight.exit for sight in sights] == [0, 0, 1]
    assert next_step(sights[1]).startswith("ring canary waits for an approval")
    assert "granary resume" in next_step(last)


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_can_be_drawn(state: RunState) -> None:
    failures = [Failure(id=f"t{n}", ring="canary", outcome="failed", reason="boom") for n in range(12)]
    rings = [ring(0, "canary", "FAILED", succeeded=1, failed=1), ring(1, "general", "DONE", total=0)]
    sight = Sight(name="r1", run=_run(state), rings=rings, failures=failures)
    assert str(state) in headline(sight)
    assert "t11 (canary) failed: boom" in lines(sight)
    assert drawn(sight).renderables


def test_who_approved_a_ring_is_told(factory: Factory) -> None:
    """Given two rings that were approved, one without a comment, and one that needed no approval, two are told."""
    approved = ring(1, "early", "DONE", approved_by="user/me", approval_comment="looks\n good")
    silent = ring(2, "general", "ADVANCING", approved_by="user/you")
    factory.run(rings=(ring(0, "canary", "DONE"), approved, silent))
    told = factory.granary("release", "--no-follow").stdout.splitlines()
    assert [line for line in told if "approved" in line] == [
        "ring early was approved by user/me: looks good",
        "ring general was approved by user/you",
    ]
    rings = factory.granary("release", "--no-follow", "--json").document["rings"]
    assert [(one["approved_by"], one["approval_comment"]) for one in rings[:2]] == [
        ("", ""),
        ("user/me", "looks\n good"),
    ]


def test_a_terminal_shows_who_approved_a_ring() -> None:
    approved = ring(0, "canary", "DONE", approved_by="user/me", approval_comment="fine")
    console = Console(file=StringIO(), width=120)
    console.print(drawn(Sight(name="r1", run=_run(), rings=[approved])))
    assert isinstance(console.file, StringIO)
    assert "ring canary was approved by user/me: fine" in console.file.getvalue()


def test_deployments_that_vanished_are_counted() -> None:
    assert counts(ring(0, "canary", "DONE", succeeded=1, vanished=("gone",))) == "1 succeeded, 1 vanished"


def test_the_newest_release_is_started(factory: Factory) -> None:
    machine = factory.machine(NAMES.release_machine)
    factory.runs.keep(RELEASE)
    factory.runs.keep(_NEWER)
    answer = factory.granary("release", "--no-follow", "--json")
    assert (answer.code, answer.document["state"]) == (0, "STARTING")
    (execution,) = machine.list_executions(stateMachineArn=_ARN)["executions"]
    assert execution["name"] == run_name(_NEWER)
    given_input = json.loads(machine.describe_execution(executionArn=execution["executionArn"])["input"])
    assert given_input == {"release": json.loads(_NEWER.to_json()), "resumes": ""}
    assert factory.granary("release", "--no-follow").code == 0, "a second start is the same run"


def test_a_run_under_way_is_told_with_its_failures(factory: Factory) -> None:
    rings = (ring(0, "canary", "BAKING", succeeded=1, failed=1), ring(1, "general", "WAITING", approval_token="SECRET"))
    name = factory.run(rings=rings)
    factory.status("bad", release_run=name, release_ring="canary", release_outcome="failed", release_reason="boom")
    factory.status("good", release_run=name, release_outcome="succeeded")
    factory.status("older", release_run="r0", release_outcome="failed")
    answer = factory.granary("release", "--no-follow", "--json")
    assert answer.document["failures"] == [{"id": "bad", "ring": "canary", "outcome": "failed", "reason": "boom"}]
    assert "SECRET" not in answer.stdout + answer.stderr
    assert "ring canary: BAKING, 2 of 2, 1 succeeded, 1 failed" in factory.granary("release", "--no-follow").stdout


def test_a_stopped_run_is_resumed_by_another(factory: Factory) -> None:
    machine = factory.machine(NAMES.release_machine)
    name = factory.run(state="STOPPED", rings=(ring(0, "canary", "FAILED", failed=1),))
    assert factory.granary("release", "--everyone").code == 5
    answer = factory.granary("resume", "--no-follow", "--json")
    assert (answer.code, answer.document["run"]) == (0, f"{name}-r2")
    (execution,) = machine.list_executions(stateMachineArn=_ARN)["executions"]
    given_input = json.loads(machine.describe_execution(executionArn=execution["executionArn"])["input"])
    assert given_input == {"release": json.loads(RELEASE.to_json()), "resumes": name}


@pytest.mark.parametrize("words", [["release"], ["release", "--no-follow"]])
def test_a_stopped_run_is_shown_as_it_stopped_and_nothing_is_started(factory: Factory, words: list[str]) -> None:
    machine = factory.machine(NAMES.release_machine)
    name = factory.run(state="STOPPED", rings=(ring(0, "canary", "FAILED", failed=1),))
    factory.status("bad", release_run=name, release_ring="canary", release_outcome="failed", release_reason="boom")
    answer = factory.granary(*words)
    assert answer.code == 1
    assert answer.stdout.splitlines()[1:] == [
        "ring canary: FAILED, 1 of 2, 1 failed",
        "bad (canary) failed: boom",
        "stopped: ring canary: 1 of 2 failed; remove the cause, then `granary resume`, or publish a newer release",
    ]
    document = factory.granary(*words, "--json").document
    assert (document["state"], document["rings"][0]["name"]) == ("STOPPED", "canary")
    assert machine.list_executions(stateMachineArn=_ARN)["executions"] == []


@pytest.mark.parametrize("state", ["RUNNING", "SUCCEEDED", "SUPERSEDED"])
def test_only_a_stopped_run_is_resumed(factory: Factory, state: str) -> None:
    factory.run(state=state)
    assert factory.granary("resume").code == 5


def test_a_run_that_is_over_ends_the_command(factory: Factory) -> None:
    factory.run(state="SUCCEEDED", rings=(ring(0, "canary", "DONE", succeeded=2),))
    answer = factory.granary("release")
    assert answer.code == 0
    assert "SUCCEEDED, 2 of 2 deployments" in answer.stdout


def test_nothing_is_released_yet(factory: Factory) -> None:
    for words in (["release"], ["resume"]):
        assert factory.granary(*words).code == 3
    assert factory.granary("approve").code == 5


@pytest.mark.parametrize("spoilt", [None, {"run": {"N": "1"}}])
def test_a_ring_that_is_spoilt_keeps_nobody_from_answering_for_another(
    factory: Factory, spoilt: dict[str, Any] | None
) -> None:
    """Given a run that waits for an approval, when another ring is gone or spoilt, then the run can go on, and stop."""
    name = factory.run(rings=(ring(0, "canary", "DONE"), ring(1, "general", "APPROVAL", approval_token="T")))
    key = {"id": {"S": f"ring/{name}/0"}}
    factory.db.delete_item(TableName=NAMES.releases_table, Key=key)
    if spoilt:
        factory.db.put_item(TableName=NAMES.releases_table, Item={**key, **spoilt})
    answered: list[Ring] = []
    factory.monkeypatch.setattr(Approvals, "answer", lambda _self, waiting, *_given, **_more: answered.append(waiting))
    shown = factory.granary("release", "--no-follow")
    assert (shown.code, "ring general waits for an approval" in shown.stdout) == (0, True)
    assert factory.granary("approve").code == 0
    assert [one.name for one in answered] == ["general"]


@pytest.mark.parametrize("answer", list(Answer))
def test_the_answer_goes_to_the_waiting_task(answer: Answer) -> None:
    client = boto3.client("stepfunctions", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")
    said = {"approved": answer is Answer.APPROVED, "reason": "because"}
    signed = {"run": run_name(RELEASE), "ring": 0, **said}
    output = json.dumps({**said, "proof": {"signed": signed}})
    with Stubber(client) as stub:
        stub.add_response("send_task_success", {}, {"taskToken": "T", "output": output})
        waiting = ring(0, "canary", "APPROVAL", approval_token="T")
        Approvals(stepfunctions=client).answer(waiting, answer, prove=lambda words: {"signed": words}, reason="because")
        stub.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_an_answer_that_nobody_waits_for_is_a_conflict(code: str) -> None:
    client = boto3.client("stepfunctions", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y")
    waiting = ring(0, "canary", "APPROVAL", approval_token="T")
    stub = Stubber(client)
    stub.add_client_error("send_task_success", code)
    stub.activate()
    with pytest.raises(ConflictError, match=r"does not wait any more: .* has spoilt its approval_token: stop the exec"):
        Approvals(stepfunctions=client).answer(waiting, Answer.APPROVED, prove=dict, reason="")


def test_only_the_ring_that_waits_is_answered(factory: Factory) -> None:
    factory.run(rings=(ring(0, "canary", "DONE"), ring(1, "general", "APPROVAL", approval_token="")))
    said = " ".join(factory.granary("approve").stderr.split())
    assert "no ring waits" in said, "the machine has not asked yet"
    assert "if ring general has not asked within minutes, stop the execution" in said, (
        "or somebody has spoilt its token"
    )
    answer = factory.granary("reject", "--ring", "canary")
    assert answer.code == 5
    assert "ring canary does not wait" in answer.stderr
