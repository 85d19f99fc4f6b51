"""Builds that fail, are stopped, refused or admitted only once."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud_fixtures import REGION, Workbench, allow, phase, wait_until

_SLEEPER = """
version: 0.2
phases:
  build:
    commands:
      - echo "PID $$"
      - sleep 600 & sleep 600
"""
_QUICK = "version: 0.2\nphases: {build: {commands: ['true']}}"


def _phases(text: str) -> str:
    return f"version: 0.2\nphases:\n{text}"


def _ran(build: dict[str, Any]) -> dict[str, str]:
    return {item["phaseType"]: item.get("phaseStatus", "") for item in build["phases"]}


def test_a_failing_command_is_named_in_the_context_of_its_phase(workbench: Workbench) -> None:
    workbench.project(
        _phases("""
  build:
    commands: [echo before, "(exit 3)", echo never]
    finally: [echo finally]
  post_build: {commands: ['echo succeeding=$CODEBUILD_BUILD_SUCCEEDING']}
"""),
        role=workbench.build_role(),
    )
    build = workbench.build()
    assert build["buildStatus"] == "FAILED"
    assert phase(build, "BUILD")["contexts"] == [
        {
            "statusCode": "COMMAND_EXECUTION_ERROR",
            "message": "Error while executing command: (exit 3). Reason: exit status 3",
        }
    ]
    log = workbench.log(build).splitlines()
    assert {"before", "finally", "succeeding=0"} <= set(log)
    assert "never" not in log
    assert _ran(build)["UPLOAD_ARTIFACTS"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("on_failure", "expected"),
    [
        ("", {"PRE_BUILD": "FAILED", "BUILD": None, "POST_BUILD": None, "UPLOAD_ARTIFACTS": None}),
        ("on-failure: CONTINUE", {"PRE_BUILD": "FAILED", "BUILD": "SUCCEEDED", "POST_BUILD": "SUCCEEDED"}),
    ],
)
def test_what_follows_a_failed_pre_build(
    workbench: Workbench, on_failure: str, expected: dict[str, str | None]
) -> None:
    workbench.project(
        _phases(
            f"  pre_build: {{commands: ['exit 1']{', ' if on_failure else ''}{on_failure}}}\n"
            "  build: {commands: ['true']}"
        ),
        role=workbench.build_role(),
    )
    build = workbench.build()
    assert build["buildStatus"] == "FAILED"
    assert {name: _ran(build).get(name) for name in expected} == expected


def test_on_failure_abort_skips_post_build(workbench: Workbench) -> None:
    workbench.project(
        _phases("  build: {commands: ['false'], on-failure: ABORT}\n  post_build: {commands: ['true']}"),
        role=workbench.build_role(),
    )
    assert "POST_BUILD" not in _ran(workbench.build())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("version: 0.1", "0.2"),
        ("version: 0.2\nphases: {build: {commands: [{echo: a}]}}", "phases/build/commands[0]"),
        ("version: 0.2\nphases: [", "not valid YAML"),
        ("missing.yml", "no such file"),
    ],
)
def test_a_bad_buildspec_fails_in_download_source(workbench: Workbench, spec: str, message: str) -> None:
    workbench.project(spec, role=workbench.build_role())
    context = phase(workbench.build(), "DOWNLOAD_SOURCE")["contexts"][0]
    assert context["statusCode"] == "YAML_FILE_ERROR"
    assert message in context["message"]


def test_missing_artifacts_fail_the_build(workbench: Workbench) -> None:
    workbench.project(
        f"{_QUICK}\nartifacts: {{files: [nothing/*]}}",
        role=workbench.build_role(),
        artifacts={"type": "S3", "location": "nowhere"},
    )
    build = workbench.build()
    assert build["buildStatus"] == "FAILED"
    assert "no matching artifact paths found" in phase(build, "UPLOAD_ARTIFACTS")["contexts"][0]["message"]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": "999999999999"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:codebuild:*:*:project/another"}},
    ],
)
def test_the_trust_policy_of_the_role_decides(workbench: Workbench, condition: dict[str, Any]) -> None:
    workbench.project(_QUICK, role=workbench.build_role(condition=condition))
    build = workbench.build()
    assert build["buildStatus"] == "FAILED"
    context = phase(build, "PROVISIONING")["contexts"][0]
    assert context["statusCode"] == "ACCESS_DENIED"
    assert "trust policy" in context["message"]


def test_a_role_that_may_not_write_logs_fails_in_provisioning(workbench: Workbench) -> None:
    role = workbench.role("mute", principal={"Service": "codebuild.amazonaws.com"})
    workbench.project(_QUICK, role=role)
    context = phase(workbench.build(), "PROVISIONING")["contexts"][0]
    assert context["statusCode"] == "ACCESS_DENIED"


def _alive_in_group(group: int) -> list[str]:
    """Processes of the group that still run; one that nobody has waited for yet is dead all the same."""
    alive = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            name, _, rest = file.read_text().rpartition(")")
            state, _parent, its_group = rest.split()[:3]
            if int(its_group) == group and state != "Z":
                alive.append(name)
    return alive


def test_stop_ends_the_processes_and_the_build(workbench: Workbench) -> None:
    workbench.project(_SLEEPER, role=workbench.build_role())
    build_id = workbench.start()
    log_file = workbench.cloud.settings.builds_dir / build_id.split(":")[1] / "build.log"

    def process_id() -> int | None:
        lines = log_file.read_text().splitlines() if log_file.exists() else []
        return next((int(line.split()[1]) for line in lines if line.startswith("PID ")), None)

    pid = wait_until(process_id, what="the shell's start")
    workbench.client("codebuild").stop_build(id=build_id)
    build = workbench.finished(build_id)
    assert build["buildStatus"] == "STOPPED"
    assert _ran(build)["BUILD"] == "STOPPED"
    assert _alive_in_group(pid) == []


def test_the_same_token_is_the_same_build(workbench: Workbench) -> None:
    workbench.project(_QUICK, role=workbench.build_role())
    first = workbench.start(idempotencyToken="once")
    assert workbench.start(idempotencyToken="once") == first
    with pytest.raises(ClientError, match=r"InvalidInputException.*other parameters"):
        workbench.start(idempotencyToken="once", sourceVersion="changed")
    assert workbench.start(idempotencyToken="twice") != first
    assert len(workbench.client("codebuild").list_builds_for_project(projectName="project")["ids"]) == 2


@pytest.mark.usefixtures("no_faults")
def test_the_account_limit_is_that_of_a_size_and_its_queue_has_five_times_as_many(workbench: Workbench) -> None:
    workbench.cloud.faults.set({"codebuild": {"account_limit": 1}})
    role, codebuild = workbench.build_role(), workbench.client("codebuild")
    workbench.project(_SLEEPER, role=role)
    workbench.project(_SLEEPER, role=role, name="medium", environment={"computeType": "BUILD_GENERAL1_MEDIUM"})
    running = workbench.start()
    # Whichever of several comes first to the only place has it.
    wait_until(lambda: _phase(workbench, running) not in _WAITING, what="the first build")
    queued = [workbench.start() for _ in range(5)]
    with pytest.raises(ClientError, match=r"AccountLimitExceededException.*more than 5 builds in queue"):
        workbench.start()
    other = workbench.start("medium")
    wait_until(lambda: _phase(workbench, other) not in _WAITING, what="a build of another size")
    assert {_phase(workbench, one) for one in queued} <= _WAITING
    codebuild.stop_build(id=running)
    workbench.finished(running)
    wait_until(lambda: any(_phase(workbench, one) not in _WAITING for one in queued), what="the next build")
    for one in (*queued, workbench.start(), other):
        codebuild.stop_build(id=one)


_WAITING = {"SUBMITTED", "QUEUED"}


def _phase(workbench: Workbench, build_id: str) -> str:
    return str(workbench.client("codebuild").batch_get_builds(ids=[build_id])["builds"][0]["currentPhase"])


_TEMPLATE = """
Resources:
  Project:
    Type: AWS::CodeBuild::Project
    Properties:
      Name: limited
      ServiceRole: ROLE
      ConcurrentBuildLimit: 1
      LogsConfig: {CloudWatchLogs: {GroupName: /own/group, Status: ENABLED}}
      Source: {Type: NO_SOURCE, BuildSpec: "version: 0.2\\nphases: {build: {commands: ['sleep 600']}}"}
      Artifacts: {Type: NO_ARTIFACTS}
      Environment: {Type: LINUX_CONTAINER, Image: "aws/codebuild/standard:7.0", ComputeType: BUILD_GENERAL1_SMALL}
"""


def test_a_project_of_a_template_keeps_its_limit_and_its_log_group(workbench: Workbench) -> None:
    cloudformation = workbench.client("cloudformation")
    cloudformation.create_stack(StackName="s", TemplateBody=_TEMPLATE.replace("ROLE", workbench.build_role()))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1})
    running = workbench.start("limited")
    with pytest.raises(ClientError, match=r"AccountLimitExceededException.*for the project"):
        workbench.start("limited")
    workbench.client("codebuild").stop_build(id=running)
    assert workbench.finished(running)["logs"]["groupName"] == "/own/group"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"environment": {"type": "WINDOWS_SERVER_2019_CONTAINER"}}, "environment type"),
        ({"vpcConfig": {"vpcId": "vpc-1", "subnets": ["s"], "securityGroupIds": ["g"]}}, "vpcConfig"),
        ({"source": {"type": "GITHUB", "location": "https://github.com/a/b"}}, "source type 'GITHUB'"),
        ({"source": {"type": "CODEPIPELINE"}, "artifacts": {"type": "CODEPIPELINE"}}, "only CodePipeline"),
    ],
)
def test_what_the_local_cloud_does_not_build_is_refused(
    workbench: Workbench, settings: dict[str, Any], message: str
) -> None:
    workbench.project(_QUICK, role=workbench.build_role(), **settings)
    with pytest.raises(ClientError, match=rf"InvalidInputException.*{message}"):
        workbench.start()


def test_batch_builds_and_fleets_are_refused(workbench: Workbench) -> None:
    codebuild = workbench.client("codebuild")
    workbench.project(_QUICK, role=workbench.build_role())
    for call in (
        lambda: codebuild.start_build_batch(projectName="project"),
        codebuild.list_fleets,
        lambda: workbench.start(debugSessionEnabled=True),
    ):
        with pytest.raises(ClientError, match=r"InvalidInputException.*local cloud"):
            call()


def test_builds_are_authorised_on_their_project(workbench: Workbench) -> None:
    for name in ("mine", "other"):
        workbench.project(_QUICK, role=workbench.build_role(name=f"build-{name}"), name=name)
    builds = {name: workbench.start(name) for name in ("mine", "other")}
    arn = f"arn:aws:codebuild:{REGION}:{workbench.account}:project/mine"
    role = workbench.role(
        "watcher", principal={"AWS": workbench.account}, statements=[allow("codebuild:BatchGetBuilds", resource=arn)]
    )
    codebuild = workbench.client("codebuild", workbench.assume(role))
    assert codebuild.batch_get_builds(ids=[builds["mine"]])["builds"]
    for ids in ([builds["other"]], list(builds.values())):
        with pytest.raises(ClientError, match="AccessDenied"):
            codebuild.batch_get_builds(ids=ids)


@pytest.mark.parametrize(
    "override",
    [
        {"buildspecOverride": "version: 0.2"},
        {"sourceTypeOverride": "S3", "sourceLocationOverride": "others/app.zip"},
        {"secondarySourcesOverride": [{"type": "S3", "location": "others/app.zip", "sourceIdentifier": "more"}]},
        {"serviceRoleOverride": "arn:aws:iam::111111111111:role/admin"},
        {"imageOverride": "others/image:1"},
        {"privilegedModeOverride": False},
        {"environmentTypeOverride": "ARM_CONTAINER"},
        {"computeTypeOverride": "BUILD_GENERAL1_2XLARGE"},
        {"certificateOverride": "arn:aws:s3:::others/certificate.pem"},
        {"fleetOverride": {"fleetArn": "arn:aws:codebuild:us-east-1:111111111111:fleet/others:1"}},
        {"logsConfigOverride": {"cloudWatchLogs": {"status": "DISABLED"}}},
        {"autoRetryLimitOverride": 10},
        {"environmentVariablesOverride": [{"name": "LD_PRELOAD", "value": "x"}]},
        {},
    ],
    ids=lambda override: next(iter(override), "nothing"),
)
def test_conditions_see_what_a_start_overrides(workbench: Workbench, override: dict[str, Any]) -> None:
    """Given who may start builds of one source with one variable, then whatever else is overridden is denied."""
    workbench.project(_QUICK, role=workbench.build_role())
    environment = ("certificate", "computeType", "fleet.fleetArn", "image", "privilegedMode", "type")
    absent = ("source.buildspec", "secondarySources", "serviceRole", "logsConfig", "autoRetryLimit")
    conditions: dict[str, Any] = {
        "Null": {f"codebuild:{key}": "true" for key in (*absent, *(f"environment.{one}" for one in environment))},
        "StringLikeIfExists": {"codebuild:source.location": "ours/*"},
        "ForAllValues:StringEquals": {"codebuild:environment.environmentVariables.name": ["IDS"]},
    }
    statement = allow("codebuild:StartBuild", **conditions)
    role = workbench.role("starter", principal={"AWS": workbench.account}, statements=[statement])
    codebuild = workbench.client("codebuild", workbench.assume(role))
    start = {"projectName": "project", "environmentVariablesOverride": [{"name": "IDS", "value": "[]"}]}
    if not override:
        assert codebuild.start_build(**start)["build"]["id"]
        return
    with pytest.raises(ClientError, match="AccessDenied"):
        codebuild.start_build(**{**start, **override})
