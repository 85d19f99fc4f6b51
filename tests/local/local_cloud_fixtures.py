"""Fixtures and helpers of tests that run against a local cloud."""

from __future__ import annotations

import io
import itertools
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from local_cloud.cloud import LocalCloud
from local_cloud.factory.granary import PATIENCE

REGION = "eu-west-1"
_WAIT_SECONDS = 60.0

_accounts = itertools.count(500000000001)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One local cloud for the whole session; tests keep apart by account."""
    with LocalCloud.start(tmp_path_factory.mktemp("local-cloud")) as running:
        yield running


@pytest.fixture
def workbench(cloud: LocalCloud) -> Workbench:
    """An AWS account that no other test uses."""
    return Workbench(cloud=cloud, account=str(next(_accounts)))


@pytest.fixture
def no_faults(cloud: LocalCloud) -> Iterator[None]:
    """The fault board is empty before and after the test."""
    cloud.faults.clear()
    yield
    cloud.faults.clear()


def wait_until(condition: Callable[[], Any], *, what: str, seconds: float = _WAIT_SECONDS) -> Any:
    """The condition's first true value; fails the test, naming what it waited for, when the deadline passes."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail(f"{what} did not happen within {seconds:g} s")


def zipped(files: Mapping[str, str]) -> bytes:
    """A zip file of these texts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def allow(*actions: str, resource: str | Sequence[str] = "*", **condition: Any) -> dict[str, Any]:
    """An Allow statement."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """One account of the local cloud, with what tests need again and again."""

    cloud: LocalCloud
    account: str
    region: str = REGION

    def client(self, service: str, credentials: Mapping[str, str] | None = None) -> Any:
        """A client as the account's root, or with these credentials."""
        return self.cloud.client(service, self.account, self.region, credentials)

    def role(
        self,
        name: str,
        *,
        principal: Mapping[str, str],
        statements: Sequence[Mapping[str, Any]] = (),
        condition: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        path: str = "/",
    ) -> str:
        """Create a role with one inline policy; its ARN."""
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [trust | ({"Condition": condition} if condition else {})]}
        tag_list = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
        given = {"RoleName": name, "Path": path, "AssumeRolePolicyDocument": json.dumps(document)}
        arn = iam.create_role(**given, Tags=tag_list)["Role"]["Arn"]
        if statements:
            policy = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(policy))
        return str(arn)

    def assume(self, role_arn: str, credentials: Mapping[str, str] | None = None) -> dict[str, str]:
        """Temporary credentials of a role that trusts the account (or whoever has `credentials`)."""
        answer = self.client("sts", credentials).assume_role(RoleArn=role_arn, RoleSessionName="test")
        return dict(answer["Credentials"])

    def build_role(self, *statements: Mapping[str, Any], name: str = "build", **options: Any) -> str:
        """A role that CodeBuild can use, with permissions for its log and the given ones."""
        logs = allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
        return self.role(
            name, principal={"Service": "codebuild.amazonaws.com"}, statements=[logs, *statements], **options
        )

    def project(self, buildspec: str | None, *, role: str, name: str = "project", **settings: Any) -> str:
        """Create a CodeBuild project; without settings it has an inline buildspec, no source and no artifacts."""
        source = settings.pop("source", {"type": "NO_SOURCE"})
        if buildspec is not None:
            source = {**source, "buildspec": buildspec}
        environment = {
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
            **settings.pop("environment", {}),
        }
        self.client("codebuild").create_project(
            name=name,
            source=source,
            artifacts=settings.pop("artifacts", {"type": "NO_ARTIFACTS"}),
            environment=environment,
            serviceRole=role,
            **settings,
        )
        return name

    def start(self, project: str = "project", **options: Any) -> str:
        """Start a build; its id."""
        return str(self.client("codebuild").start_build(projectName=project, **options)["build"]["id"])

    def finished(self, build_id: str) -> dict[str, Any]:
        """The build's record once it is complete."""
        codebuild = self.client("codebuild")

        def complete() -> dict[str, Any] | None:
            build: dict[str, Any] = codebuild.batch_get_builds(ids=[build_id])["builds"][0]
            return build if build["buildComplete"] else None

        build: dict[str, Any] = wait_until(complete, what=f"the end of build {build_id}")
        return build

    def build(self, project: str = "project", **options: Any) -> dict[str, Any]:
        """Start a build and wait for its end."""
        return self.finished(self.start(project, **options))

    def log(self, build: Mapping[str, Any]) -> str:
        """The build's log as CloudWatch Logs has it."""
        events = self.client("logs").get_log_events(
            logGroupName=build["logs"]["groupName"], logStreamName=build["logs"]["streamName"]
        )["events"]
        return "\n".join(event["message"] for event in events)


def phase(build: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One phase of a build's record; empty when the build never entered it."""
    return next((dict(item) for item in build["phases"] if item["phaseType"] == name), {})
