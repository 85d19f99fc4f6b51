"""Experiments as a part of releases: a canary does not survive.

IAM is enforced; tasks are processes that really stop, and addresses and alarms are really asked.
"""

from __future__ import annotations

import pytest

from lambdas.saas.model.status import Outcome, Phase
from local_cloud.factory.chaos import CANARY, ENDED, EXPERIMENT, LAST, STARTED
from local_cloud.factory.granary import TOOLCHAIN, WORKLOAD
from tests.local.resilience.catalogue import ROWS
from tests.local.resilience.scene import CHAOS, Released, Scene
from tests.local.saas.permissions import without

RUN, ROLE = CHAOS.room_role("resilience", "run"), CHAOS.room_role("resilience", "experiment")


def test_nothing_is_injected_when_a_tenant_is_provisioned(scene: Scene) -> None:
    for row in ROWS:
        why = f"no release waits for this execution: nothing is injected into {row.id}"
        assert scene.said(row) == ("Succeeded", why)
    assert scene.experiments() == []


def test_a_dry_run_says_what_it_would_hit_and_hits_nothing(scene: Scene) -> None:
    before = scene.stopped_by_fis()
    code, said = scene.dry_run()
    assert (code, said.partition(f":{WORKLOAD}:")[0]) == (
        0,
        f"DRY_RUN: {EXPERIMENT} on {LAST.id}: it would hit stop: arn:aws:ecs:{LAST.region}",
    )
    assert scene.stopped_by_fis() == before


@pytest.mark.parametrize(
    ("role", "action", "account", "words"),
    [
        (CHAOS.runner_role, "sts:AssumeRole", TOOLCHAIN, f"{RUN} cannot be assumed: the administrator of"),
        (CHAOS.runner_role, "lambda:InvokeFunction", TOOLCHAIN, "lambda:InvokeFunction"),
        (RUN, "fis:StartExperiment", WORKLOAD, "FIS refuses the experiment"),
        (RUN, "iam:PassRole", WORKLOAD, "FIS refuses the experiment"),
        (ROLE, "ecs:ListTasks", WORKLOAD, "the experiment failed"),
    ],
)
def test_what_a_role_lacks_is_said(scene: Scene, role: str, action: str, account: str, words: str) -> None:
    """Given a role without one permission, then an attempt says so, and leaves nothing behind."""
    with without(scene.granary, role, action, account=account):
        code, said = scene.dry_run()
    assert code == 1, said
    assert words in said
    assert action in said or role == CHAOS.runner_role
    assert scene.templates() == []
    assert scene.attempt(LAST) is None, "and the tenant is free at once"


def test_a_canary_that_does_not_survive_is_rolled_back(scene: Scene, failed: Released) -> None:
    status, last = (scene.granary.status(row.id) for row in (CANARY, LAST))
    assert status is not None
    assert last is not None
    assert (status.phase, status.release_outcome) == (Phase.ACTIVE, Outcome.ROLLED_BACK)
    assert status.revision_deployed == last.revision_deployed != failed.version
    for words in (f"FAIL: {EXPERIMENT} on {CANARY.id}: ", "home during: ", "and 100 % is asked for"):
        assert words in status.release_reason
    assert [one["outcome"] for one in scene.verdicts(failed.version)] == ["FAIL"]
    scene.hears(failed.run, (STARTED, ""), (ENDED, "FAIL"))


@pytest.mark.usefixtures("failed")
def test_its_rollbacks_inject_nothing(scene: Scene) -> None:
    assert scene.said(CANARY, before=2)[0] == "Failed"
    by_itself, by_the_release = (scene.said(CANARY, before=before) for before in (1, 0))
    assert by_itself == ("Succeeded", f"CodePipeline rolls {CANARY.id} back: nothing is injected")
    assert by_the_release == ("Succeeded", f"the release takes {CANARY.id} back: nothing is injected")
    assert scene.stopped_by_fis() == 1
