"""Rows that are put back, removed or unclear while a deployment retires, and machines that meet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lambdas.common.clock import moment, stamp
from lambdas.saas.lifecycle.decide import Case, next_step
from lambdas.saas.lifecycle.facts import Facts, Memory, Pipeline
from lambdas.saas.lifecycle.goal import Goal, Policy
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import Phase, Status
from tests.unit.lambdas.saas.fakes import START
from tests.unit.lambdas.saas.lifecycle.world import World
from tests.unit.lambdas.saas.lifecycle_fakes import COMPONENT, HOME, OTHER, POLICY, active, ref

TABLE = Stateful(kind="dynamodb-table", name="silo-acme-orders")
AT_ONCE = replace(POLICY, grace=timedelta())
REMOVAL_RETIRES = Policy(grace=timedelta(hours=1), tombstone=timedelta(days=1), on_row_removed="retire")


def retire(world: World) -> Status:
    world.row(state="retired")
    world.machine().run()
    return world.acme


def test_a_row_that_is_put_back_within_the_grace_period_brings_it_back() -> None:
    world = World()
    world.row(state="retired")
    sleeping = world.machine()
    sleeping.run(until=timedelta(hours=1))
    world.row()
    world.machine().run()
    assert world.phase() is Phase.ACTIVE
    assert world.acme.retire_after == ""
    assert world.pipeline.enabled
    sleeping.run()
    assert world.phase() is Phase.ACTIVE
    assert world.stacks.deleted == []


def test_a_row_that_is_put_back_while_stacks_go_gets_what_is_left() -> None:
    """Given a component on its way out, when the row is put back, then its pipeline deploys it again."""
    world = World(policy=AT_ONCE)
    world.row(state="retired")
    machine = world.machine()
    while not world.stacks.deleted:
        machine.step()
        world.clock.pass_time(seconds=30)
    world.row()
    machine.run()
    assert world.phase() is Phase.UPDATING
    assert world.pipeline.enabled
    assert world.pipeline.running
    assert world.stacks.deleted == ["silo-acme-resources"]


def test_a_row_that_is_put_back_after_its_pipeline_went_needs_a_build() -> None:
    world = World(policy=AT_ONCE)
    world.row(state="retired")
    machine = world.machine()
    while "silo-acme-pipeline" not in world.stacks.deleted:
        machine.step()
        world.clock.pass_time(seconds=30)
    world.row()
    machine.run()
    assert (world.acme.phase, world.acme.retry, world.acme.applied_digest) == (Phase.FAILED, True, "")
    assert world.builds.started == [("acme",)], "nobody waits for the sweep"
    assert world.acme.attempts == 0, "the build's first failure is retried at once"


def test_a_row_of_another_type_is_built_when_the_retirement_is_over() -> None:
    """Given a silo on its way out, when its row is put as a pool, then the silo ends and the pool begins."""
    world = World(policy=AT_ONCE)
    world.row(state="retired")
    machine = world.machine()
    while not world.stacks.deleted:
        machine.step()
        world.clock.pass_time(seconds=30)
    world.row(type="pool")
    machine.run()
    assert world.phase() is Phase.RETIRED
    assert "silo-acme-pipeline" in world.stacks.deleted
    assert world.builds.started == [("acme",)]


@pytest.mark.parametrize("row", [{"region": HOME}, {"account": OTHER}, {"type": "pool"}])
def test_a_row_that_is_not_to_be_acted_on_brings_nothing_back(row: dict[str, Any]) -> None:
    """Given a row that names another place or type, then no pipeline is put to use again, when the time has come."""
    world = World()
    world.row(state="retired")
    machine = world.machine()
    machine.run(until=timedelta(hours=1))
    world.row(**row)
    world.machine().run(until=timedelta(hours=200))
    machine.run()
    assert world.phase() is (Phase.RETIRED if "type" in row else Phase.RETIRING)
    assert not [call for call in world.pipelines.calls if call[0] in ("enable", "start")]


@pytest.mark.parametrize(
    ("state", "phase", "told"),
    [
        ("suspended", Phase.SUSPENDED, "its row asks for it: no release reaches it, nothing is deployed"),
        ("retired", Phase.RETIRED, "nothing was deployed"),
    ],
)
def test_a_row_that_never_asked_for_a_deployment_is_told_of(state: str, phase: Phase, told: str) -> None:
    world = World()
    world.statuses.items["acme"] = Status(id="acme", phase=Phase.PENDING, type="silo", updated_at=stamp(START))
    world.row(state=state)
    world.machine().run()
    assert (world.phase(), world.acme.reason) == (phase, told)
    assert (world.stacks.deleted, world.builds.started) == ([], [])


def test_the_first_failure_of_a_retirement_counts_as_one() -> None:
    """Given a tenant that builds have failed for often, then its retirement is retried as soon as any."""
    world = World(policy=AT_ONCE, status=active(attempts=9))
    world.stacks.failures = [True]
    assert (retire(world).phase, world.acme.attempts) == (Phase.FAILED, 1)
    world.stacks.failures = [True]
    assert (retire(world).phase, world.acme.attempts) == (Phase.FAILED, 2)


def test_a_removed_row_destroys_nothing_by_default() -> None:
    world = World(policy=AT_ONCE)
    del world.deployments.items["acme"]
    world.machine().run()
    assert world.phase() is Phase.ACTIVE


def test_a_removed_row_is_a_retirement_if_the_policy_says_so() -> None:
    world = World(policy=REMOVAL_RETIRES)
    del world.deployments.items["acme"]
    world.machine(counted=True).run()
    assert world.phase() is Phase.RETIRED


def test_a_machine_at_work_for_something_else_retires_nobody_whose_row_goes() -> None:
    """Given a machine that suspends a deployment, when its row goes, then it begins no retirement past the brake."""
    world = World(policy=REMOVAL_RETIRES)
    world.row(state="suspended")
    machine = world.machine()
    machine.step()
    del world.deployments.items["acme"]
    machine.run()
    assert (world.phase(), machine.done) == (Phase.SUSPENDED, True)


def test_a_retirement_that_began_goes_on_without_the_row_in_any_machine() -> None:
    world = World(policy=REMOVAL_RETIRES)
    del world.deployments.items["acme"]
    world.machine(counted=True).run(until=timedelta(minutes=10))
    assert world.phase() is Phase.RETIRING
    world.clock.pass_time(hours=2)
    world.machine().run()
    assert world.phase() is Phase.RETIRED


def test_a_row_that_is_removed_while_it_retires_changes_nothing() -> None:
    world = World()
    world.row(state="retired")
    machine = world.machine()
    machine.run(until=timedelta(hours=1))
    del world.deployments.items["acme"]
    machine.run()
    assert world.phase() is Phase.RETIRED


def test_an_unclear_row_holds_everything() -> None:
    world = World()
    world.row(state="retired")
    machine = world.machine()
    machine.run(until=timedelta(hours=1))
    world.row(state="retierd")
    machine.run()
    assert world.phase() is Phase.RETIRING
    assert world.stacks.deleted == []


def test_a_deployment_is_retired_though_its_account_may_no_longer_be_named() -> None:
    world = World(policy=AT_ONCE)
    world.row(state="retired", account="999999999999")
    world.machine().run()
    assert world.phase() is Phase.RETIRED


def test_a_stack_that_appears_late_is_not_forgotten() -> None:
    """Given a look at the pipeline that is written while the end is, the end is put off, and the stack deleted."""
    world = World(policy=AT_ONCE)
    late = ref("component", "silo-acme-more")
    world.stacks.put(late)
    remove = world.copies.remove

    def remove_late(deployment_type: str, deployment_id: str) -> None:
        remove(deployment_type, deployment_id)
        known = replace(world.acme, component_stacks=(COMPONENT, late))
        world.statuses.items["acme"] = known

    world.copies.remove = remove_late  # type: ignore[method-assign]
    assert retire(world).phase is Phase.RETIRED
    assert "silo-acme-more" in world.stacks.deleted


def test_one_machine_waits_for_the_grace_period_and_others_leave() -> None:
    world = World()
    world.row(state="retired")
    waiting = world.machine()
    waiting.run(until=timedelta(hours=1))
    for _ in range(3):
        other = world.machine()
        other.run(until=timedelta(minutes=5))
        assert other.done
    assert world.phase() is Phase.RETIRING
    waiting.run()
    assert world.phase() is Phase.RETIRED


def test_a_machine_that_is_started_after_the_time_has_come_goes_on_for_one_that_died() -> None:
    world = World()
    world.row(state="retired")
    world.machine().run(until=timedelta(hours=1))
    world.clock.pass_time(hours=168)
    world.machine().run()
    assert world.phase() is Phase.RETIRED


def test_a_retirement_that_failed_goes_on_without_its_row() -> None:
    world = World(policy=AT_ONCE)
    world.stacks.failures = [True]
    reason = retire(world).reason
    world.remove_row()
    assert (world.acme.reason, world.acme.row_removed) == (reason, False), "it is on its way out"
    world.machine().run()
    assert world.phase() is Phase.RETIRED


@pytest.mark.parametrize("phase", [Phase.ACTIVE, Phase.UPDATING, Phase.FAILED])
def test_a_retirement_that_failed_goes_on_whatever_its_pipeline_tells(phase: Phase) -> None:
    """Given a late look at a pipeline that is out of use, then the retirement goes on, in its old grace period."""
    world = World()
    world.stacks.failures = [True]
    retire(world)
    world.look_at_pipeline(phase)
    assert world.phase() is Phase.FAILED
    failed = world.clock()
    assert retire(world).phase is Phase.RETIRED
    assert world.clock() - failed < timedelta(hours=1)


def test_a_retirement_that_becomes_due_during_a_step_is_looked_at_first() -> None:
    """Given a grace period that ends between two readings of the clock, then nothing is taken for gone."""
    world = World()
    world.row(state="retired")
    world.machine().run(until=timedelta(hours=1))
    machine = world.machine()
    due = moment(world.acme.retire_after)
    ticks = iter([due - timedelta(seconds=1)])
    world.lifecycle = replace(world.lifecycle, clock=lambda: next(ticks, due))
    machine.step()
    assert world.phase() is Phase.RETIRING
    assert world.stacks.stands(COMPONENT)


def test_what_was_not_looked_at_is_not_gone() -> None:
    world = World()
    status = replace(world.acme, phase=Phase.RETIRING, retire_after=stamp(START))
    facts = Facts(pipeline=Pipeline(exists=False))
    case = Case(status=status, facts=facts, memory=Memory(), now=START, policy=POLICY, started=stamp(START))
    with pytest.raises(LookupError):
        next_step(Goal.RETIRE, case)


@pytest.mark.parametrize("row", [{"state": "retired"}, {"state": "suspended"}, {}])
@pytest.mark.parametrize("before", ["retiring", "retirement failed", "suspended"])
def test_a_row_that_is_valid_again_is_no_longer_told_to_be_wrong(before: str, row: dict[str, Any]) -> None:
    """Given a deployment whose pipeline is out of use, when its row was wrong for a while, then all goes on after."""
    world = World()
    world.stacks.failures = [before == "retirement failed"]
    world.row(state="suspended" if before == "suspended" else "retired")
    world.machine().run(until=timedelta(hours=200 if before == "retirement failed" else 1))
    phase = world.phase()
    assert world.refuse_row("region is missing")
    assert (world.phase(), world.acme.reason) == (phase, "its row cannot be acted on: region is missing")
    world.row(**row)
    world.machine().run()
    wanted = {"retired": Phase.RETIRED, "suspended": Phase.SUSPENDED}.get(row.get("state", ""))
    assert world.phase() in ((wanted,) if wanted else (Phase.ACTIVE, Phase.UPDATING))
    assert "its row cannot be acted on" not in world.acme.reason
    assert (world.acme.row_problem, world.acme.claimed_by) == ("", "")


def test_a_wrong_row_does_not_begin_the_grace_period_again() -> None:
    world = World()
    world.row(state="retired")
    world.machine().run(until=timedelta(hours=100))
    until = world.acme.retire_after
    world.refuse_row("region is missing")
    world.row(state="retired")
    world.machine().run(until=timedelta(hours=1))
    assert (world.acme.retire_after, world.acme.row_problem) == (until, "")
    assert until in world.acme.reason
