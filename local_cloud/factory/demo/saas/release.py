"""The second act: a commit goes ring by ring, fails at one tenant, is rolled back there, and goes on after the fix."""

from __future__ import annotations

from typing import Any

from lambdas.saas.model.runs import RunState
from lambdas.saas.model.status import Phase
from local_cloud.factory.demo.saas.rows import POOL1, POOL2, ROWS, SILO1
from local_cloud.factory.demo.stage import DEADLINE_SECONDS, Stage
from local_cloud.factory.granary import NAMES, Granary, Row, wait_until
from local_cloud.factory.workspace import Workspace
from local_cloud.factory.zone import parameter


def play(stage: Stage, granary: Granary) -> None:
    """Commit, release, fail, resume."""
    stage.act("A commit goes to the tenants, ring by ring")
    before = {row.id: _deployed(granary, row) for row in ROWS}
    with stage.step(f"somebody makes the parameter {_parameter(POOL1)} by hand, which is in the way of the commit"):
        _ssm(granary, POOL1).put_parameter(Name=_parameter(POOL1), Type="String", Value="made by hand")
    with stage.step("the workload account's execution policy is extended: components are to have parameters"):
        actions = ("ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:GetParameters", "ssm:PutParameter")
        granary.extend_execution_policy(actions, resources=["arn:*:ssm:*:*:parameter/*/greeting"])
    with stage.step("commit: every component gets a parameter; push it"):
        greet(granary.workspace)
        revision = granary.push("every component greets")
    with stage.step(f"CI/CD checks the commit, and its last stage starts {NAMES.release_machine}"):
        wait_until(
            lambda: granary.run(revision),
            seconds=DEADLINE_SECONDS,
            what="the release to begin",
            also=lambda: _cicd_failed(granary),
        )
    stage.granary(granary, "release", wanted=1)
    run = granary.run(revision)
    stage.expect(holds=run is not None and run.state == RunState.STOPPED, otherwise=f"the line did not stop: {run}")
    _expect_revision(stage, granary, SILO1, revision, why="its ring was done")
    _expect_revision(stage, granary, POOL1, before[POOL1.id], why="it was rolled back")
    _expect_revision(stage, granary, POOL2, before[POOL2.id], why="the line stopped before its ring")
    stage.granary(granary, "list", "--plain")
    stage.granary(granary, "status", POOL1.id)

    with stage.step(f"the fix: {_parameter(POOL1)} is deleted by hand"):
        _ssm(granary, POOL1).delete_parameter(Name=_parameter(POOL1))
    stage.granary(granary, "resume")
    for row in ROWS:
        _expect_revision(stage, granary, row, revision, why="the release was resumed")
    stage.granary(granary, "list", "--plain")


def greet(workspace: Workspace) -> None:
    """Edit and commit: every component gets a parameter."""
    workspace.add_to_components(parameter("Greeting", name='f"/{tenant.name}/greeting"', value='"Good morning"'))
    workspace.commit("Greet")


def _deployed(granary: Granary, row: Row) -> str:
    status = granary.status(row.id)
    return status.revision_deployed if status else ""


def _expect_revision(stage: Stage, granary: Granary, row: Row, revision: str, *, why: str) -> None:
    status = granary.status(row.id)
    stage.expect(
        holds=status is not None and (status.phase, status.revision_deployed) == (Phase.ACTIVE, revision),
        otherwise=f"{row.id} should be ACTIVE at {revision}, for {why}; it is {status}",
    )


def _cicd_failed(granary: Granary) -> list[str]:
    newest = granary.executions(NAMES.cicd_pipeline)[:1]
    if newest and newest[0]["status"] == "Failed":
        return [f"CI/CD failed: see the logs of its builds in {granary.cloud.settings.builds_dir}"]
    return []


def _parameter(row: Row) -> str:
    return f"/{row.type}-{row.id}/greeting"


def _ssm(granary: Granary, row: Row) -> Any:
    return granary.client("ssm", account=row.account, region=row.region)
