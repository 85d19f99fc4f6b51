"""A role with one permission too few is denied, and the denial is seen where a person looks."""

from __future__ import annotations

import pytest

from lambdas.common.status import Phase, Status
from local_cloud.factory.granary import WORKLOAD, Row, wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.permissions import without
from tests.local.saas.wave import ACME

DENIED = Row(id="denied", type="silo", region="us-east-1")


@pytest.mark.parametrize(
    ("job", "role", "action", "event"),
    [
        ("sweep", "ReconcilerSweepRole", "dynamodb:Scan", {}),
        (
            "pipeline-watch",
            "ReconcilerPipelineWatchRole",
            "codepipeline:ListPipelineExecutions",
            {"detail": {"pipeline": ACME.pipeline}},
        ),
    ],
)
def test_a_function_that_is_denied_fails(
    factory: Factory, wave: dict[str, Status], job: str, role: str, action: str, event: dict[str, object]
) -> None:
    """Given a function's role without one permission, when it runs, then it fails with the action's name."""
    with without(factory.granary, role, action):
        error = factory.invoke(job, event)["FunctionError"]
        assert "AccessDenied" in error["errorMessage"]
        assert action in error["errorMessage"]
    assert "FunctionError" not in factory.invoke(job, event)


def test_lifecycle_events_wait_for_the_permission(factory: Factory, wave: dict[str, Status]) -> None:
    """Given a publisher that may not put events, then its log says so, and the events come once it may."""
    group = f"/aws/lambda/{factory.names.function('lifecycle-publish')}"
    with without(factory.granary, "ReconcilerLifecyclePublishRole", "events:PutEvents"):
        factory.put_item({"id": {"S": "Late News"}})
        factory.reaches("Late News", Phase.INVALID)
        wait_until(
            lambda: factory.logged(group, "events:PutEvents") or None,
            seconds=PATIENCE_SECONDS,
            what="the denial in the function's log",
        )
        assert factory.told("Late News") == []
    (told,) = wait_until(
        lambda: factory.told("Late News") or None, seconds=PATIENCE_SECONDS, what="the event that waited"
    )
    assert told["to"] == "INVALID"


def test_onboarding_that_may_not_start_builds_says_so_and_tries_again(
    factory: Factory, wave: dict[str, Status]
) -> None:
    """Given onboarding without StartBuild, when a row is put, then it waits with the reason, until that is mended."""
    provision = without(factory.granary, "ProvisioningRole", "sts:AssumeRole", on="-deploy-role-")
    with provision:
        with without(factory.granary, "ReconcilerOnboardRole", "codebuild:StartBuild"):
            factory.put(DENIED)
            status = factory.reaches(DENIED.id, Phase.PENDING, reason="AccessDenied")
            assert "codebuild:StartBuild" in status.reason
            assert factory.builds_of(DENIED.id) == []
        # The stream delivers the row again by itself; what is missing next is the build's permission.
        status = factory.reaches(DENIED.id, Phase.FAILED)
    assert "deploy-role" in status.reason
    assert status.claimed_by == ""
    assert factory.pipeline(DENIED.pipeline) is None
    assert factory.told(DENIED.id)[-1]["reason"] == status.reason


@pytest.mark.parametrize(
    ("role", "action", "on", "stage", "words"),
    [
        ("granary-tenant-synth", "ssm:GetParameter", "", "Build", "ssm:GetParameter"),
        ("granary-self-mutation", "sts:AssumeRole", "-deploy-role-", "UpdatePipeline", "deploy-role"),
        ("granary-tenant-pipeline", "sts:AssumeRole", f"::{WORKLOAD}:role/", "Deploy", "sts:AssumeRole"),
    ],
    ids=["synth", "self-mutation", "pipeline"],
)
def test_a_pipeline_that_is_denied_fails_in_its_stage(  # noqa: PLR0917 - pytest's parameters
    factory: Factory, wave: dict[str, Status], role: str, action: str, on: str, stage: str, words: str
) -> None:
    """Given a shared role without one permission, then the stage that needs it fails, and the status says why."""
    with without(factory.granary, role, action, on=on):
        factory.go_on(DENIED)
        status = factory.reaches(DENIED.id, Phase.FAILED, reason=f"stage {stage}")
    assert words in status.reason
    assert factory.component(DENIED) is None


def test_with_every_permission_back_the_row_becomes_active(factory: Factory, wave: dict[str, Status]) -> None:
    """Given everything mended, when the failed stage is retried, then the tenant is deployed after all."""
    factory.go_on(DENIED)
    factory.leaves(DENIED.id, Phase.FAILED)
    assert factory.active(DENIED)[DENIED.id].reason == ""
    assert factory.component(DENIED) is not None
