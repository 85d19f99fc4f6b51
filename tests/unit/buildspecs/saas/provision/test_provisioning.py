"""One build, many deployments: each outcome its own, and nothing lost."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

import pytest

from buildspecs.synthesis import SynthesisError
from lambdas.common.errors import GranaryError
from lambdas.saas.model.record import DeploymentRecord
from lambdas.saas.model.status import Phase
from tests.unit.buildspecs.saas.provision.fakes import (
    BUILD,
    FAULT,
    STACK_ERROR,
    SYNTH_ERROR,
    World,
    row,
    stack_of,
)
from tests.unit.lambdas.saas.fakes import RELEASE

OTHER_BUILD = "granary-provisioning:0"


@pytest.fixture
def world() -> World:
    return World()


def test_rows_become_pipelines_with_one_synth(world: World) -> None:
    world.put(row("a"), row("b", type="pool"))
    world.build().run(["a", "b"])
    assert world.synths == [("a", "b")]
    assert sorted(world.pipelines.deployed) == ["a", "b"]
    assert world.pipelines.pinned == {"a": RELEASE, "b": RELEASE}
    for deployment_id, record in world.pipelines.stacks.items():
        status = world.statuses.items[deployment_id]
        assert status.phase is Phase.PROVISIONING
        assert status.applied_digest == status.wanted_digest == record.digest()
        assert status.pipeline_stack == stack_of(deployment_id)
        assert status.revision_wanted == RELEASE.revision
        assert (status.build_id, status.claimed_by, status.reason) == (BUILD, "", "")


def test_doing_it_all_again_changes_nothing(world: World) -> None:
    world.put(row("a"), row("b"), row("c"))
    world.build().run(["a", "b", "c"])
    before = dict(world.statuses.items)
    world.build("granary-provisioning:2").run(["a", "b", "c"])
    assert world.statuses.items == before
    assert len(world.synths) == 1


def test_a_tenant_that_is_provisioned_again_stays_at_its_revision(world: World) -> None:
    world.put(row("a"))
    world.build().run(["a"])
    world.statuses.items["a"] = replace(world.statuses.items["a"], revision_wanted="older", revision_deployed="older")
    world.put(row("a", size="large"))
    world.build("granary-provisioning:2").run(["a"])
    assert world.pipelines.deployed == ["a", "a"]
    assert world.statuses.items["a"].revision_wanted == "older"


def test_an_id_given_twice_is_deployed_once(world: World) -> None:
    world.put(row("a"))
    world.build().run(["a", "a"])
    assert world.pipelines.deployed == ["a"]


def test_nothing_to_do_synthesizes_nothing(world: World) -> None:
    world.build().run([])
    world.build().run(["unknown"])
    assert world.synths == []
    assert world.statuses.items == {}
    assert world.told == ["unknown: skip"]


def test_each_deployments_outcome_is_its_own(world: World) -> None:
    world.put(row("a"), row("b"), row("c", account="nowhere"), row("d"))
    world.pipelines.faults = {("deploy", "a"): STACK_ERROR, ("pin", "b"): FAULT}
    world.build().run(["a", "b", "c", "d"])
    outcome = {key: (status.phase, status.retry) for key, status in world.statuses.items.items()}
    assert outcome == {
        "a": (Phase.FAILED, False),
        "b": (Phase.FAILED, True),
        "c": (Phase.INVALID, False),
        "d": (Phase.PROVISIONING, False),
    }
    assert world.statuses.items["a"].reason == str(STACK_ERROR)
    assert world.statuses.items["b"].reason == "ConnectionError: reset by peer"
    assert "use its 12 digits" in world.statuses.items["c"].reason


def test_one_that_cannot_be_synthesized_takes_no_other_along(world: World) -> None:
    world.put(row("a"), row("b"), row("c"))
    world.unsynthesizable = {"b": SYNTH_ERROR}
    world.build().run(["a", "b", "c"])
    assert world.synths == [("a", "b", "c"), ("a",), ("b",), ("c",)]
    assert sorted(world.pipelines.deployed) == ["a", "c"]
    failed = world.statuses.items["b"]
    assert (failed.phase, failed.reason, failed.retry) == (Phase.FAILED, str(SYNTH_ERROR), False)


@pytest.mark.parametrize("bad", [0, 31, 50])
def test_one_bad_row_costs_a_large_batch_neither_many_synths_nor_its_parallelism(world: World, bad: int) -> None:
    ids = [f"t{number:02}" for number in range(51)]
    world.put(*map(row, ids))
    world.unsynthesizable = {ids[bad]: SYNTH_ERROR}
    # Each deployment ends only together with another one: one after the other, none would.
    together = threading.Barrier(world.concurrency)
    world.pipelines.on_deploy = {key: partial(together.wait, 5) for key in ids}
    world.build().run(ids)
    assert {key for key, status in world.statuses.items.items() if status.phase is Phase.FAILED} == {ids[bad]}
    assert sorted(world.pipelines.deployed) == sorted({*ids} - {ids[bad]})
    assert len(world.synths) <= 13


def test_when_nothing_can_be_synthesized_each_row_is_told_its_own_reason(world: World) -> None:
    ids = ["a", "b", "c", "d", "e"]
    world.put(*map(row, ids))
    world.unsynthesizable = {key: SynthesisError(f"synth failed: {key}") for key in ids}
    world.build().run(ids)
    assert {key: status.reason for key, status in world.statuses.items.items()} == {
        key: f"synth failed: {key}" for key in ids
    }
    assert len(world.synths) < 2 * len(ids)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (GranaryError("Region eu-west-1 has no artifact store"), "Region eu-west-1 has no artifact store"),
        (TimeoutError("600 s"), "TimeoutError: 600 s"),
    ],
)
def test_a_synth_that_fails_otherwise_may_pass_next_time(world: World, error: Exception, reason: str) -> None:
    world.put(row("a"), row("b"))
    world.unsynthesizable = {"a": error}
    world.build().run(["a", "b"])
    failed = world.statuses.items["a"]
    assert (failed.phase, failed.reason, failed.retry, failed.claimed_by) == (Phase.FAILED, reason, True, "")
    assert world.pipelines.deployed == ["b"]


@pytest.mark.parametrize(
    ("lacking", "reason"),
    [
        ("account 333333333333 is not bootstrapped", "account 333333333333 is not bootstrapped"),
        (FAULT, "pre-flight failed: ConnectionError: reset by peer"),
    ],
)
def test_a_target_that_lacks_something_costs_no_synth(world: World, lacking: str | Exception, reason: str) -> None:
    world.put(row("a", account="333333333333"), row("b"))
    world.lacking = {"333333333333": lacking}
    world.build().run(["a", "b"])
    failed = world.statuses.items["a"]
    assert (failed.phase, failed.reason, failed.retry, failed.claimed_by) == (Phase.FAILED, reason, True, "")
    assert world.synths == [("b",)]


def test_what_another_build_holds_is_left_to_it(world: World) -> None:
    world.put(row("a"))
    record = DeploymentRecord(**row("a"))
    world.statuses.claim(record, build_id=OTHER_BUILD, revision="r", now=world.clock())
    before = world.statuses.items["a"]
    world.build().run(["a"])
    assert world.statuses.items["a"] == before
    assert world.told == ["a: somebody else holds it"]
    assert world.synths == []


def test_a_dead_builds_claim_is_taken_over_when_it_expires(world: World) -> None:
    world.put(row("a"))
    record = DeploymentRecord(**row("a"))
    world.statuses.claim(record, build_id=OTHER_BUILD, revision="r", now=world.clock())
    # It had been applied before: a dead build tells nothing of what it did since.
    world.statuses.items["a"] = replace(world.statuses.items["a"], applied_digest=record.digest())
    world.clock.pass_time(minutes=76)
    world.build().run(["a"])
    assert world.pipelines.deployed == ["a"]
    assert world.statuses.items["a"].claimed_by == ""


def test_a_row_that_changes_while_claimed_is_reconciled_again(world: World) -> None:
    world.put(row("a"), row("b"))
    world.pipelines.on_deploy = {"a": lambda: world.put(row("a", size="large"))}
    world.build().run(["a", "b"])
    assert world.synths == [("a", "b"), ("a",)]
    assert world.pipelines.stacks["a"].size == "large"
    assert world.statuses.items["a"].applied_digest == world.pipelines.stacks["a"].digest()
    assert world.statuses.items["a"].claimed_by == ""


def test_a_row_that_changes_while_its_target_is_looked_at_is_reconciled_again(world: World) -> None:
    world.put(row("a", account="333333333333"))

    class Corrected(Exception):
        def __str__(self) -> str:
            world.put(row("a"))
            return "corrected meanwhile"

    world.lacking = {"333333333333": Corrected()}
    world.build().run(["a"])
    assert world.pipelines.stacks["a"].account == "222222222222"
    assert world.statuses.items["a"].phase is Phase.PROVISIONING


def test_a_row_that_is_removed_while_claimed_is_said_to_be(world: World) -> None:
    world.put(row("a"))
    world.pipelines.on_deploy = {"a": world.deployments.items.clear}
    world.build().run(["a"])
    status = world.statuses.items["a"]
    assert status.row_removed
    assert status.reason.startswith("the row was removed without retiring the deployment")
    assert (status.pipeline_stack, status.claimed_by) == (stack_of("a"), "")


def test_a_row_that_becomes_invalid_while_claimed_is_said_to_be(world: World) -> None:
    world.put(row("a"))
    world.pipelines.on_deploy = {"a": lambda: world.put(row("a", type="tenant"))}
    world.build().run(["a"])
    status = world.statuses.items["a"]
    assert (status.phase, status.claimed_by) == (Phase.INVALID, "")
    assert "use silo or pool" in status.reason


def test_a_row_that_is_put_back_is_settled_by_what_ran_before(world: World) -> None:
    world.put(row("a"))
    world.build().run(["a"])
    world.statuses.removed("a", now=world.clock())
    world.build("granary-provisioning:2").run(["a"])
    status = world.statuses.items["a"]
    assert (status.phase, status.reason, status.row_removed) == (Phase.ACTIVE, "", False)
    assert status.execution_id == "execution-a"
    assert status.execution_url.endswith("/silo-a-pipeline/executions/execution-a/timeline?region=us-east-1")


def test_a_pipeline_that_cannot_be_started_is_a_failure_that_is_seen(world: World) -> None:
    world.put(row("a"))
    world.pipelines.faults = {("run", "a"): FAULT}
    world.build().run(["a"])
    status = world.statuses.items["a"]
    assert (status.phase, status.retry, status.claimed_by) == (Phase.FAILED, True, "")
    assert status.applied_digest == ""


def test_each_start_has_its_own_token(world: World) -> None:
    world.put(row("a"), row("b"))
    world.build().run(["a", "b"])
    world.put(row("a", size="large"))
    world.build("granary-provisioning:2").run(["a"])
    assert len(set(world.pipelines.tokens)) == 3


def test_tables_that_fail_for_one_deployment_fail_the_build_after_the_others(world: World) -> None:
    world.put(row("a"), row("b"))
    world.statuses.broken = frozenset({"a"})
    with pytest.raises(GranaryError, match="nothing could be written of a: see the errors above"):
        world.build().run(["a", "b"])
    assert world.statuses.items["b"].applied_digest


def test_tables_that_begin_to_fail_midway_fail_no_other_deployment(world: World) -> None:
    world.put(row("a"), row("b"), row("c"))
    world.pipelines.on_deploy = {"a": lambda: setattr(world.statuses, "broken", frozenset({"a"}))}
    with pytest.raises(GranaryError, match="nothing could be written of a"):
        world.build().run(["a", "b", "c"])
    assert sorted(key for key, status in world.statuses.items.items() if status.applied_digest) == ["b", "c"]
    assert world.statuses.items["a"].claimed_by == BUILD, "the sweep finds it by the build that ended"


def test_a_row_that_cannot_be_read_again_fails_the_build_after_the_others(world: World) -> None:
    world.put(row("a"), row("b"))
    world.pipelines.on_deploy = {"a": lambda: setattr(world.deployments, "unreadable", frozenset({"a"}))}
    with pytest.raises(GranaryError, match="nothing could be written of a"):
        world.build().run(["a", "b"])
    assert all(status.applied_digest for status in world.statuses.items.values())
