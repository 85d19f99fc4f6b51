"""A role with one permission too few is denied, and the denial is seen where a person looks."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import NAMES, WORKLOAD, Row, wait_until
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.permissions import without
from tests.local.saas.wave import ACME

DENIED = Row(id="denied", type="silo", region="us-east-1")


@pytest.mark.parametrize(
    ("job", "role", "action"),
    [
        ("sweep", "ReconcilerSweepRole", "dynamodb:Scan"),
        ("pipeline-watch", NAMES.pipeline_watch_role, "codepipeline:ListPipelineExecutions"),
    ],
)
@pytest.mark.usefixtures("wave")
def test_a_function_that_is_denied_fails(factory: Factory, job: str, role: str, action: str) -> None:
    """Given a function's role without one permission, when it runs, then it fails with the action's name."""
    event = {"detail": {"pipeline": ACME.pipeline}}
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
    with without(factory.granary, NAMES.provisioning_role, "sts:AssumeRole", on="-tenant-deploy"):
        with without(factory.granary, "ReconcilerOnboardRole", "codebuild:StartBuild"):
            factory.put(DENIED)
            status = factory.reaches(DENIED.id, Phase.PENDING, reason="AccessDenied")
            assert "codebuild:StartBuild" in status.reason
            assert factory.builds_of(DENIED.id) == []
        # The stream delivers the row again by itself; what is missing next is the build's permission.
        status = factory.reaches(DENIED.id, Phase.FAILED)
    assert f"stack {DENIED.pipeline} could not be deployed" in status.reason
    assert "AccessDenied" in status.reason
    assert status.claimed_by == ""
    assert factory.pipeline(DENIED.pipeline) is None
    wait_until(
        lambda: [told["reason"] for told in factory.told(DENIED.id)[-1:]] == [status.reason] or None,
        seconds=PATIENCE_SECONDS,
        what="the failure to be told",
    )


@dataclass(frozen=True, kw_only=True)
class Denial:
    """A role that tenants' pipelines share, the permission taken from it, the stage that needs it, and its words.

    Of a build, `logged` are words of its log that the row's reason repeats. `besides` is a permission that is taken
    away as well, so that this one is needed.
    """

    role: str
    action: str
    on: str
    stage: str
    words: str
    logged: str = ""
    besides: str = ""


@pytest.mark.parametrize(
    "denial",
    [
        Denial(
            role="granary-tenant-synth",
            action="ssm:GetParameter",
            on="",
            stage="Build",
            words="not authorized to perform: ssm:GetParameter",
            logged="AccessDenied",
        ),
        Denial(
            role="granary-self-mutation",
            action="sts:AssumeRole",
            on="-tenant-deploy",
            stage="UpdatePipeline",
            words="could not be used to assume",
            besides="cloudformation:GetTemplate",  # what cannot be compared is deployed, changed or not
        ),
        Denial(
            role="granary-tenant-pipeline",
            action="sts:AssumeRole",
            on=f"::{WORKLOAD}:role/",
            stage="Deploy",
            words="not authorized to perform: sts:AssumeRole",
        ),
    ],
    ids=lambda denial: denial.role,
)
@pytest.mark.usefixtures("wave")
def test_a_pipeline_that_is_denied_fails_in_its_stage(factory: Factory, denial: Denial) -> None:
    """Given a shared role without one permission, then the stage that needs it fails, and it or its build says why.

    When it is a build, `granary logs` shows the end of its log.
    """
    with ExitStack() as denied:
        denied.enter_context(without(factory.granary, denial.role, denial.action, on=denial.on))
        if denial.besides:
            denied.enter_context(without(factory.granary, denial.role, denial.besides))
        factory.go_on(DENIED)
        status = factory.reaches(DENIED.id, Phase.FAILED, reason=f"stage {denial.stage}")
    said = factory.failed_action(DENIED.pipeline)
    assert denial.words in said
    assert said.splitlines()[0].partition(": ")[2] in status.reason
    assert denial.logged in status.reason
    assert factory.component(DENIED) is None
    if log := list(filter(None, said.splitlines()[1:])):
        shown = factory.cli("logs", DENIED.id)
        assert shown.returncode == 0, shown.stderr
        assert f"==> pipeline {DENIED.pipeline}, stage {denial.stage}, action " in shown.stdout
        assert "\n".join(log[-20:]) in shown.stdout


def test_with_every_permission_back_the_row_becomes_active(factory: Factory, wave: dict[str, Status]) -> None:
    """Given everything mended, when the failed stage is retried, then the tenant is deployed after all."""
    factory.go_on(DENIED)
    factory.leaves(DENIED.id, Phase.FAILED)
    assert factory.active(DENIED)[DENIED.id].reason == ""
    assert factory.component(DENIED) is not None
