"""Repositories with gates: each push of a branch is scanned, with what it comes from, and nobody runs any of it."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from lambdas.common.evidence.kept_report import KeptReport
from lambdas.common.evidence.verdict import VERDICTS, Outcome, Verdict
from lambdas.gates.model.gate import EXPORTED
from local_cloud.cloud import LocalCloud
from local_cloud.factory.granary import HOME, NAMES, REGIONS, TOOLCHAIN, Granary, wait_until, workspace_folder
from local_cloud.factory.inbox import Inbox, listen_to_bus
from local_cloud.factory.workspace import OVERLAY, Workspace
from tests.local.codecommit_support import Clone
from tests.local.saas.factory import PATIENCE_SECONDS
from tests.local.saas.permissions import acting_as

REPORTS, PROJECT = NAMES.reports_bucket(TOOLCHAIN, HOME), "granary-gates-payments"
RELEASES = NAMES.releases_bucket(TOOLCHAIN, HOME)
_GATES = {
    "gates": [{"name": "secrets", "scanner": "kingfisher", "scans": "source", "fail_at": "high"}],
    "repositories": [
        {
            "name": "payments",
            "source": {"provider": "codecommit", "repository": "Payments"},
            "branches": ["main", "feature/*"],
            "gates": ["secrets"],
        }
    ],
}


@dataclass(frozen=True, kw_only=True)
class Gated:
    """A repository with gates, and a working copy of it."""

    granary: Granary
    bus: Inbox
    clone: Clone

    def push(self, branch: str) -> str:
        """Push what the working copy has checked out; answers the commit."""
        pushed = self.clone.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        assert pushed.returncode == 0, pushed.stderr
        return self.clone.git("rev-parse", "HEAD").stdout.strip()

    def builds(self) -> list[dict[str, Any]]:
        """All builds of the repository's project."""
        client = self.granary.client("codebuild")
        ids = client.list_builds_for_project(projectName=PROJECT)["ids"]
        return list(client.batch_get_builds(ids=ids)["builds"]) if ids else []

    def build(self, commit: str) -> dict[str, Any]:
        """The build that a push has started, when it has ended."""

        def ended() -> dict[str, Any] | None:
            found = [one for one in self.builds() if one["buildComplete"] and commit in commits_of(one)]
            return found[0] if found else None

        return wait_until(ended, seconds=PATIENCE_SECONDS, what=f"the build of {commit}")

    def log(self, build: dict[str, Any]) -> str:
        """What a build has said."""
        where = build["logs"]
        events = self.granary.client("logs").get_log_events(
            logGroupName=where["groupName"], logStreamName=where["streamName"]
        )["events"]
        return "\n".join(event["message"] for event in events)

    def verdict(self, commit: str) -> Verdict:
        """What the gate has said of a commit."""
        s3 = self.granary.client("s3")
        found = s3.list_objects_v2(Bucket=REPORTS, Prefix=f"{VERDICTS}payments/{commit}/payments-secrets/")
        (key,) = [one["Key"] for one in found.get("Contents", [])]
        return Verdict.from_json(s3.get_object(Bucket=REPORTS, Key=key)["Body"].read().decode())

    def stopped(self, commit: str) -> dict[str, Any]:
        """What the bus says of a commit that the gate has stopped."""

        def told() -> dict[str, Any] | None:
            details = [one["detail"] for one in self.bus.messages() if one["detail-type"] == "Gate stopped a commit"]
            return next((detail for detail in details if detail["revision"] == commit), None)

        return wait_until(told, seconds=PATIENCE_SECONDS, what=f"the gate to stop {commit}")


def commits_of(build: dict[str, Any]) -> list[str]:
    """The commits that a build was started with."""
    return [one["sourceVersion"] for one in build["secondarySourceVersions"]]


def exported(build: dict[str, Any]) -> list[str]:
    """What a build exports of its gates."""
    found = {one["name"]: one["value"] for one in build["exportedEnvironmentVariables"]}
    return [found[name] for name in EXPORTED]


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    """The toolchain and its room, deployed from a shell; nothing is released, nobody served."""
    with LocalCloud.start(tmp_path_factory.mktemp("repositories")) as cloud:
        workspace = Workspace.create(workspace_folder(cloud), overlay={**OVERLAY, "gates": _GATES}, whole=False)
        granary = Granary(cloud, workspace)
        repository = granary.client("codecommit").create_repository(repositoryName="Payments")["repositoryMetadata"]
        cloud.bootstrap(TOOLCHAIN, *REGIONS)
        granary.deploy()
        rooms = ["deploy", "granary-rooms/*", "--require-approval", "never", "--progress", "events"]
        cloud.cdk(rooms, account=TOOLCHAIN, region=HOME, cwd=workspace.root, extra_env={"CDK_VALIDATION": "false"})
        folder = tmp_path_factory.mktemp("payments")
        clone = Clone(folder=folder, variables=cloud.env(TOOLCHAIN, HOME))
        for words in (("init", "--quiet", "-b", "main"), ("remote", "add", "origin", repository["cloneUrlHttp"])):
            assert clone.git(*words).returncode == 0
        clone.commit("README.md", "Payments\n")
        yield Gated(granary=granary, bus=listen_to_bus(granary), clone=clone)


def generated() -> tuple[str, str]:
    """A key of AWS's form, which is nobody's."""
    key = "AKIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
    return key, "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))


def _leak(clone: Clone, name: str) -> tuple[str, str]:
    key, secret = generated()
    clone.commit(name, f'aws_access_key_id = "{key}"\naws_secret_access_key = "{secret}"\n')
    return key, secret


@pytest.fixture(scope="module")
def unmatched(gated: Gated) -> str:
    """The first push: of a branch that no pattern matches."""
    return gated.push("docs/typo")


@pytest.fixture(scope="module")
def leaked(gated: Gated, unmatched: str) -> tuple[str, tuple[str, str]]:
    """A branch with a secret; answers its commit and the secret."""
    assert gated.clone.git("checkout", "--quiet", "-b", "feature/keys").returncode == 0
    secret = _leak(gated.clone, "leak.py")
    return gated.push("feature/keys"), secret


def test_a_secret_in_a_branch_stops_the_commit_and_says_why(gated: Gated, leaked: tuple[str, tuple[str, str]]) -> None:
    commit, secret = leaked
    detail = gated.stopped(commit)
    assert (detail["gate"], detail["outcome"]) == ("payments-secrets", "FAIL")
    assert (detail["repository"], detail["branch"]) == ("payments", "feature/keys")
    assert "leak.py:1" in detail["reason"]
    build = gated.build(commit)
    assert build["buildStatus"] == "FAILED"
    found, link = str(len(detail["findings"])), gated.verdict(commit).predicate.link
    assert exported(build) == ["FAIL", found, link], "although it fails"
    told = f"{detail}{gated.log(build)}{gated.verdict(commit)}"
    assert [word for word in secret if word in told] == []


def test_the_other_branch_passes(gated: Gated, leaked: tuple[str, tuple[str, str]]) -> None:
    """Given a repository whose other branch has a secret, then a clean commit has a verdict about itself."""
    assert gated.clone.git("checkout", "--quiet", "main").returncode == 0
    commit = gated.clone.commit("pay.py", "print('paid')\n")
    gated.push("main")
    build = gated.build(commit)
    assert build["buildStatus"] == "SUCCEEDED", gated.log(build)
    verdict = gated.verdict(commit)
    assert verdict.subject[0].name == f"payments@{commit}"
    assert verdict.predicate.outcome is Outcome.PASS
    assert exported(build) == ["PASS", "0", verdict.predicate.link]
    assert quote(build["id"], safe="") in verdict.predicate.link
    body = gated.granary.client("s3").get_object(Bucket=REPORTS, Key=verdict.predicate.report)["Body"].read()
    head = KeptReport(body).head
    assert (head.target, head.gate, head.revision) == ("payments/main", "payments-secrets", commit)


def test_a_secret_that_was_removed_again_is_found(gated: Gated, leaked: tuple[str, tuple[str, str]]) -> None:
    clone = gated.clone
    assert clone.git("checkout", "--quiet", "main").returncode == 0
    _leak(clone, "old.py")
    for words in (("rm", "--quiet", "old.py"), ("commit", "--quiet", "--message", "Never mind")):
        assert clone.git(*words).returncode == 0
    assert not (Path(clone.folder) / "old.py").exists()
    commit = gated.push("main")
    assert "old.py:1" in gated.stopped(commit)["reason"]
    assert gated.build(commit)["buildStatus"] == "FAILED"


def test_only_branches_that_match_are_scanned(gated: Gated, unmatched: str, leaked: tuple[str, Any]) -> None:
    gated.build(leaked[0])
    assert unmatched not in [commit for build in gated.builds() for commit in commits_of(build)]


def test_who_has_the_credentials_of_its_builds_speaks_about_this_repository_alone(
    gated: Gated, leaked: tuple[str, Any]
) -> None:
    """Given a commit that the gate has stopped, then its verdict stays, and nothing else of the factory is reached."""
    commit = leaked[0]
    gated.build(commit)
    stands = gated.granary.client("s3").list_objects_v2(Bucket=REPORTS, Prefix=f"{VERDICTS}payments/{commit}/")
    (kept,) = [one["Key"] for one in stands["Contents"]]
    client = acting_as(gated.granary, "RepositorypaymentsRole")
    put, bus = client("s3").put_object, {"EventBusName": NAMES.event_bus, "Source": NAMES.prefix, "Detail": "{}"}
    attacks: list[Callable[[], Any]] = [
        lambda: put(Bucket=REPORTS, Key=kept, Body=b"PASS"),
        lambda: put(Bucket=RELEASES, Key=f"{VERDICTS}{commit}/secrets/1.json", Body=b"PASS", IfNoneMatch="*"),
        lambda: put(Bucket=REPORTS, Key=f"{VERDICTS}orders/{commit}/orders-secrets/1.json", Body=b"", IfNoneMatch="*"),
        lambda: put(Bucket=REPORTS, Key="findings/source/secrets/1.jsonl.gz", Body=b""),
        lambda: client("s3").get_object(Bucket=REPORTS, Key=kept),
        lambda: client("codecommit").get_repository(repositoryName="Payments"),
        lambda: client("secretsmanager").get_secret_value(SecretId="granary/snyk"),
        lambda: client("events").put_events(Entries=[{**bus, "DetailType": "Deployment Failed"}]),
        lambda: client("codebuild").start_build(projectName=PROJECT),
    ]
    for attack in attacks:
        with pytest.raises(ClientError, match="AccessDenied"):
            attack()
    with pytest.raises(ClientError, match="PreconditionFailed"):
        put(Bucket=REPORTS, Key=kept, Body=b"PASS", IfNoneMatch="*")
    assert gated.verdict(commit).predicate.outcome is Outcome.FAIL


def test_who_starts_its_builds_chooses_nothing_that_runs(gated: Gated, leaked: tuple[str, Any]) -> None:
    gated.build(leaked[0])
    codebuild = acting_as(gated.granary, "RepositorypaymentsEventRole")("codebuild")
    for overrides in (
        {"buildspecOverride": "version: 0.2\nphases: {build: {commands: [env]}}"},
        {"environmentVariablesOverride": [{"name": "GATED_REPOSITORY", "value": "orders"}]},
        {"environmentVariablesOverride": [{"name": "PYTHONPATH", "value": "mine"}]},
    ):
        with pytest.raises(ClientError, match=r"AccessDenied.*codebuild:StartBuild"):
            codebuild.start_build(projectName=PROJECT, **overrides)
