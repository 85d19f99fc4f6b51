"""Support stacks that others may use."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from lambdas.saas.model.status import Phase, Unreadable
from tests.unit.lambdas.saas.lifecycle.world import World
from tests.unit.lambdas.saas.lifecycle_fakes import POLICY, TOOLCHAIN, active, ref

SUPPORT = ref("support", "silo-acme-pipeline-support-eu-west-1", account=TOOLCHAIN)


def test_a_support_stack_stays_while_another_deployments_status_cannot_be_read() -> None:
    """Given a status that may name the stack, then the rest of the retirement is done, and the stack waits for it."""
    world = World(policy=replace(POLICY, grace=timedelta()), status=active(support_stacks=(SUPPORT,)))
    world.statuses.unreadable = [Unreadable(id="bad", why="phase is missing")]
    world.row(state="retired")
    world.machine().run()
    assert world.stacks.stands(SUPPORT)
    assert "silo-acme-resources" in world.stacks.deleted
    assert (world.phase(), world.acme.retry) == (Phase.FAILED, True)
    assert "another deployment may use it: nothing is done about deployment bad" in world.acme.reason

    world.statuses.unreadable = []
    world.machine().run()
    assert world.phase() is Phase.RETIRED
    assert not world.stacks.stands(SUPPORT)
