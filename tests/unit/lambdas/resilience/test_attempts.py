"""Attempts from the first job to the last, by the function that CodePipeline invokes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.common.clock import stamp
from lambdas.common.errors import GranaryError
from lambdas.common.evidence.verdict import Outcome, Verdict
from tests.unit.lambdas.resilience.fis import refused
from tests.unit.lambdas.resilience.world import TIMEOUT, Killed, World


@pytest.fixture
def world() -> Iterator[World]:
    with World() as made:
        yield made


def begin(world: World, execution: str = "e1") -> None:
    world.invoke(world.pipeline.begin(execution))


def go_on(world: World) -> None:
    """CodePipeline asks again, half a minute later."""
    world.clock.pass_time(seconds=30)
    for execution, token in list(world.pipeline.due()):
        world.invoke(world.pipeline.begin(execution, token))


def to_end(world: World, execution: str = "e1", *, rounds: int = 200) -> tuple[str, str]:
    """Go on until the action is answered."""
    for _ in range(rounds):
        if said := world.pipeline.said(execution):
            return said
        go_on(world)
    raise AssertionError("the action is not answered")


def fis_is(world: World, status: str, reason: str = "") -> None:
    (experiment,) = world.fis.live()
    experiment["state"] |= {"status": status, "reason": reason}


def nothing_is_left(world: World) -> bool:
    return not (world.fis.live() or world.fis.templates or list(world.turns.trying.attempts.held()))


def verdicts(world: World) -> list[tuple[str, Outcome]]:
    found = [(key, Verdict.from_json(text).predicate.outcome) for key, text in world.kept.items()]
    return [(key.rpartition("/")[0], outcome) for key, outcome in found]


def survive(world: World) -> tuple[str, str]:
    begin(world)
    fis_is(world, "running")
    go_on(world)
    fis_is(world, "completed")
    return to_end(world)


def test_who_survives_passes_with_a_verdict_about_the_release(world: World) -> None:
    answer, said = survive(world)
    assert (answer, said.split(": ")[0]) == ("passed", "PASS")
    assert verdicts(world) == [("survivals/r2/canary/acme", Outcome.PASS)]
    (text,) = world.kept.values()
    evidence = [(one["step"], one["probe"], one["outcome"]) for one in json.loads(text)["predicate"]["evidence"]]
    steps = ("before", "during", "after", "undone")
    assert evidence == [(step, probe, "PASS") for step in steps for probe in ("errors", "home")]
    assert world.told == [("Chaos Experiment Started", ""), ("Chaos Experiment Ended", "PASS")]
    assert nothing_is_left(world)


def test_the_experiment_is_the_tenants_and_fis_gets_the_attempts_token(world: World) -> None:
    begin(world)
    (template,) = world.fis.templates.values()
    assert template["targets"]["stop"]["resourceTags"] == {"granary:deployment": "acme"}
    assert template["tags"] == {"granary:deployment": "acme", "granary:attempt": "job-0"}
    assert template["actions"]["observe"]["parameters"] == {"duration": "PT5M"}
    (experiment,) = world.fis.experiments.values()
    assert experiment["mode"] == "run-all"


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ({"rollback": True}, "rolls acme back"),
        ({"outcome": "rolling_back"}, "takes acme back"),
        ({"outcome": "succeeded"}, "no release waits"),
        ({"ring": "", "outcome": ""}, "no release waits"),
        ({"ring": "general"}, "has no experiment"),
    ],
)
def test_elsewhere_nothing_is_injected_and_the_action_passes_saying_so(
    world: World, state: dict[str, Any], word: str
) -> None:
    for name, value in state.items():
        setattr(world, name, value)
    begin(world)
    answer, said = world.pipeline.said("e1") or ("", "")
    assert (answer, word in said, "nothing is injected" in said) == ("passed", True, True)
    assert not world.fis.experiments
    assert not world.table.items


def test_a_ring_without_experiment_costs_one_question(world: World) -> None:
    world.ring = "general"
    begin(world)
    assert (world.asked, world.table.reads) == (1, 0)


@pytest.mark.parametrize("alarm", ["ALARM", "INSUFFICIENT_DATA", ""])
def test_who_is_not_well_before_is_not_experimented_with(world: World, alarm: str) -> None:
    world.alarm = alarm
    begin(world)
    answer, said = to_end(world)
    assert (answer, said.split(": ")[0]) == ("failed", "INCONCLUSIVE")
    assert "nothing was injected" in said
    assert not world.fis.experiments
    assert verdicts(world) == [("survivals/r2/canary/acme", Outcome.INCONCLUSIVE)]


def test_it_may_take_a_while_until_who_is_new_is_well(world: World) -> None:
    world.alarm = "INSUFFICIENT_DATA"
    begin(world)
    go_on(world)
    world.alarm = "OK"
    go_on(world)
    assert len(world.fis.live()) == 1


@pytest.mark.parametrize(
    ("during", "outcome"), [("ALARM", "FAIL"), ("INSUFFICIENT_DATA", "INCONCLUSIVE"), ("", "INCONCLUSIVE")]
)
def test_who_does_not_bear_it_does_not_pass(world: World, during: str, outcome: str) -> None:
    begin(world)
    fis_is(world, "running")
    world.alarm = during
    go_on(world)
    assert bool(world.fis.live()) is (outcome != "FAIL"), "it is stopped at once"
    world.alarm = "OK"
    if world.fis.live():
        go_on(world)
        fis_is(world, "completed")
    answer, said = to_end(world)
    assert (answer, said.split(": ")[0]) == ("failed", outcome)
    assert nothing_is_left(world)


def test_an_address_that_does_not_answer_fails(world: World) -> None:
    begin(world)
    fis_is(world, "running")
    world.answers = False
    answer, said = to_end(world)
    assert answer == "failed"
    assert "home during: 0 % answered 200 within 5 s, and 100 % is asked for" in said


def test_what_nobody_saw_while_it_lasted_is_not_survived(world: World) -> None:
    begin(world)
    fis_is(world, "completed")
    answer, said = to_end(world)
    assert (answer, said.split(": ")[0]) == ("failed", "INCONCLUSIVE")
    assert "errors during: nobody looked" in said


@pytest.mark.parametrize(("alarm", "outcome"), [("OK", "INCONCLUSIVE"), ("ALARM", "FAIL")])
def test_a_look_that_lasts_longer_than_the_fault_tells_only_of_failures(world: World, alarm: str, outcome: str) -> None:
    begin(world)
    fis_is(world, "running")
    world.alarm = alarm
    world.trouble = lambda name: fis_is(world, "completed") if name == "look" else None
    go_on(world)
    world.trouble = lambda _: None
    world.alarm = "OK"
    assert to_end(world)[1].split(": ")[0] == outcome


@pytest.mark.parametrize(("minutes", "outcome"), [(5, "PASS"), (15, "FAIL")])
def test_it_has_a_while_to_recover(world: World, minutes: int, outcome: str) -> None:
    begin(world)
    fis_is(world, "running")
    go_on(world)
    fis_is(world, "completed")
    world.alarm = "ALARM"
    for _ in range(minutes * 2):
        go_on(world)
    world.alarm = "OK"
    assert to_end(world)[1].split(": ")[0] == outcome


def test_what_breaks_when_the_fault_is_undone_fails(world: World) -> None:
    begin(world)
    fis_is(world, "running")
    go_on(world)
    fis_is(world, "completed")
    go_on(world)
    assert not world.fis.templates, "it is undone"
    world.alarm = "ALARM"
    go_on(world)
    answer, said = world.pipeline.said("e1") or ("", "")
    assert (answer, "errors undone: ALARM" in said) == ("failed", True)


@pytest.mark.parametrize(("status", "outcome"), [("stopped", "FAIL"), ("failed", "ERROR"), ("cancelled", "ABORTED")])
def test_an_experiment_that_does_not_complete_fails_with_its_reason(world: World, status: str, outcome: str) -> None:
    begin(world)
    fis_is(world, status, "Target resolution returned empty set")
    answer, said = to_end(world)
    assert (answer, said.split(": ")[0]) == ("failed", outcome)
    assert "Target resolution returned empty set" in said


def test_an_experiment_that_is_gone_fails(world: World) -> None:
    begin(world)
    world.fis.experiments.clear()
    said = "ERROR: stop-a-task on acme: the experiment is not there any more: FIS gives no reason"
    assert to_end(world) == ("failed", said)


@pytest.mark.parametrize("operation", ["create before", "start before"])
def test_what_fis_refuses_fails_with_the_reason(world: World, operation: str) -> None:
    def trouble(name: str) -> None:
        if name == operation:
            raise refused("ConflictException", "StartExperiment", message="the safety lever is engaged")

    world.trouble = trouble
    begin(world)
    answer, said = world.pipeline.said("e1") or ("", "")
    assert (answer, said.split(": ")[0], "the safety lever is engaged" in said) == ("failed", "ERROR", True)
    assert nothing_is_left(world), "and the tenant is free at once"


def test_who_is_not_let_in_has_touched_nothing(world: World) -> None:
    def trouble(name: str) -> None:
        if name == "open":
            raise GranaryError("the role cannot be assumed")

    world.trouble = trouble
    begin(world)
    said = "ERROR: stop-a-task on acme: the role cannot be assumed"
    assert world.pipeline.said("e1") == ("failed", said)
    assert nothing_is_left(world), "without asking there again"


def test_what_is_refused_while_another_injects_holds_the_tenant(world: World) -> None:
    """Given a job that comes twice: the second is refused, and the first injects when it is over, and is killed."""
    event = world.pipeline.begin("e1")

    def refuse(name: str) -> None:
        if name == "create before":
            raise refused("AccessDeniedException", "CreateExperimentTemplate")

    def killed(name: str) -> None:
        if name == "start after":
            raise Killed

    def again(name: str) -> None:
        if name == "create before":
            world.trouble = refuse
            world.invoke(event)
            world.trouble = killed

    world.trouble = again
    with pytest.raises(Killed):
        world.invoke(event)
    world.trouble = lambda _: None
    assert (world.pipeline.said("e1") or ("", ""))[0] == "failed"
    assert world.fis.live()
    for _ in range(3):
        world.clock.pass_time(minutes=5)
        world.invoke({})
    assert nothing_is_left(world)


def test_what_a_dead_function_has_made_the_sweep_takes_away(world: World) -> None:
    """Given a dry run by hand, whose function is killed before it starts what it has made: nobody asks again."""

    def killed(name: str) -> None:
        if name == "start before":
            raise Killed

    world.trouble = killed
    with pytest.raises(Killed):
        world.invoke({"dry_run": {"deployment": "acme", "experiment": "stop-a-task", "attempt": "by-hand-1"}})
    world.trouble = lambda _: None
    assert world.fis.templates
    for _ in range(6):
        world.clock.pass_time(minutes=5)
        world.invoke({})
    assert nothing_is_left(world)


def test_a_template_that_somebody_has_deleted_fails(world: World) -> None:
    world.trouble = lambda name: world.fis.templates.clear() if name == "start before" else None
    begin(world)
    answer, said = world.pipeline.said("e1") or ("", "")
    assert (answer, "ResourceNotFoundException" in said) == ("failed", True)


def test_where_fis_has_no_room_it_waits_and_says_so_in_the_end(world: World) -> None:
    world.fis.room = 0
    begin(world)
    answer, said = to_end(world)
    assert (answer, said.split(": ")[0]) == ("failed", "INCONCLUSIVE")
    assert "FIS runs as many experiments as it may" in said
    assert nothing_is_left(world)


def test_it_is_over_before_the_release_gives_up(world: World) -> None:
    began = world.clock()
    begin(world)
    fis_is(world, "running")
    answer, said = to_end(world)
    assert (answer, said.split(": ")[0]) == ("failed", "ABORTED")
    assert (world.clock() - began).total_seconds() < TIMEOUT * 60
    assert nothing_is_left(world)


@pytest.mark.parametrize(("ring", "experiments"), [("canary", 0), ("dry", 1)])
def test_what_could_not_be_over_in_time_is_not_begun(world: World, ring: str, experiments: int) -> None:
    """The deployment has taken so long that seven minutes are left; a dry run takes none."""
    world.ring = ring
    world.clock.pass_time(minutes=TIMEOUT - 12)
    begin(world)
    assert len(world.fis.experiments) == experiments
    if not experiments:
        answer, said = world.pipeline.said("e1") or ("", "")
        assert (answer, "INCONCLUSIVE" in said, "it takes 20 minutes" in said) == ("failed", True, True)


def test_a_dry_run_says_what_it_would_hit_and_is_no_survival(world: World) -> None:
    world.ring = "dry"
    world.fis.targets = [
        {"targetName": "stop", "resourceType": "aws:ecs:task", "targetInformation": {"arn": "arn:aws:ecs:::task/1"}}
    ]
    begin(world)
    (experiment,) = world.fis.experiments.values()
    assert experiment["mode"] == "skip-all"
    fis_is(world, "completed")
    assert to_end(world) == ("passed", "DRY_RUN: stop-a-task on acme: it would hit stop: arn:aws:ecs:::task/1")
    assert world.told == [("Chaos Experiment Ended", "DRY_RUN")], "nothing was injected"
    assert not world.kept
    assert nothing_is_left(world)


@pytest.mark.parametrize(("answers", "answer"), [(True, "passed"), (False, "failed")])
def test_a_ring_may_validate_without_an_experiment(world: World, *, answers: bool, answer: str) -> None:
    world.ring, world.answers = "check", answers
    begin(world)
    assert to_end(world)[0] == answer
    assert not world.fis.experiments
    assert not world.kept


def test_a_dry_run_by_hand_holds_nobody_up(world: World) -> None:
    given = {"deployment": "acme", "experiment": "stop-a-task", "attempt": "by-hand-1"}
    first = world.invoke({"dry_run": given})
    fis_is(world, "completed")
    last = world.invoke({"dry_run": {**given, "token": first["token"]}})
    assert last == {"said": "DRY_RUN: stop-a-task on acme: it would hit nothing", "passes": True}
    assert nothing_is_left(world)
    assert survive(world)[0] == "passed"


def test_a_dry_run_by_hand_for_which_fis_has_no_room_waits_for_no_release(world: World) -> None:
    world.fis.room = 0
    answer, given = {"token": ""}, {"deployment": "acme", "experiment": "stop-a-task", "attempt": "by-hand-1"}
    while "token" in answer:
        answer = world.invoke({"dry_run": {**given, "token": answer["token"]}})
        world.clock.pass_time(minutes=1)
    assert answer["said"].startswith("INCONCLUSIVE: stop-a-task on acme: nothing was injected: it takes 5 minutes")
    assert answer["said"].endswith("): ask again later")
    assert ("FIS runs as many" in answer["said"], "release" in answer["said"]) == (True, False)


def test_a_dry_run_does_not_take_the_attempt_of_a_release_on(world: World) -> None:
    begin(world)
    before = world.table.items["acme"]
    dry = {"deployment": "acme", "experiment": "stop-a-task", "attempt": "job-0", "token": "job-0/99/begun"}
    assert "attempt job-0 is no dry run" in world.invoke({"dry_run": dry})["said"]
    assert world.table.items["acme"] == before


def test_an_outcome_that_only_a_later_version_knows_is_no_verdict(world: World) -> None:
    """It is kept nowhere, it does not pass, and its tenant is free again."""
    begin(world)
    later = {"step": "over", "outcome": "DEFERRED", "hold": stamp(world.clock())}
    world.table.items["acme"]["attempt"]["M"] |= {name: {"S": value} for name, value in later.items()}
    world.clock.pass_time(minutes=3)
    world.invoke({})
    assert (world.kept, world.table.items["acme"].get("open")) == ({}, None)


def test_what_is_not_there_is_told_by_hand(world: World) -> None:
    answer = world.invoke({"dry_run": {"deployment": "acme", "experiment": "none", "attempt": "by-hand-1"}})
    said = "there is no experiment none: the deployed configuration has stop-a-task"
    assert answer == {"said": said, "passes": False}


def test_one_experiment_at_a_time_holds_a_tenant(world: World) -> None:
    given = {"deployment": "acme", "experiment": "stop-a-task", "attempt": "by-hand-1"}
    first = world.invoke({"dry_run": given})
    begin(world)
    go_on(world)
    assert len(world.fis.experiments) == 1
    fis_is(world, "completed")
    world.invoke({"dry_run": {**given, "token": first["token"]}})
    go_on(world)
    assert len(world.fis.experiments) == 2


def test_a_dry_run_by_hand_does_not_wait_for_a_release(world: World) -> None:
    begin(world)
    answer = world.invoke({"dry_run": {"deployment": "acme", "experiment": "stop-a-task", "attempt": "by-hand-1"}})
    assert answer["passes"] is False
    assert answer["said"].startswith("INCONCLUSIVE: nothing was injected: attempt job-0 holds acme until ")


def test_a_stop_ends_the_experiment(world: World) -> None:
    begin(world)
    fis_is(world, "running")
    world.pipeline.executions["e1"] = "Stopped"
    detail = {"execution-id": "e1", "state": "STOPPED", "pipeline": "silo-acme-pipeline"}
    world.invoke({"source": "aws.codepipeline", "detail": {**detail, "execution-id": "e0"}})
    assert world.fis.live()
    world.invoke({"source": "aws.codepipeline", "detail": detail})
    assert nothing_is_left(world)
    assert verdicts(world) == [("survivals/r2/canary/acme", Outcome.ABORTED)]


def test_a_stop_may_meet_the_job_that_ends_it_first(world: World) -> None:
    """CodePipeline, which waits for the action of an execution that is STOPPING, asks again meanwhile."""
    begin(world)
    fis_is(world, "running")
    ((execution, token),) = world.pipeline.due()

    def job(name: str) -> None:
        if name == "stop after":
            world.trouble = lambda _: None
            world.invoke(world.pipeline.begin(execution, token))

    world.trouble = job
    world.invoke({"source": "aws.codepipeline", "detail": {"execution-id": "e1", "state": "STOPPING"}})
    answer, said = world.pipeline.said("e1") or ("", "")
    assert (answer, "its execution is STOPPING" in said) == ("failed", True)
    assert nothing_is_left(world)


def test_who_is_stopped_while_he_injects_takes_it_back(world: World) -> None:
    """The stop finds nothing yet; nobody waits for a sweep."""

    def stop(name: str) -> None:
        if name == "start before":
            world.trouble = lambda _: None
            world.pipeline.executions["e1"] = "Stopped"
            world.invoke({"source": "aws.codepipeline", "detail": {"execution-id": "e1", "state": "STOPPED"}})
            world.fis.templates["EXT0"] = {"id": "EXT0"}  # the one that is being started: FIS has it already

    world.trouble = stop
    begin(world)
    assert world.fis.experiments
    assert not world.fis.live()


def test_what_is_injected_when_all_seemed_over_is_found_by_the_sweep(world: World) -> None:
    """Given a function that is stopped in the middle, goes on to inject, and is killed then."""

    def stop(name: str) -> None:
        if name == "create after":
            world.trouble = lambda _: None
            world.pipeline.executions["e1"] = "Stopped"
            world.invoke({"source": "aws.codepipeline", "detail": {"execution-id": "e1", "state": "STOPPED"}})
            world.fis.templates["EXT0"] = {"id": "EXT0"}
            world.trouble = lambda name: (_ for _ in ()).throw(Killed()) if name == "start after" else None

    world.trouble = stop
    with pytest.raises(Killed):
        begin(world)
    world.trouble = lambda _: None
    assert world.fis.live()
    for _ in range(3):
        world.clock.pass_time(minutes=5)
        world.invoke({})
    assert not world.fis.live()
    assert not list(world.turns.trying.attempts.held())


def test_the_sweep_ends_what_nobody_was_told_of(world: World) -> None:
    begin(world)
    fis_is(world, "running")
    world.invoke({})
    assert world.fis.live()
    world.pipeline.executions["e1"] = "Stopped"
    world.invoke({})
    assert nothing_is_left(world)


def test_the_sweep_answers_the_job_of_who_died(world: World) -> None:
    begin(world)

    def killed(name: str) -> None:
        if name == "status":
            raise Killed

    world.trouble = killed
    with pytest.raises(Killed):
        go_on(world)
    world.trouble = lambda _: None
    world.clock.pass_time(minutes=TIMEOUT)
    world.invoke({})
    answer, said = world.pipeline.said("e1") or ("", "")
    assert (answer, said.split(": ")[0]) == ("failed", "ABORTED")
    assert nothing_is_left(world)


def test_a_job_that_comes_again_injects_nothing_again(world: World) -> None:
    """The first one, when its attempt has long ended; and an old one, while its attempt goes on."""
    first = world.pipeline.begin("e1")
    world.invoke(first)
    fis_is(world, "running")
    for _ in range(2):
        go_on(world)
    world.invoke(first)
    assert len(world.fis.experiments) == 1
    tenant = world.turns.trying.attempts.get("acme").attempt
    assert tenant
    assert (tenant.round, tenant.job) == (2, "job-2"), "the job that is to be answered stays known"
    fis_is(world, "completed")
    assert to_end(world)[0] == "passed"
    ended = world.table.items["acme"]["version"]
    world.pipeline.executions["e1"] = "InProgress"
    world.invoke(first)
    assert nothing_is_left(world)
    assert world.table.items["acme"]["version"] == ended


def test_an_old_job_gives_nobody_free_whose_newest_is_not_answered(world: World) -> None:
    begin(world)
    fis_is(world, "stopped")
    ((execution, token),) = world.pipeline.due()
    second = world.pipeline.begin(execution, token)
    world.trouble = lambda name: (_ for _ in ()).throw(Killed()) if name == "answer before" else None
    with pytest.raises(Killed):
        world.invoke(second)
    world.trouble = lambda _: None
    world.invoke({"CodePipeline.job": {**second["CodePipeline.job"], "id": "job-0"}})
    world.clock.pass_time(minutes=5)
    world.invoke({})
    assert (world.pipeline.said("e1") or ("", ""))[0] == "failed"
    assert nothing_is_left(world)


def test_a_token_of_somebody_else_is_refused(world: World) -> None:
    world.invoke(world.pipeline.begin("e1", "something else"))
    assert (world.pipeline.said("e1") or ("", ""))[0] == "failed"
