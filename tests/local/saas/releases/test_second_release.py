"""A commit changes the factory itself, then goes ring by ring: a failure is rolled back, and the release resumed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.credentials import Credentials

from lambdas.common.proven_names import proof
from lambdas.saas.model.runs import RingState, Run, RunState
from lambdas.saas.model.status import Outcome, Phase, Status
from lambdas.saas.release.answers import words_of
from local_cloud.factory.granary import HOME, NAMES, TOOLCHAIN, WORKLOAD, Row, wait_until
from local_cloud.factory.moving import current_release
from tests.local.saas import second_commit
from tests.local.saas.factory import PATIENCE_SECONDS, Factory
from tests.local.saas.permissions import without
from tests.local.saas.releasing import becomes_current, ended, ring_is, set_alarm, told_of
from tests.local.saas.wave import ACME, BREAKS, EUROPE, MOVES, UNREACHABLE

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
    set_alarm(factory, "OK")
    obstacle = granary.client("ssm", account=WORKLOAD, region=BREAKS.region)
    obstacle.put_parameter(Name=second_commit.OBSTACLE, Type="String", Value="made by hand")
    parameters = (second_commit.COMPONENT_PARAMETER, second_commit.OBSTACLE)
    granary.extend_execution_policy(
        second_commit.PARAMETER_ACTIONS, resources=[f"arn:*:ssm:*:*:parameter{name}" for name in parameters]
    )
    second_commit.change_everything(granary.workspace)
    found = Second(before=current_release(granary).revision, version="")

    with without(granary, "CicdSynthRole", "s3:GetObject"):
        found.version = granary.push("The second release")
        found.denials["Build"] = factory.stage_failed(CICD, "Build")
    with without(granary, f"{CICD}-self-mutate", "sts:AssumeRole", on="-deploy-role-"):
        factory.retry(CICD, "Build")
        found.denials["UpdatePipeline"] = factory.stage_failed(CICD, "UpdatePipeline")
    with without(granary, "CicdPublishRole", "states:StartExecution"):
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


def test_the_release_is_kept_and_its_machine_started(factory: Factory, second: Second) -> None:
    """Both releases are there, and new tenants get the first one until the second is through."""
    objects = factory.granary.client("s3").list_objects_v2(
        Bucket=NAMES.releases_bucket(TOOLCHAIN, HOME), Prefix="releases/"
    )["Contents"]
    assert {entry["Key"] for entry in objects} == {f"releases/{r}/source.zip" for r in (second.before, second.version)}
    assert current_release(factory.granary).revision == second.before
    # CI/CD does not wait for the machine that it has started.
    wait_until(lambda: factory.granary.run(second.version), seconds=PATIENCE_SECONDS, what="the run to begin")


@pytest.mark.parametrize(
    ("stage", "words"),
    [("Build", "s3:GetObject"), ("UpdatePipeline", _CANNOT_ASSUME), ("Release", "states:StartExecution")],
)
def test_a_denied_role_stops_the_release_with_a_reason(
    factory: Factory, second: Second, stage: str, words: str
) -> None:
    """Given a role of CI/CD without one permission, then its stage fails, and its build says which one."""
    assert words in second.denials[stage]


def at(factory: Factory, deployment_id: str) -> tuple[str, str]:
    """Phase and deployed revision of a tenant."""
    status = factory.granary.status(deployment_id)
    assert status is not None
    return status.phase, status.revision_deployed


@pytest.fixture(scope="module")
def stopped(factory: Factory, second: Second) -> Run:
    """The run of the second release, which fails at one tenant of its second ring."""
    return ended(factory, second.version, RunState.STOPPED)


def test_a_tenants_pipeline_updates_itself_and_the_release_follows_it(
    factory: Factory, second: Second, stopped: Run
) -> None:
    """Given a commit that changes a tenant's pipeline, then its execution is cancelled, and the one after it counts."""
    newest, cancelled, _first = factory.granary.executions(MOVES.pipeline)
    assert (newest["status"], cancelled["status"]) == ("Succeeded", "Cancelled")
    status = factory.granary.status(MOVES.id)
    assert status is not None
    assert status.release_execution_id == cancelled["pipelineExecutionId"]
    assert (status.phase, status.revision_deployed) == (Phase.ACTIVE, second.version)
    assert (status.release_outcome, status.task_token, status.claimed_by) == (Outcome.SUCCEEDED, "", "")
    (project,) = factory.granary.client("codebuild").batch_get_projects(
        names=[NAMES.tenant_project(MOVES.type, MOVES.id, "synth")]
    )["projects"]
    given = {entry["name"]: entry["value"] for entry in project["environment"]["environmentVariables"]}
    assert given[second_commit.VARIABLE] == "second"
    component = factory.component(MOVES)
    assert component is not None
    assert component["StackStatus"] == "UPDATE_COMPLETE"
    factory.hears(MOVES.id, "PENDING", "PROVISIONING", "ACTIVE", "UPDATING", "ACTIVE")


@pytest.mark.usefixtures("stopped")
def test_a_tenants_pipeline_publishes_the_assets_of_its_component(factory: Factory) -> None:
    """Given a component that now has a file, then the pipeline has a stage that put it where the component looks."""
    stages = dict(factory.granary.stages(MOVES.pipeline))
    assert stages["Assets"] == "Succeeded"
    assert list(stages).index("Assets") == list(stages).index("UpdatePipeline") + 1
    project = NAMES.assets_project
    assert len(factory.granary.client("codebuild").list_builds_for_project(projectName=project)["ids"]) == 1

    place = {"account": WORKLOAD, "region": MOVES.region}
    key = factory.granary.client("ssm", **place).get_parameter(Name=second_commit.COMPONENT_PARAMETER)
    published = factory.granary.client("s3", **place).get_object(
        Bucket=f"cdk-granary-assets-{WORKLOAD}-{MOVES.region}", Key=key["Parameter"]["Value"]
    )["Body"]
    assert published.read() == (factory.granary.workspace.root / second_commit.ASSET_FILE).read_bytes()
    assert "Assets" not in dict(factory.granary.stages(BREAKS.pipeline))


def test_a_failure_stops_the_line_and_is_rolled_back(
    factory: Factory, wave: dict[str, Status], second: Second, stopped: Run
) -> None:
    """Given a tenant whose component cannot be updated, then it is back on the old revision, and says why."""
    status = factory.granary.status(BREAKS.id)
    assert status is not None
    assert (status.phase, status.revision_deployed, status.revision_wanted) == (
        Phase.ACTIVE,
        second.before,
        second.before,
    )
    assert status.release_outcome == Outcome.ROLLED_BACK
    for text in (status.reason, status.release_reason):
        assert "AWS::SSM::Parameter" in text
    assert f"release {second.version} failed here and was rolled back to {second.before}" in status.reason
    component = factory.component(BREAKS)
    assert component is not None
    assert component["StackId"] == wave[BREAKS.id].component_stacks[0].stack_id
    assert (status.component_stacks, status.further_stacks) == (wave[BREAKS.id].component_stacks, ())
    newest = factory.granary.executions(BREAKS.pipeline)[0]
    assert (newest["status"], newest.get("executionType", "STANDARD")) == ("Succeeded", "STANDARD")


def build_log(factory: Factory, row: Row, job: str, *, before: int = 0) -> str:
    """Log of a tenant's newest build, or of one so many builds before it."""
    project = NAMES.tenant_project(row.type, row.id, job)
    return factory.log(factory.granary.client("codebuild").list_builds_for_project(projectName=project)["ids"][before])


@pytest.mark.usefixtures("stopped")
def test_what_a_synth_runs_comes_with_the_source(factory: Factory) -> None:
    """Given a commit that renames the synth's module and adds a command, then projects of before run it, and those that
    have met it run what the source of before says, when they are rolled back."""
    assert second_commit.CHECKED in build_log(factory, MOVES, "synth")
    assert second_commit.CHECKED in build_log(factory, BREAKS, "synth", before=1)
    rolled_back = build_log(factory, BREAKS, "synth")
    assert "running: python -m buildspecs.saas.tenant_synth.synth\n" in f"{rolled_back}\n"
    assert second_commit.CHECKED not in rolled_back


@pytest.mark.usefixtures("stopped")
def test_a_self_mutation_with_nothing_to_change_installs_nothing(factory: Factory) -> None:
    """Given one tenant whose pipeline a commit changes, then the other's build ends before it installs the CDK CLI."""
    for row, change in ((MOVES, "its template has changed"), (BREAKS, "nothing to do")):
        log = build_log(factory, row, "self-mutate", before=1)
        assert change in log
        assert ("Deployment time" in log) is (row is MOVES)


def test_other_rings_stay_on_the_old_revision(factory: Factory, second: Second, stopped: Run) -> None:
    """The line stops behind the ring that failed; its neighbour in that ring was under way already."""
    assert at(factory, EUROPE.id) == (Phase.ACTIVE, second.before)
    assert at(factory, ACME.id) == (Phase.ACTIVE, second.version)
    early, general = (factory.granary.rings(stopped)[name] for name in ("early", "general"))
    assert (early.state, early.failed, early.succeeded, early.rolled_back) == (RingState.FAILED, 1, 1, 1)
    assert (general.state, general.done) == (RingState.WAITING, 0)
    assert current_release(factory.granary).revision == second.before


def test_who_cannot_be_released_is_skipped_and_named(factory: Factory, stopped: Run) -> None:
    assert any(name.startswith(f"{UNREACHABLE.id}: ") for name in stopped.skipped_names)


def test_everybody_is_told_that_the_line_stopped(factory: Factory, second: Second, stopped: Run) -> None:
    factory.people_hear(f"elease {second.version}", "granary resume")
    told = told_of(factory, stopped, "Release Stopped")
    assert [detail["run"] for detail in told].count(stopped.run) == 1
    shown = factory.cli("release", "--no-follow")
    assert (shown.returncode, "granary resume" in shown.stdout, "ring " in shown.stdout) == (1, True, True)


@pytest.fixture(scope="module")
def resumed(factory: Factory, second: Second, stopped: Run) -> Run:
    """The same release, gone on with after the cause is gone; it waits for an approval of its last ring."""
    client = factory.granary.client("ssm", account=WORKLOAD, region=BREAKS.region)
    client.delete_parameter(Name=second_commit.OBSTACLE)
    done = factory.cli("resume", "--no-follow")
    assert done.returncode == 0, done.stderr
    return ring_is(factory, second.version, "general", RingState.APPROVAL, not_run=stopped.run)


def test_a_resumed_release_goes_on_where_it_stopped(factory: Factory, second: Second, resumed: Run) -> None:
    """Given the cause removed, then what failed is deployed, and what was done is not done again."""
    assert at(factory, BREAKS.id) == (Phase.ACTIVE, second.version)
    rings = factory.granary.rings(resumed)
    assert (rings["canary"].total, rings["early"].total, rings["early"].succeeded) == (0, 1, 1)
    assert len(factory.granary.executions(MOVES.pipeline)) == 3
    factory.people_hear("general", "granary approve")


@pytest.fixture(scope="module")
def third(factory: Factory, resumed: Run) -> str:
    """A newer release, while the older one waits; an alarm fires while its second ring bakes."""
    set_alarm(factory, "ALARM")
    factory.granary.workspace.renew_components("Nothing but a newer release")
    version = factory.granary.push("The third release")
    factory.approve(CICD, second_commit.STAGE)
    factory.released(version)
    return version


def test_a_newer_release_supersedes_an_unfinished_one(factory: Factory, resumed: Run, third: str) -> None:
    ended(factory, third, RunState.STOPPED)
    old = factory.granary.runs.run(resumed.run)
    assert old is not None
    assert old.state == RunState.SUPERSEDED


def test_an_alarm_rolls_the_whole_ring_back(factory: Factory, second: Second, third: str) -> None:
    """Given an alarm that fires after the bake time, then the ring is back on the revision that it had."""
    run = ended(factory, third, RunState.STOPPED)
    early = factory.granary.rings(run)["early"]
    assert (early.succeeded, early.failed, early.rolled_back) == (2, 0, 2)
    assert "test-health" in early.reason
    assert at(factory, ACME.id) == at(factory, BREAKS.id) == (Phase.ACTIVE, second.version)
    assert at(factory, MOVES.id) == (Phase.ACTIVE, third)


@pytest.fixture(scope="module")
def pinned(factory: Factory, second: Second, third: str) -> Status:
    """While the third release is stopped, one of the tenants that it has taken back is pinned to the first release."""
    ended(factory, third, RunState.STOPPED)
    done = factory.cli("pin", BREAKS.id, second.before, "--reason", "it cannot read the import", "--yes")
    assert done.returncode == 0, done.stderr
    assert f"is taken back from {second.version} to {second.before}" in " ".join(done.stderr.split())

    def settled() -> Status | None:
        status = factory.granary.status(BREAKS.id)
        return status if status and status.pinned and status.phase in (Phase.ACTIVE, Phase.FAILED) else None

    return wait_until(settled, seconds=300, what=f"{BREAKS.id} to be placed at its pin")


def test_a_tenant_goes_back_alone(factory: Factory, second: Second, third: str, pinned: Status) -> None:
    """Given a row that pins an older release, then its pipeline has deployed that, and nobody else is touched."""
    assert (pinned.phase, pinned.pinned, pinned.revision_wanted) == (Phase.ACTIVE, second.before, second.before)
    assert factory.granary.executions(BREAKS.pipeline)[0]["status"] == "Succeeded"
    assert at(factory, MOVES.id) == (Phase.ACTIVE, third)
    told = factory.cli("status", BREAKS.id).stdout
    assert f"pin: {second.before}, for " in told
    assert ": it cannot read the import" in told


def test_nobody_approves_for_another(factory: Factory, third: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given somebody who has the token and an approver's signature of something else, then the line stops.

    What they write of the approver, nobody reads.
    """
    stopped = ended(factory, third, RunState.STOPPED)
    set_alarm(factory, "OK")
    assert factory.cli("resume", "--no-follow").returncode == 0
    waiting = ring_is(factory, third, "general", RingState.APPROVAL, not_run=stopped.run)
    said = {"approved": True, "reason": "looks good"}
    keys = factory.somebody("approver")
    approver = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    for name, value in factory.granary.cloud.env(TOOLCHAIN, HOME).items():
        monkeypatch.setenv(name, value)
    signed = proof(words_of(stopped.run, 2, said), region=HOME, credentials=approver)
    factory.granary.client("stepfunctions").send_task_success(
        taskToken=factory.granary.rings(waiting)["general"].approval_token,
        output=json.dumps({**said, "by": "grace", "proof": signed}),
    )
    run = ended(factory, third, RunState.STOPPED, not_run=stopped.run)
    assert "not approved: whose answer it was is not proven" in run.reason
    assert "STS does not take the signature" in run.reason
    assert factory.granary.rings(run)["general"].approved_by == ""


def test_an_approved_release_reaches_everybody_and_becomes_current(
    factory: Factory, second: Second, third: str, pinned: Status
) -> None:
    """Given the alarm gone and an approval, then every ring is done, and new tenants get this release; the release has
    passed over whose row pins another."""
    stopped = ended(factory, third, RunState.STOPPED)
    set_alarm(factory, "OK")
    assert factory.cli("resume", "--no-follow").returncode == 0
    ring_is(factory, third, "general", RingState.APPROVAL, not_run=stopped.run)
    done = factory.cli("approve", "--comment", "looks good")
    assert done.returncode == 0, done.stderr
    run = ended(factory, third, RunState.SUCCEEDED)
    assert factory.granary.rings(run)["general"].approved_by == "assumed-role/granary-approver/approver@example.com"
    becomes_current(factory, third)
    for row in (ACME, EUROPE, MOVES):
        assert at(factory, row.id) == (Phase.ACTIVE, third)
    assert at(factory, BREAKS.id) == (Phase.ACTIVE, second.before)
    assert f"{BREAKS.id}: its row pins {second.before}: it cannot read the import" in run.skipped_names
    assert not [ring for ring in factory.granary.rings(run).values() if ring.failed]
    completed = told_of(factory, run, "Release Completed")
    assert (completed[-1]["run"], completed[-1]["revision"]) == (run.run, third)
    assert [detail["run"] for detail in completed].count(run.run) == 1
    assert factory.cli("release", "--no-follow").returncode == 0


def test_what_is_pinned_no_longer_catches_up(factory: Factory, third: str, pinned: Status) -> None:
    """Given the pin taken out of the row, then a run takes the tenant along, though the release had failed there."""
    assert factory.sweep()["caught_up"] == 0
    before = ended(factory, third, RunState.SUCCEEDED)
    done = factory.cli("unpin", BREAKS.id, "--yes")
    assert done.returncode == 0, done.stderr
    assert factory.sweep()["caught_up"] == 1
    run = ended(factory, third, RunState.SUCCEEDED, not_run=before.run)
    assert (run.deployments, run.resumes) == (1, before.run)
    assert at(factory, BREAKS.id) == (Phase.ACTIVE, third)
    status = factory.granary.status(BREAKS.id)
    assert status is not None
    assert (status.pinned, status.release_outcome) == ("", Outcome.SUCCEEDED)
