"""A commit changes the factory itself, then, tenant by tenant, pipelines and components."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from lambdas.common.status import Phase, Status
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, WORKLOAD, wait_until
from local_cloud.factory.moving import current_release, move_on
from tests.local.saas import second_commit
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.permissions import without
from tests.local.saas.wave import ACME, BREAKS, MOVES

CICD = NAMES.cicd_pipeline
# What the CDK CLI says; it then goes on with the credentials that it has.
_CANNOT_ASSUME = "could not be used to assume"


@dataclass(kw_only=True)
class Second:
    """What the second release came to; `denials` is what failed actions said while a permission was missing."""

    before: str
    version: str
    denials: dict[str, str] = field(default_factory=dict)
    executions: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture(scope="module")
def second(factory: Factory, wave: dict[str, Status]) -> Second:
    """Commit and push; on the way, each of the pipeline's roles lacks a permission once, and the stage is retried."""
    granary = factory.granary
    second_commit.change_everything(granary.workspace)
    found = Second(before=current_release(granary).revision, version="")

    with without(granary, "CicdSynthRole", "s3:GetObject"):
        found.version = granary.push("The second release")
        found.denials["Build"] = factory.stage_failed(CICD, "Build")
    with without(granary, f"{CICD}-self-mutate", "sts:AssumeRole", on="-deploy-role-"):
        factory.retry(CICD, "Build")
        found.denials["UpdatePipeline"] = factory.stage_failed(CICD, "UpdatePipeline")
    with without(granary, "CicdPublishRole", "ssm:PutParameter"):
        factory.retry(CICD, "UpdatePipeline")
        factory.approve(CICD, second_commit.STAGE)
        found.denials["Release"] = factory.stage_failed(CICD, "Release")
    assert current_release(granary).revision == found.before
    factory.retry(CICD, "Release")
    factory.released(found.version)
    found.executions = granary.executions(CICD)
    return found


def test_the_pipeline_updates_itself_and_starts_over(factory: Factory, second: Second) -> None:
    """Given a commit that adds a stage, then the pipeline has it, and a new execution ran through it."""
    newest, older, *_ = second.executions
    assert (newest["status"], older["status"]) == ("Succeeded", "Cancelled")
    assert [execution["sourceRevisions"][0]["revisionId"] for execution in (newest, older)] == [second.version] * 2
    stages = [name for name, _ in factory.granary.stages(CICD)]
    assert stages == ["Source", "Build", "UpdatePipeline", second_commit.STAGE, "Release"]


def test_the_toolchain_has_what_the_commit_added(factory: Factory, second: Second) -> None:
    """Self-mutation deploys the whole toolchain, not the pipeline alone."""
    value = factory.granary.client("ssm").get_parameter(Name=second_commit.TOOLCHAIN_PARAMETER)["Parameter"]["Value"]
    assert value == "second"
    stack = factory.stack(NAMES.toolchain_stack)
    assert stack is not None
    assert stack["StackStatus"] == "UPDATE_COMPLETE"


def test_the_release_is_published_and_told(factory: Factory, second: Second) -> None:
    """The pointer names the second release, the first one is still there, and the bus was told of both."""
    release = current_release(factory.granary)
    assert release.revision == second.version != second.before
    told = [m["detail"]["revision"] for m in factory.bus.messages() if m["detail-type"] == "Release Published"]
    assert told == [second.before, second.version]
    objects = factory.granary.client("s3").list_objects_v2(
        Bucket=NAMES.releases_bucket(TOOLCHAIN, HOME), Prefix="releases/"
    )["Contents"]
    assert {entry["Key"] for entry in objects} == {f"releases/{r}/source.zip" for r in (second.before, second.version)}


@pytest.mark.parametrize(
    ("stage", "words"),
    [("Build", "s3:GetObject"), ("UpdatePipeline", _CANNOT_ASSUME), ("Release", "ssm:PutParameter")],
)
def test_a_denied_role_stops_the_release_with_a_reason(
    factory: Factory, second: Second, stage: str, words: str
) -> None:
    """Given a role of CI/CD without one permission, then its stage fails, and its build says which one."""
    assert words in second.denials[stage]


def test_a_release_moves_no_tenant_by_itself(factory: Factory, wave: dict[str, Status], second: Second) -> None:
    """Tenants stay on their copy of the release until it is their turn."""
    status = factory.granary.status(ACME.id)
    assert status is not None
    assert (status.phase, status.revision_deployed) == (Phase.ACTIVE, second.before)
    assert len(factory.granary.executions(ACME.pipeline)) == len({wave[ACME.id].execution_id})


@pytest.fixture(scope="module")
def moved(factory: Factory, second: Second) -> dict[str, str]:
    """Move two tenants on, and wait until both have come to an end; the executions that were started, by id."""
    started = {row.id: move_on(factory.granary, row) for row in (MOVES, BREAKS)}

    def both() -> bool | None:
        moves, breaks = factory.granary.status(MOVES.id), factory.granary.status(BREAKS.id)
        if not moves or not breaks:
            return None
        over = moves.phase is Phase.ACTIVE and moves.revision_deployed == second.version
        return True if over and breaks.phase is Phase.FAILED and "rolled back to" in breaks.reason else None

    wait_until(both, seconds=PATIENCE_SECONDS, what="both tenants to be moved or rolled back")
    return started


def test_a_tenants_pipeline_updates_itself_and_deploys_the_change(
    factory: Factory, second: Second, moved: dict[str, str]
) -> None:
    """Given a commit that changes a tenant's pipeline and component, then both are changed, by the pipeline alone."""
    newest, cancelled, _first = factory.granary.executions(MOVES.pipeline)
    assert (newest["status"], cancelled["status"]) == ("Succeeded", "Cancelled")
    assert cancelled["pipelineExecutionId"] == moved[MOVES.id]

    pipeline_stack = factory.stack(MOVES.pipeline)
    assert pipeline_stack is not None
    assert factory.operations(pipeline_stack["StackId"]) == ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"]
    (project,) = factory.granary.client("codebuild").batch_get_projects(
        names=[NAMES.tenant_project(MOVES.type, MOVES.id, "synth")]
    )["projects"]
    given = {entry["name"]: entry["value"] for entry in project["environment"]["environmentVariables"]}
    assert given[second_commit.VARIABLE] == "second"

    component = factory.component(MOVES)
    assert component is not None
    assert component["StackStatus"] == "UPDATE_COMPLETE"
    status = factory.granary.status(MOVES.id)
    assert status is not None
    assert (status.phase, status.revision_deployed) == (Phase.ACTIVE, second.version)
    factory.hears(MOVES.id, "PENDING", "PROVISIONING", "ACTIVE", "UPDATING", "ACTIVE")


@pytest.mark.usefixtures("moved")
def test_a_tenants_pipeline_publishes_the_assets_of_its_component(factory: Factory) -> None:
    """Given a component that now has a file, then the pipeline has a stage that put it where the component looks."""
    stages = dict(factory.granary.stages(MOVES.pipeline))
    assert stages["Assets"] == "Succeeded"
    assert list(stages).index("Assets") == list(stages).index("UpdatePipeline") + 1
    project = NAMES.tenant_project(MOVES.type, MOVES.id, "assets")
    assert len(factory.granary.client("codebuild").list_builds_for_project(projectName=project)["ids"]) == 1

    place = {"account": WORKLOAD, "region": MOVES.region}
    key = factory.granary.client("ssm", **place).get_parameter(Name=second_commit.COMPONENT_PARAMETER)
    published = factory.granary.client("s3", **place).get_object(
        Bucket=f"cdk-hnb659fds-assets-{WORKLOAD}-{MOVES.region}", Key=key["Parameter"]["Value"]
    )["Body"]
    assert published.read() == (factory.granary.workspace.root / second_commit.ASSET_FILE).read_bytes()
    assert "Assets" not in dict(factory.granary.stages(BREAKS.pipeline))


def test_a_broken_component_is_rolled_back(
    factory: Factory, wave: dict[str, Status], second: Second, moved: dict[str, str]
) -> None:
    """Given a component that cannot be updated, then stack and stage are as before, and the status says why."""
    rollback, failed, _first = factory.granary.executions(BREAKS.pipeline)
    assert (failed["pipelineExecutionId"], failed["status"]) == (moved[BREAKS.id], "Failed")
    assert (rollback["executionType"], rollback["status"]) == ("ROLLBACK", "Succeeded")

    component = factory.component(BREAKS)
    assert component is not None
    assert component["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert component["StackId"] == wave[BREAKS.id].component_stacks[0].stack_id
    resources = factory.granary.client("cloudformation", account=WORKLOAD, region=BREAKS.region).list_stack_resources(
        StackName=component["StackId"]
    )["StackResourceSummaries"]
    assert sorted({resource["ResourceType"] for resource in resources}) == [
        "AWS::ECS::Cluster",
        "AWS::ECS::TaskDefinition",
    ]

    status = factory.granary.status(BREAKS.id)
    assert status is not None
    assert (status.phase, status.revision_deployed) == (Phase.FAILED, second.before)
    assert "AWS::SQS::Queue" in status.reason
    assert "VisibilityTimeout" in status.reason
    assert status.reason.endswith(f"; rolled back to {second.before}")
    factory.people_hear(f"Deployment {BREAKS.id} ", "VisibilityTimeout", f"; rolled back to {second.before}")
    told = factory.hears(BREAKS.id, "PENDING", "PROVISIONING", "ACTIVE", "UPDATING", "FAILED")
    assert told[-1]["reason"] == status.reason


def test_others_are_as_they_were(factory: Factory, wave: dict[str, Status], moved: dict[str, str]) -> None:
    """One tenant's failure is nobody else's."""
    status, component = factory.granary.status(ACME.id), factory.component(ACME)
    assert status is not None
    assert component is not None
    assert (status.phase, component["StackStatus"]) == (Phase.ACTIVE, "CREATE_COMPLETE")
