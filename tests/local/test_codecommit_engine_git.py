"""git over HTTPS against the local CodeCommit: the real git command with the AWS CLI's credential helper."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.local.codecommit_support import Ear, checked_client, clone_of
from tests.local.local_cloud_fixtures import REGION, Workbench, allow


@pytest.fixture
def url(workbench: Workbench) -> str:
    """Where git finds the empty repository `shop`."""
    created = checked_client(workbench).create_repository(repositoryName="shop")
    return str(created["repositoryMetadata"]["cloneUrlHttp"])


def _role(workbench: Workbench, *statements: dict[str, Any]) -> dict[str, str]:
    return workbench.assume(workbench.role("dev", principal={"AWS": workbench.account}, statements=statements))


def _arn(workbench: Workbench) -> str:
    return f"arn:aws:codecommit:{REGION}:{workbench.account}:shop"


def test_push_fetch_and_events(workbench: Workbench, url: str, tmp_path: Path) -> None:
    ear = Ear.of(workbench)
    clone = clone_of(workbench, url, tmp_path / "a")
    first = clone.commit("a", "1\n")
    clone.git("tag", "v1")
    pushed = clone.git("push", "origin", "main", "v1")
    assert pushed.returncode == 0, pushed.stderr
    codecommit = checked_client(workbench)
    assert codecommit.get_repository(repositoryName="shop")["repositoryMetadata"]["defaultBranch"] == "main"
    assert codecommit.get_file(repositoryName="shop", commitSpecifier="v1", filePath="a")["fileContent"] == b"1\n"
    told = {one["detail"]["referenceFullName"]: one["detail"] for one in ear.hears(2)}
    assert told["refs/heads/main"]["event"] == told["refs/tags/v1"]["event"] == "referenceCreated"
    assert (told["refs/heads/main"]["commitId"], told["refs/tags/v1"]["referenceType"]) == (first, "tag")
    assert told["refs/heads/main"]["callerUserArn"] == f"arn:aws:iam::{workbench.account}:root"

    through_api = codecommit.put_file(
        repositoryName="shop", branchName="main", filePath="a", fileContent=b"2\n", parentCommitId=first
    )["commitId"]
    refused = clone.git("push", "--force-with-lease=main:" + first, "origin", f"{first}:main")
    assert refused.returncode != 0, "somebody else has moved the branch"
    assert clone.git("pull", "--quiet", "origin", "main").returncode == 0
    assert clone.git("rev-parse", "HEAD").stdout.strip() == through_api
    (updated,) = ear.hears(1)
    assert (updated["detail"]["event"], updated["detail"]["oldCommitId"]) == ("referenceUpdated", first)

    assert clone.git("push", "origin", "main:side").returncode == 0
    assert clone.git("push", "origin", ":side").returncode == 0
    assert sorted(one["detail"]["event"] for one in ear.hears(2)) == ["referenceCreated", "referenceDeleted"]
    assert clone.git("push", "origin", ":main").returncode != 0, "the default branch stays"


def test_a_session_may_read_and_write_only_what_its_role_may(workbench: Workbench, url: str, tmp_path: Path) -> None:
    root = clone_of(workbench, url, tmp_path / "root")
    root.commit("a", "1")
    assert root.git("push", "origin", "main").returncode == 0
    reader = _role(workbench, allow("codecommit:GitPull", resource=_arn(workbench)))
    clone = clone_of(workbench, url, tmp_path / "reader", reader)
    pulled = clone.git("pull", "origin", "main")
    assert pulled.returncode == 0, pulled.stderr
    clone.commit("b", "2")
    pushed = clone.git("push", "origin", "main")
    assert pushed.returncode != 0
    assert "403" in pushed.stderr
    checked_client(workbench).create_repository(repositoryName="other")
    clone.git("remote", "set-url", "origin", url.replace("shop", "other"))
    assert "403" in clone.git("fetch", "origin").stderr


def test_a_branch_can_be_closed(workbench: Workbench, url: str, tmp_path: Path) -> None:
    """As AWS's own example protects one: pushes to it are denied, others are not."""
    condition = {
        "StringEqualsIfExists": {"codecommit:References": ["refs/heads/main"]},
        "Null": {"codecommit:References": "false"},
    }
    closed = {**allow("codecommit:GitPush", resource=_arn(workbench), **condition), "Effect": "Deny"}
    developer = _role(workbench, allow("codecommit:Git*", resource=_arn(workbench)), closed)
    clone = clone_of(workbench, url, tmp_path / "a", developer)
    # More than git sends in one piece: it then asks with an empty push first, which is about no branch.
    clone.commit("a", secrets.token_hex(1_500_000))
    open_branch = clone.git("push", "origin", "main:side")
    assert open_branch.returncode == 0, open_branch.stderr
    assert clone.git("push", "origin", "main").returncode != 0
    assert clone.git("push", "origin", "main:third", "main").returncode != 0, "one closed branch closes the push"
    assert checked_client(workbench).list_branches(repositoryName="shop")["branches"] == ["side"]


@pytest.mark.parametrize(
    ("wrong", "said"), [("secret", "403"), ("session", "403"), ("account", "not found"), ("region", "not found")]
)
def test_who_is_not_who_he_says_is_refused(
    workbench: Workbench, url: str, tmp_path: Path, wrong: str, said: str
) -> None:
    credentials = _role(workbench, allow("codecommit:Git*"))
    if wrong == "secret":
        credentials["SecretAccessKey"] += "x"
    if wrong == "session":
        credentials["SessionToken"] += "x"
    if wrong == "account":
        credentials = _role(replace(workbench, account="499999999998"), allow("codecommit:Git*"))
    region = "us-west-2" if wrong == "region" else REGION
    clone = clone_of(workbench, url, tmp_path / "a", credentials, region=region)
    refused = clone.git("ls-remote", "origin")
    assert refused.returncode != 0
    assert said in refused.stderr


def test_without_credentials_nothing_is_served(workbench: Workbench, url: str, tmp_path: Path) -> None:
    clone = clone_of(workbench, url, tmp_path / "a")
    asked = clone.git("-c", "credential.helper=", "ls-remote", "origin")
    assert "could not read Username" in asked.stderr
