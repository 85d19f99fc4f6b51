"""Retirement: quiet, grace, archives, the component, the pipeline, the tombstone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lambdas.common.clock import stamp
from lambdas.saas.model.stateful import Stateful
from lambdas.saas.model.status import Phase, Status
from tests.unit.lambdas.saas.lifecycle.world import World
from tests.unit.lambdas.saas.lifecycle_fakes import COMPONENT, PIPELINE, POLICY, TOOLCHAIN, WORKLOAD, active, ref

TABLE = Stateful(kind="dynamodb-table", name="silo-acme-orders")
AT_ONCE = replace(POLICY, grace=timedelta())


def retire(world: World) -> Status:
    world.row(state="retired")
    world.machine().run()
    return world.acme


def test_a_deployment_is_retired_after_its_grace_period() -> None:
    """Given an active deployment, when its row asks for the end, then it is disabled at once and deleted later."""
    world = World()
    world.pipelines.items["silo-acme-pipeline"] = replace(world.pipeline, running=("e2", "e3"), newest="InProgress")
    began = world.clock()
    world.row(state="retired")
    machine = world.machine()
    machine.run(until=timedelta(hours=1))
    assert world.phase() is Phase.RETIRING
    assert world.acme.retire_after == stamp(began + POLICY.grace)
    assert world.acme.claimed_by == ""
    assert not world.pipeline.enabled
    assert world.pipeline.running == ()
    assert world.stacks.deleted == []
    assert world.logs.removed == []
    machine.run()
    assert world.phase() is Phase.RETIRED
    assert world.stacks.deleted == ["silo-acme-resources", "silo-acme-pipeline"]
    assert world.clock() >= began + POLICY.grace
    assert ("silo", "acme") not in world.copies.items
    assert world.logs.removed == [("silo", "acme")]
    assert ("silo", "other") in world.copies.items


def test_logs_that_cannot_be_deleted_are_told() -> None:
    world = World(policy=AT_ONCE)
    world.logs.refusal = "log group /aws/codebuild/granary-silo-acme-synth cannot be deleted: no"
    status = retire(world)
    assert (status.phase, status.retry) == (Phase.FAILED, True)
    assert status.reason == f"the retirement failed: {world.logs.refusal}"
    world.logs.refusal = ""
    assert retire(world).phase is Phase.RETIRED


def test_a_tombstone_tells_what_was_there_and_goes() -> None:
    world = World(policy=AT_ONCE)
    status = retire(world)
    assert (status.type, status.account, status.region) == ("silo", WORKLOAD, "eu-west-1")
    assert status.expires_at == int((world.clock() + AT_ONCE.tombstone).timestamp())
    assert (status.component_stacks, status.pipeline_stack, status.placed) == ((), None, ())
    assert (status.claimed_by, status.retire_after, status.build_id) == ("", "", "")


def test_a_second_retirement_is_a_no_op() -> None:
    world = World(policy=AT_ONCE)
    once = retire(world)
    assert retire(world) == once
    assert world.stacks.deleted == ["silo-acme-resources", "silo-acme-pipeline"]


def test_what_is_gone_already_is_fine() -> None:
    world = World(policy=AT_ONCE)
    world.stacks.items.clear()
    world.pipelines.items.clear()
    assert retire(world).phase is Phase.RETIRED
    assert world.stacks.deleted == []


def test_a_row_that_led_to_nothing_has_no_grace_period() -> None:
    world = World(status=Status(id="acme", phase=Phase.INVALID, reason="type is missing"))
    began = world.clock()
    assert retire(world).phase is Phase.RETIRED
    assert world.clock() - began < timedelta(minutes=1)


def test_a_half_made_deployment_is_found_by_its_names() -> None:
    """Given a build that died and a first execution that failed, nothing is recorded, and something stands."""
    world = World(policy=AT_ONCE, status=active(phase=Phase.FAILED, component_stacks=(), pipeline_stack=None))
    world.stacks.put(COMPONENT, status="ROLLBACK_COMPLETE")
    world.stacks.put(PIPELINE)
    assert retire(world).phase is Phase.RETIRED
    assert world.stacks.deleted == ["silo-acme-resources", "silo-acme-pipeline"]


def test_it_waits_for_whoever_holds_the_deployment() -> None:
    world = World(policy=AT_ONCE)
    until = stamp(world.clock() + timedelta(minutes=10))
    world.statuses.items["acme"] = replace(world.acme, claimed_by="release/r1", claim_expires_at=until)
    world.row(state="retired")
    machine = world.machine()
    machine.run(until=timedelta(minutes=9))
    assert world.phase() is Phase.ACTIVE
    machine.run()
    assert world.phase() is Phase.RETIRED


def test_what_is_stateful_is_archived_first() -> None:
    world = World(policy=AT_ONCE)
    world.stacks.put(COMPONENT, stateful=(TABLE, Stateful(kind="s3-bucket", name="silo-acme-files")))
    world.archives.slow = 2
    (table, bucket) = retire(world).archives
    (name,) = [name for name, stateful in world.archives.items.items() if stateful == TABLE]
    assert name.startswith("granary-silo-acme-20261123-")
    mark = name.removeprefix("granary-silo-acme-")
    assert table == f"dynamodb-table:silo-acme-orders of account {WORKLOAD}, eu-west-1, {mark}: backup {name}"
    assert bucket.startswith("s3-bucket:silo-acme-files of account")


def test_an_archive_of_an_earlier_retirement_does_not_count() -> None:
    """Given a retirement that failed and was taken back, when the next one comes that day, its data is archived anew.

    The world itself checks that what is deleted was archived for this retirement.
    """
    world = World(policy=AT_ONCE)
    world.stacks.put(COMPONENT, stateful=(TABLE,))
    world.stacks.failures = [True]
    (earlier,) = retire(world).archives
    world.row()
    world.machine().run()
    assert world.phase() is Phase.ACTIVE
    status = retire(world)
    assert status.phase is Phase.RETIRED
    assert len(world.archives.items) == 2
    assert status.archives[0] == earlier
    assert len(set(status.archives)) == 2


@pytest.mark.parametrize(("hours", "archives"), [(1, 1), (72, 2)])
def test_a_retirement_that_goes_on_later_archives_what_was_written_since(hours: float, archives: int) -> None:
    world = World(policy=AT_ONCE)
    world.stacks.put(COMPONENT, stateful=(TABLE,))
    world.stacks.failures = [True]
    retire(world)
    world.clock.pass_time(hours=hours)
    status = retire(world)
    assert status.phase is Phase.RETIRED
    assert (len(world.archives.items), len(status.archives)) == (archives, archives)


def test_an_archive_is_taken_once_whatever_dies() -> None:
    """Given machines that die after the archive was taken, or written down, then the next one finds it."""
    world = World(policy=AT_ONCE)
    world.stacks.put(COMPONENT, stateful=(TABLE,))
    world.archives.slow = 1
    world.fate.deaths = [True] * 12
    world.row(state="retired")
    world.machine().run(until=timedelta(minutes=2))
    world.machine().run()
    assert world.phase() is Phase.RETIRED
    assert (len(world.archives.items), len(world.acme.archives)) == (1, 1)


def test_without_archives_all_of_it_goes() -> None:
    world = World(policy=replace(AT_ONCE, archive="none"))
    world.stacks.put(COMPONENT, stateful=(TABLE, Stateful(kind="graph", name="silo-acme")))
    assert retire(world).archives == ()
    assert world.archives.items == {}


@pytest.mark.parametrize("kind", ["graph", "", "s3-bucket"])
def test_what_cannot_be_archived_is_not_deleted(kind: str) -> None:
    world = World(policy=AT_ONCE)
    world.stacks.put(COMPONENT, stateful=(Stateful(kind=kind, name="x" if kind != "s3-bucket" else ""),))
    status = retire(world)
    assert (status.phase, status.retry) == (Phase.FAILED, False)
    assert status.reason.startswith(f"the retirement failed: stack {COMPONENT.stack_id} declares")
    assert world.stacks.deleted == []


def test_a_refused_archive_fails_and_may_be_retried() -> None:
    world = World(policy=AT_ONCE)
    world.stacks.put(COMPONENT, stateful=(TABLE,))
    world.archives.refusal = "role granary-archive cannot be assumed: deploy stack granary-workload-roles"
    status = retire(world)
    assert (status.phase, status.retry) == (Phase.FAILED, True)
    assert "deploy stack granary-workload-roles" in status.reason
    world.archives.refusal = ""
    assert retire(world).phase is Phase.RETIRED


def test_a_deletion_that_fails_is_told_and_tried_again_by_the_next_machine() -> None:
    world = World()
    world.stacks.failures = [True]
    status = retire(world)
    assert (status.phase, status.claimed_by, status.retry) == (Phase.FAILED, "", True)
    assert status.reason.startswith("the retirement failed: stack arn:")
    assert status.reason.endswith("could not be deleted: Bucket (AWS::S3::Bucket): is not empty")
    failed = world.clock()
    assert retire(world).phase is Phase.RETIRED
    assert world.clock() - failed < timedelta(hours=1), "the grace period is not begun again"
    assert world.stacks.deleted == ["silo-acme-resources"] * 2 + ["silo-acme-pipeline"]


def test_an_account_that_is_closed_ends_with_warnings() -> None:
    world = World(policy=AT_ONCE)
    world.stacks.unreachable = {WORKLOAD}
    status = retire(world)
    assert status.phase is Phase.RETIRED_WITH_WARNINGS
    (warning,) = status.warnings
    assert warning == (
        f"stack {COMPONENT.stack_id} in account {WORKLOAD}, eu-west-1 was not deleted: "
        f"account {WORKLOAD} cannot be reached"
    )
    assert warning in status.reason
    assert world.stacks.deleted == ["silo-acme-pipeline"]


def test_an_account_that_answers_again_is_no_warning() -> None:
    world = World(policy=AT_ONCE)
    world.stacks.unreachable = {WORKLOAD}
    world.row(state="retired")
    machine = world.machine()
    machine.run(until=timedelta(minutes=2))
    world.stacks.unreachable = set()
    machine.run()
    assert world.phase() is Phase.RETIRED


def test_the_toolchains_own_account_is_never_given_up() -> None:
    world = World(policy=AT_ONCE)
    world.stacks.unreachable = {TOOLCHAIN}
    status = retire(world)
    assert (status.phase, status.retry) == (Phase.FAILED, True)
    assert world.stacks.stands(PIPELINE)


def test_a_support_stack_goes_with_its_last_user() -> None:
    own = ref("support", "silo-acme-pipeline-support-eu-west-1", account=TOOLCHAIN)
    shared = ref("support", "silo-shared-support-eu-west-1", account=TOOLCHAIN)
    world = World(policy=AT_ONCE, status=active(support_stacks=(own, shared)))
    world.add(active("third", support_stacks=(shared,)))
    assert retire(world).phase is Phase.RETIRED
    assert world.stacks.deleted[-1] == "silo-acme-pipeline-support-eu-west-1"
    assert world.stacks.stands(shared)
    assert not world.stacks.stands(own)
