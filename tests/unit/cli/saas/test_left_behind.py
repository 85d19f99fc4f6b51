"""Going on with a release: with one that was stopped, that left some behind, or that broke before it began."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.common.errors import ConflictError, NotFoundError
from cli.common.exits import Exit
from cli.saas.advice import after_release
from cli.saas.commands.release import follow_run
from cli.saas.progress import Failure, Sight, lines, next_step
from cli.saas.retry import Attempt, retry_of
from cli.saas.runs import how_to, resumable
from lambdas.common.clock import moment
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.runs import BROKEN, Run, RunState, run_name
from lambdas.saas.model.status import Phase, Status
from tests.unit.cli.saas.factory import NAMES, NOW, REGION, RELEASE, Factory, ring, stack

_ARN = f"arn:aws:states:{REGION}:123456789012:stateMachine:{NAMES.release_machine}"
_NAME = run_name(RELEASE)
_NEWER = replace(RELEASE, revision="5a5a5a5", published_at="2026-11-25T09:30:00.000+00:00")


def _run(state: RunState, *, name: str = _NAME, **facts: Any) -> Run:
    known = {"revision": RELEASE.revision, "strategy": "rings", "rings": 1, "deployments": 1, **facts}
    return Run(run=name, state=state.value, **known)


def _tenant(factory: Factory, name: str = "acme", **facts: Any) -> None:
    """A tenant that a release can take up."""
    factory.row(name)
    placed = {"type": "silo", "account": "222222222222", "region": "eu-west-1"}
    stacks = {"pipeline_stack": stack("pipeline", name), "component_stacks": [stack("component", name)]}
    factory.status(name, placed=placed, **{"revision_deployed": "old", **stacks, **facts})


def _executions(machine: Any) -> dict[str, Any]:
    found = machine.list_executions(stateMachineArn=_ARN)["executions"]
    return {one["name"]: machine.describe_execution(executionArn=one["executionArn"]) for one in found}


def _broken(factory: Factory, *names: str) -> Any:
    """Executions that were stopped before they began."""
    machine = factory.machine(NAMES.release_machine)
    for name in names:
        started = machine.start_execution(stateMachineArn=_ARN, name=name, input=json.dumps({"by": "hand"}))
        machine.stop_execution(executionArn=started["executionArn"])
    return machine


@pytest.mark.parametrize(("state", "left", "may"), [
    (RunState.STOPPED, 0, True),
    (RunState.SUCCEEDED, 1, True),
    (RunState.SUCCEEDED, 0, False),
    (RunState.RUNNING, 1, False),
    (RunState.SUPERSEDED, 1, False),
])  # fmt: skip
def test_which_runs_can_be_gone_on_with(state: RunState, left: int, may: bool) -> None:
    run = _run(state)
    if may:
        assert resumable(run, left=left) is run
    else:
        with pytest.raises(ConflictError, match=f"run {run.run} .*{state}"):
            resumable(run, left=left)


def test_without_a_run_nothing_is_gone_on_with() -> None:
    with pytest.raises(NotFoundError, match="granary release"):
        resumable(None)


def test_what_a_release_has_left_behind_is_gone_on_with(factory: Factory) -> None:
    """Given one that failed within the budget, when it is resumed, then all that do not have the release are taken."""
    name = factory.run(state="SUCCEEDED", rings=(ring(0, "canary", "DONE", succeeded=1, failed=1),))
    _tenant(factory, release_run=name, release_outcome="rolled_back")
    machine = factory.machine(NAMES.release_machine)
    plan = factory.granary("plan", "release", "--json").document
    assert (plan["deployments"], plan["resumes"]) == (1, name)
    assert "granary resume" in plan["next_step"]
    assert "granary resume" in factory.granary("retry", "acme").stderr
    assert "granary resume" in factory.granary("status", "acme").stdout
    assert factory.granary("release", "--no-follow").stdout.splitlines()[-1].endswith("then `granary resume`")
    answer = factory.granary("resume", "--no-follow")
    assert answer.code == 0
    assert f"run {name}-r2 goes on with {name}, which has left some" in answer.stderr
    (found,) = _executions(machine).values()
    assert json.loads(found["input"]) == {"release": json.loads(RELEASE.to_json()), "resumes": name}


@pytest.mark.parametrize(("holder", "state", "resumes"), [
    (f"release/{_NAME}", RunState.STOPPED, True),
    (f"release/{_NAME}", RunState.RUNNING, False),
    ("granary-provisioning:1", RunState.STOPPED, False),
])  # fmt: skip
def test_who_is_held_by_a_run_that_was_stopped_is_resumed(holder: str, state: RunState, resumes: bool) -> None:
    wish = DeploymentRecord(id="acme", type="silo", account="222222222222", region="eu-west-1")
    status = Status(
        id="acme", phase=Phase.UPDATING, claimed_by=holder, claim_expires_at="2026-11-25T11:00:00.000+00:00"
    )
    chosen = retry_of("acme", wish, status, now=moment(NOW), run=_run(state))
    assert chosen.attempt is Attempt.REFUSE
    assert ("granary resume" in chosen.why) is resumes


def test_when_nothing_is_left_resume_says_so(factory: Factory) -> None:
    factory.run(state="SUCCEEDED")
    _tenant(factory, revision_deployed=RELEASE.revision)
    answer = factory.granary("resume")
    assert answer.code == 5
    assert "nothing is left of it" in answer.stderr
    assert factory.granary("plan", "release", "--json").document["next_step"].startswith("nothing")


def test_a_run_under_way_is_waited_for(factory: Factory) -> None:
    name = factory.run()
    _tenant(factory, release_run=name, release_outcome="failed")
    for words in (["retry", "acme"], ["resume"]):
        answer = factory.granary(*words)
        assert answer.code == 5
        assert "`granary release`" in answer.stderr
        assert "granary resume" not in answer.stderr
    assert factory.granary("plan", "release", "--json").document["next_step"].startswith(f"run {name} is under way")


@pytest.mark.parametrize(("state", "facts", "step"), [
    (None, {}, "granary resume"),
    (RunState.STOPPED, {}, "granary resume"),
    (RunState.SUCCEEDED, {}, "granary resume"),
    (RunState.STOPPED, {"release_run": "older-00000000"}, "granary resume"),
    (RunState.SUCCEEDED, {"release_run": f"{_NAME}-r2"}, "granary resume"),
    (RunState.SUCCEEDED, {"release_run": "older-00000000"}, "nothing"),
    (RunState.RUNNING, {}, "nothing"),
    (RunState.SUCCEEDED, {"revision_deployed": RELEASE.revision}, "nothing"),
])  # fmt: skip
def test_what_to_do_where_a_release_has_failed(state: RunState | None, facts: dict[str, Any], step: str) -> None:
    known = {"release_run": _NAME, "release_outcome": "failed", "revision_deployed": "old", **facts}
    status = Status(id="acme", phase=Phase.ACTIVE, **known)
    told = after_release(status, _run(state) if state else None)
    assert (step in told) if step != "nothing" else told.startswith(step)


@given(st.sampled_from(RunState), st.integers(0, 2), st.booleans())
def test_a_plan_names_a_command_that_does_it(state: RunState, left: int, same: bool) -> None:
    """Given any run in force, then `resume` is advised only when it would not refuse."""
    run = _run(state)
    told = how_to(RELEASE if same else _NEWER, run, left=left)
    if "granary resume" in told:
        assert resumable(run, left=left) is run
    assert same or "granary release" in told


def test_a_release_that_broke_before_it_began_is_started_under_the_next_name(factory: Factory) -> None:
    """Given two executions that were stopped at once, then the third is started, and once however often one asks."""
    machine = _broken(factory, _NAME, f"{_NAME}-r2")
    factory.runs.keep(RELEASE)
    for said in ("is started", "was started"):
        answer = factory.granary("release", "--no-follow", "--json")
        assert (answer.code, answer.document["run"], answer.document["state"]) == (0, f"{_NAME}-r3", "STARTING")
        assert said.split()[1] in answer.stderr
    given_input = json.loads(_executions(machine)[f"{_NAME}-r3"]["input"])
    assert given_input == {"release": json.loads(RELEASE.to_json()), "resumes": ""}


def test_a_resumption_that_broke_is_started_under_the_next_name(factory: Factory) -> None:
    name = factory.run(state="STOPPED", rings=(ring(0, "canary", "FAILED", failed=1),))
    machine = _broken(factory, f"{name}-r2")
    assert factory.granary("resume", "--no-follow", "--json").document["run"] == f"{name}-r3"
    assert json.loads(_executions(machine)[f"{name}-r3"]["input"])["resumes"] == name


def test_a_refused_run_of_the_same_name_is_passed(factory: Factory) -> None:
    """Given a stage of CI/CD that was run again while the release was stopped, then it can be resumed all the same."""
    name = factory.run(state="STOPPED")
    factory.machine(NAMES.release_machine).start_execution(stateMachineArn=_ARN, name=f"{name}-r2", input="{}")
    factory.runs.begun(_run(RunState.SUPERSEDED, name=f"{name}-r2"))
    assert factory.granary("resume", "--no-follow", "--json").document["run"] == f"{name}-r3"


def test_following_a_run_that_came_to_nothing_ends(factory: Factory) -> None:
    """Given a run in force of which nothing was written, when its execution is over, then the command says so."""
    _broken(factory, _NAME)
    factory.runs.keep(RELEASE)
    factory.runs.take_over(_NAME, release=RELEASE, resumes="", now=moment(NOW))
    answer = factory.granary("release", "--json")
    assert (answer.code, answer.document["state"]) == (1, "ABORTED")
    assert "granary resume" in answer.document["next_step"]


@pytest.mark.parametrize("execution", sorted(BROKEN))
@pytest.mark.parametrize("in_force", [False, True])
def test_a_sight_of_what_came_to_nothing(execution: str, in_force: bool) -> None:
    sight = Sight(name=_NAME, run=None, execution=execution, in_force=in_force)
    slept: list[float] = []
    last = follow_run(lambda _name, _before: sight, _NAME, lambda _sight: None, sleep=slept.append)
    assert slept == []
    assert (last.over, last.exit) == (True, Exit.WRONG)
    told = lines(sight)
    assert f"its execution is {execution}" in told[0]
    assert ("granary resume" in told[1]) is in_force


@pytest.mark.parametrize("execution", ["", "RUNNING"])
def test_a_sight_of_what_is_being_planned(execution: str) -> None:
    sight = Sight(name=_NAME, run=None, execution=execution)
    assert (sight.over, sight.exit, sight.document()["state"]) == (False, Exit.OK, "STARTING")
    assert lines(sight) == [f"run {_NAME} is being planned"]


@pytest.mark.parametrize(("in_force", "resumes", "command"), [
    (True, "", "granary resume"),
    (False, "", "granary release"),
    (False, _NAME, "granary resume"),
])  # fmt: skip
def test_a_run_that_never_began_is_begun_by_what_works(in_force: bool, resumes: str, command: str) -> None:
    run = _run(RunState.STOPPED, rings=0, reason="boom", resumes=resumes)
    assert f"`{command}`" in next_step(Sight(name=_NAME, run=run, in_force=in_force))


def test_who_failed_within_the_budget_has_a_next_step() -> None:
    failure = Failure(id="acme", ring="canary", outcome="rolled_back", reason="boom")
    assert "granary resume" in next_step(Sight(name=_NAME, run=_run(RunState.SUCCEEDED), failures=[failure]))
    assert next_step(Sight(name=_NAME, run=_run(RunState.SUCCEEDED))) == ""


def test_whoever_is_not_named_can_be_found() -> None:
    run = _run(RunState.SUCCEEDED, skipped=70, skipped_names=("a: b",), skipped_list="runs/r/skipped.json")
    sight = Sight(name=_NAME, run=run)
    assert lines(sight)[1:] == ["skipped a: b", "skipped 69 more: runs/r/skipped.json in the releases bucket has all"]
    assert sight.document()["details"]["skipped_list"] == "runs/r/skipped.json"
    assert lines(Sight(name=_NAME, run=replace(run, skipped=1)))[1:] == ["skipped a: b"]
    assert lines(Sight(name=_NAME, run=replace(run, skipped_list="")))[-1] == "skipped 69 more"


def test_a_run_that_was_refused_says_why() -> None:
    run = _run(RunState.SUPERSEDED, reason="run r1 of the same release is in force")
    assert "run r1 of the same release is in force" in next_step(Sight(name=_NAME, run=run))
