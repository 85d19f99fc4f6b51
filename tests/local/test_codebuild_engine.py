"""Builds that run: phases, sources, variables, artifacts."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tests.local.local_cloud_fixtures import REGION, Workbench, allow, phase, wait_until, zipped


def _spec(text: str) -> str:
    return f"version: 0.2\n{text}"


def _bucket(workbench: Workbench, purpose: str) -> tuple[Any, str]:
    """A client and the name of a new versioned bucket; names are unique in the whole world."""
    s3, name = workbench.client("s3"), f"{purpose}-{workbench.account}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return s3, name


def test_variables_and_directory_carry_over_between_commands_and_phases(workbench: Workbench) -> None:
    spec = _spec("""
env:
  shell: bash
  variables: {FROM_SPEC: spec, SHADOWED: spec}
  exported-variables: [RESULT, NEVER_SET]
phases:
  install:
    commands:
      - mkdir deeper && cd deeper
      - export CARRIED="two words"
  build:
    commands:
      - export RESULT="$FROM_SPEC/$SHADOWED/$OVERRIDDEN/$CARRIED/$(basename "$PWD")"
""")
    variables = [{"name": name, "value": "project"} for name in ("SHADOWED", "OVERRIDDEN")]
    workbench.project(spec, role=workbench.build_role(), environment={"environmentVariables": variables})
    build = workbench.build(environmentVariablesOverride=[{"name": "OVERRIDDEN", "value": "start"}])
    assert build["buildStatus"] == "SUCCEEDED"
    assert build["exportedEnvironmentVariables"] == [{"name": "RESULT", "value": "spec/project/start/two words/deeper"}]
    assert all(item["durationInSeconds"] >= 0 for item in build["phases"] if item["phaseType"] != "COMPLETED")


def test_the_environment_is_clean_and_has_the_roles_credentials(workbench: Workbench) -> None:
    script = (
        "import boto3, os, json; print('SEEN', json.dumps({'arn': boto3.client('sts').get_caller_identity()"
        "['Arn'], 'home': os.environ['HOME'], 'src': os.environ['CODEBUILD_SRC_DIR'],"
        " 'cwd': os.getcwd(), 'ministack': [n for n in os.environ if 'MINISTACK' in n],"
        " 'validation': os.environ['CDK_VALIDATION']}))"
    )
    spec = _spec(f"phases: {{build: {{commands: [{json.dumps('python -c ' + json.dumps(script))}]}}}}")
    workbench.project(spec, role=workbench.build_role())
    build = workbench.build()
    line = next(line for line in workbench.log(build).splitlines() if line.startswith("SEEN"))
    seen = json.loads(line.removeprefix("SEEN "))
    assert seen["arn"].startswith(f"arn:aws:sts::{workbench.account}:assumed-role/build/AWSCodeBuild-")
    assert seen["src"] == seen["cwd"]
    assert seen["home"].startswith(str(workbench.cloud.settings.builds_dir))
    assert seen["ministack"] == []
    assert seen["validation"] == "false", "who started the cloud has had the source validated: see tests/conftest.py"


def test_s3_source_at_a_version_with_a_buildspec_file(workbench: Workbench) -> None:
    s3, bucket = _bucket(workbench, "sources")
    versions = [
        s3.put_object(
            Bucket=bucket,
            Key="app.zip",
            Body=zipped(
                {
                    "buildspec.yml": _spec("phases: {build: {commands: ['cat content.txt']}}"),
                    "content.txt": text,
                }
            ),
        )["VersionId"]
        for text in ("first content\n", "second content\n")
    ]
    role = workbench.build_role(allow("s3:GetObject", "s3:GetObjectVersion", resource=f"arn:aws:s3:::{bucket}/*"))
    workbench.project(None, role=role, source={"type": "S3", "location": f"{bucket}/app.zip"})
    old, new = workbench.build(sourceVersion=versions[0]), workbench.build()
    assert "first content" in workbench.log(old)
    assert "second content" in workbench.log(new)
    assert [old["resolvedSourceVersion"], new["resolvedSourceVersion"]] == versions


def test_secondary_source_and_overridden_source(workbench: Workbench) -> None:
    s3, bucket = _bucket(workbench, "sources")
    for name in ("main", "extra"):
        s3.put_object(Bucket=bucket, Key=f"{name}.zip", Body=zipped({"name.txt": f"this is {name}\n"}))
    spec = _spec("phases: {build: {commands: ['cat name.txt', 'cat $CODEBUILD_SRC_DIR_more/name.txt']}}")
    role = workbench.build_role(allow("s3:GetObject", resource=f"arn:aws:s3:::{bucket}/*"))
    workbench.project(
        spec,
        role=role,
        secondarySources=[{"type": "S3", "location": f"{bucket}/extra.zip", "sourceIdentifier": "more"}],
    )
    build = workbench.build(sourceTypeOverride="S3", sourceLocationOverride=f"{bucket}/main.zip")
    assert "this is main" in workbench.log(build)
    assert "this is extra" in workbench.log(build)


def test_a_role_without_access_to_the_source_fails_in_download_source(workbench: Workbench) -> None:
    s3, bucket = _bucket(workbench, "sources")
    s3.put_object(Bucket=bucket, Key="app.zip", Body=zipped({"a": "b"}))
    workbench.project(None, role=workbench.build_role(), source={"type": "S3", "location": f"{bucket}/app.zip"})
    build = workbench.build()
    assert build["buildStatus"] == "FAILED"
    assert "AccessDenied" in phase(build, "DOWNLOAD_SOURCE")["contexts"][0]["message"]


def test_parameters_and_secrets_become_variables_and_secrets_are_masked(workbench: Workbench) -> None:
    workbench.client("ssm").put_parameter(Name="/app/level", Value="parameter-value", Type="SecureString")
    secrets = workbench.client("secretsmanager")
    arn = secrets.create_secret(Name="app", SecretString=json.dumps({"token": "hidden-value"}))["ARN"]
    spec = _spec("""
env:
  parameter-store: {LEVEL: /app/level}
  secrets-manager: {TOKEN: "app:token"}
phases:
  build:
    commands:
      - echo "$LEVEL/$TOKEN/$WHOLE"
      - test "$TOKEN" = hidden-value
""")
    role = workbench.build_role(allow("ssm:GetParameters", "secretsmanager:GetSecretValue", "kms:Decrypt"))
    variables = [{"name": "WHOLE", "value": f"{arn}:token", "type": "SECRETS_MANAGER"}]
    workbench.project(spec, role=role, environment={"environmentVariables": variables})
    build = workbench.build()
    assert build["buildStatus"] == "SUCCEEDED"
    assert "parameter-value/***/***" in workbench.log(build)


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ({"type": "PARAMETER_STORE", "value": "/missing"}, "parameter does not exist: /missing"),
        ({"type": "SECRETS_MANAGER", "value": "missing"}, "Secrets Manager Error Message"),
    ],
)
def test_a_missing_parameter_or_secret_fails_before_any_command(
    workbench: Workbench, variable: dict[str, str], message: str
) -> None:
    role = workbench.build_role(allow("ssm:GetParameters", "secretsmanager:GetSecretValue"))
    workbench.project(
        _spec("phases: {build: {commands: [echo ran]}}"),
        role=role,
        environment={"environmentVariables": [{"name": "X", **variable}]},
    )
    build = workbench.build()
    assert build["buildStatus"] == "FAILED"
    assert message in phase(build, "DOWNLOAD_SOURCE")["contexts"][0]["message"]
    assert phase(build, "INSTALL") == {}


def test_artifacts_go_to_s3_as_zip_and_as_files(workbench: Workbench) -> None:
    s3, bucket = _bucket(workbench, "artifacts")
    spec = _spec("""
phases: {build: {commands: ['mkdir -p out/deep', 'echo a > out/a.txt', 'echo b > out/deep/b.txt', 'echo c > c.map']}}
artifacts:
  base-directory: out
  files: ['**/*']
  name: release-$CODEBUILD_BUILD_NUMBER.zip
  secondary-artifacts:
    maps: {files: ['*.map']}
""")
    role = workbench.build_role(allow("s3:PutObject", resource=f"arn:aws:s3:::{bucket}/*"))
    workbench.project(
        spec,
        role=role,
        artifacts={
            "type": "S3",
            "location": bucket,
            "path": "releases",
            "packaging": "ZIP",
            "overrideArtifactName": True,
        },
        secondaryArtifacts=[{"type": "S3", "location": bucket, "name": "maps", "artifactIdentifier": "maps"}],
    )
    build = workbench.build()
    assert build["artifacts"]["location"] == f"arn:aws:s3:::{bucket}/releases/release-1.zip"
    content = s3.get_object(Bucket=bucket, Key="releases/release-1.zip")["Body"].read()
    assert sorted(zipfile.ZipFile(io.BytesIO(content)).namelist()) == ["a.txt", "deep/b.txt"]
    assert s3.get_object(Bucket=bucket, Key="maps/c.map")["Body"].read() == b"c\n"


def test_state_changes_are_events(workbench: Workbench) -> None:
    queue = workbench.client("sqs").create_queue(QueueName="builds")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{workbench.account}:builds"
    events = workbench.client("events")
    events.put_rule(
        Name="builds",
        EventPattern=json.dumps({"source": ["aws.codebuild"], "detail-type": ["CodeBuild Build State Change"]}),
    )
    events.put_targets(Rule="builds", Targets=[{"Id": "queue", "Arn": arn}])
    workbench.project(_spec("phases: {build: {commands: ['true']}}"), role=workbench.build_role())
    build = workbench.build()
    received: list[dict[str, Any]] = []

    def both() -> bool:
        answer = workbench.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        received.extend(json.loads(message["Body"])["detail"] for message in answer.get("Messages", ()))
        return len(received) == 2

    wait_until(both, what="two events")
    assert {detail["build-status"] for detail in received} == {"IN_PROGRESS", "SUCCEEDED"}
    assert {detail["build-id"] for detail in received} == {build["arn"]}
    assert received[0]["additional-information"]["build-number"] == 1
