"""A migration before a tenant's component, and a check after it: run once, failing, forward-only, and forbidden."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.saas.model.status import Phase, Status
from local_cloud.factory.granary import HOME, NAMES, WORKLOAD, Row, wait_until
from tests.local.saas.factory import Factory
from tests.local.saas.migrating import MIGRATES, ONWARD, Programs
from tests.local.saas.permissions import without


@pytest.fixture(scope="module")
def programs(factory: Factory) -> Programs:
    """What the tasks run; the role that runs them stands in the tenants' account."""
    factory.granary.cloud.cdk(
        ["deploy", NAMES.workload_roles_stack(WORKLOAD), "--require-approval", "never"],
        account=WORKLOAD,
        region=HOME,
        cwd=factory.granary.workspace.root,
        extra_env={"CDK_VALIDATION": "false"},
    )
    return Programs(factory)


def start(factory: Factory, row: Row) -> None:
    """Start the tenant's pipeline by hand: whatever is deployed is deployed again, and could be rolled back."""
    factory.granary.client("codepipeline").start_pipeline_execution(name=row.pipeline)


def kinds(factory: Factory, row: Row) -> list[str]:
    """The kinds of the pipeline's executions, newest first."""
    return [str(one.get("executionType", "STANDARD")) for one in factory.granary.executions(row.pipeline)]


def summaries(factory: Factory, row: Row) -> str:
    """What the actions of the newest execution have told."""
    newest = factory.granary.executions(row.pipeline)[0]["pipelineExecutionId"]
    found = factory.granary.client("codepipeline").list_action_executions(
        pipelineName=row.pipeline, filter={"pipelineExecutionId": newest}
    )
    return json.dumps([one["output"] for one in found["actionExecutionDetails"]], default=str)


def counts(programs: Programs, row: Row) -> tuple[int, int]:
    """How often its migration and its check have run."""
    return programs.runs("migrate", row), programs.runs("check", row)


@pytest.fixture(scope="module")
def refused(factory: Factory, programs: Programs) -> Status:
    """A tenant whose migration fails before anything of its component is there."""
    programs.end_with("migrate", MIGRATES, 3)
    factory.put(MIGRATES)
    return factory.reaches(MIGRATES.id, Phase.FAILED, reason="task Migrate")


def test_a_migration_that_fails_has_nothing_deployed(factory: Factory, programs: Programs, refused: Status) -> None:
    """Given a migration that fails, then the component is not deployed, and the status says how it ended."""
    assert "task Migrate (before silo-migrates-resources) failed: ECS task arn:" in refused.reason
    assert "exit code 3" in refused.reason
    assert counts(programs, MIGRATES) == (1, 0)
    assert factory.component(MIGRATES) is None


def test_a_retry_runs_what_failed_once_more_and_a_migration_runs_once(
    factory: Factory, programs: Programs, refused: Status
) -> None:
    """Given the cause removed, when the stage is retried, then the migration runs once more, and the check once."""
    assert refused.execution_id
    programs.end_with("migrate", MIGRATES, 0)
    factory.go_on(MIGRATES)
    factory.reaches(MIGRATES.id, Phase.ACTIVE)
    assert counts(programs, MIGRATES) == (2, 1)


def test_a_check_that_fails_rolls_back(factory: Factory, programs: Programs, refused: Status) -> None:
    """Given a check that fails, then the stage is rolled back, and no task runs for that."""
    del refused
    programs.end_with("check", MIGRATES, 1)
    start(factory, MIGRATES)
    status = factory.reaches(MIGRATES.id, Phase.FAILED, reason="; rolled back to")
    assert "task Check (after silo-migrates-resources) failed: ECS task" in status.reason
    assert counts(programs, MIGRATES) == (3, 2)
    assert kinds(factory, MIGRATES)[0] == "ROLLBACK"


def test_a_task_that_its_role_may_not_run_is_told(factory: Factory, programs: Programs, refused: Status) -> None:
    """Given a runner that may not run tasks, then nothing is deployed, and the status names what was denied."""
    del refused
    programs.end_with("check", MIGRATES, 0)
    with without(factory.granary, NAMES.task_runner_role, "ecs:RunTask", account=WORKLOAD):
        start(factory, MIGRATES)
        status = factory.reaches(MIGRATES.id, Phase.FAILED, reason="ecs:RunTask")
    assert "task Migrate (before silo-migrates-resources) failed:" in status.reason
    assert counts(programs, MIGRATES) == (3, 2)
    start(factory, MIGRATES)
    factory.reaches(MIGRATES.id, Phase.ACTIVE)
    assert counts(programs, MIGRATES) == (4, 3)


def test_nothing_leads_back_over_a_migration_that_says_so(factory: Factory, programs: Programs) -> None:
    """Given a forward-only migration that has run, when the check fails, then the tenant stays, and says so.

    Its check is a build, and a function is told in the end.
    """
    programs.make_check_and_tell()
    factory.put(ONWARD)
    factory.active(ONWARD)
    migrated, checked = counts(programs, ONWARD)
    programs.end_with("check", ONWARD, 1)
    start(factory, ONWARD)
    status = factory.reaches(ONWARD.id, Phase.FAILED, reason="task Check")
    assert "task Check (after silo-onward-resources) failed: build silo-onward-check:" in status.reason
    assert "not rolled back: task Migrate (before silo-onward-resources) is forward-only and has run" in status.reason
    assert "ROLLBACK" not in kinds(factory, ONWARD)
    assert counts(programs, ONWARD) == (migrated + 1, checked + 1)
    programs.end_with("check", ONWARD, 0)
    factory.go_on(ONWARD)
    factory.reaches(ONWARD.id, Phase.ACTIVE)
    assert counts(programs, ONWARD) == (migrated + 1, checked + 2)
    assert "task Tell (after silo-onward-resources) succeeded: function silo-onward-tell" in summaries(factory, ONWARD)


def forged(factory: Factory, row: Row, name: str) -> list[Mapping[str, Any]]:
    """Make a pipeline that asks all that a tenant's does, as that tenant; what became of its questions."""
    client = factory.granary.client("codepipeline")
    pipeline = client.get_pipeline(name=row.pipeline)["pipeline"]
    source, (*_, deploy) = pipeline["stages"][0], pipeline["stages"]
    asking = [one for one in deploy["actions"] if one["actionTypeId"]["provider"] == "Lambda"]
    whose = json.loads(asking[0]["configuration"]["UserParameters"])
    assets = {"FunctionName": NAMES.assets_function, "UserParameters": json.dumps({**whose, "cli_version": "2.0.0"})}
    asking.append({**asking[0], "name": "Assets", "configuration": assets})
    actions = [{**one, "runOrder": 1, "inputArtifacts": []} for one in asking]
    stages = [source, {"name": "Forged", "actions": actions}]
    client.create_pipeline(pipeline={**pipeline, "name": name, "stages": stages})
    try:
        wait_until(
            lambda: ("Forged", "Failed") in factory.granary.stages(name) or None, seconds=60, what="its questions"
        )
        found = client.list_action_executions(pipelineName=name)["actionExecutionDetails"]
        return [one["output"]["executionResult"] for one in found if one["stageName"] == "Forged"]
    finally:
        client.delete_pipeline(name=name)


def test_a_pipeline_that_names_another_tenant_is_answered_nothing(
    factory: Factory, programs: Programs, refused: Status
) -> None:
    """Given a pipeline of a tenant's name whose actions name another tenant, then no function does anything for it."""
    del refused
    before = counts(programs, MIGRATES)
    told = [one["errorDetails"]["message"] for one in forged(factory, MIGRATES, "silo-evil-pipeline")]
    assert len(told) == len(("Whose", "Migrate", "Check", "Assets"))
    wanted = f"pipeline silo-evil-pipeline asks for what only {MIGRATES.pipeline} may ask for: nothing was done"
    assert set(told) == {wanted}
    assert counts(programs, MIGRATES) == before
