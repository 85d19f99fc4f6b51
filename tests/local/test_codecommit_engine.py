"""The CodeCommit API: repositories, branches, files, commits, merges, errors by their names."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.codecommit_support import Ear, checked_client
from tests.local.local_cloud_fixtures import REGION, Workbench, allow

_UNKNOWN = "0123456789" * 4


@pytest.fixture
def codecommit(workbench: Workbench) -> Any:
    """The account's client, with an empty repository `shop`."""
    client = checked_client(workbench)
    client.create_repository(repositoryName="shop", repositoryDescription="what we sell", tags={"team": "a"})
    return client


def put(codecommit: Any, path: str, text: str, **more: Any) -> str:
    """Commit a file to `main` of `shop`; the commit's id."""
    given = {"repositoryName": "shop", "branchName": "main", "filePath": path, "fileContent": text.encode(), **more}
    return str(codecommit.put_file(**given)["commitId"])


def test_repositories(workbench: Workbench, codecommit: Any) -> None:
    found = codecommit.get_repository(repositoryName="shop")["repositoryMetadata"]
    assert found["Arn"] == f"arn:aws:codecommit:{REGION}:{workbench.account}:shop"
    assert found["cloneUrlHttp"] == f"{workbench.cloud.endpoint}/v1/repos/shop"
    assert (found["repositoryDescription"], "defaultBranch" in found) == ("what we sell", False)
    codecommit.create_repository(repositoryName="api")
    names = [item["repositoryName"] for item in codecommit.list_repositories()["repositories"]]
    assert names == ["api", "shop"]
    newest = codecommit.list_repositories(sortBy="lastModifiedDate", order="descending")["repositories"]
    assert newest[0]["repositoryName"] == "api"
    several = codecommit.batch_get_repositories(repositoryNames=["shop", "none"])
    assert [item["repositoryName"] for item in several["repositories"]] == ["shop"]
    assert several["repositoriesNotFound"] == ["none"]
    assert codecommit.delete_repository(repositoryName="shop")["repositoryId"] == found["repositoryId"]
    assert "repositoryId" not in codecommit.delete_repository(repositoryName="shop"), "there is none any more"
    with pytest.raises(codecommit.exceptions.RepositoryDoesNotExistException):
        codecommit.get_repository(repositoryName="shop")


def test_tags(codecommit: Any) -> None:
    arn = codecommit.get_repository(repositoryName="shop")["repositoryMetadata"]["Arn"]
    codecommit.tag_resource(resourceArn=arn, tags={"stage": "one"})
    codecommit.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert codecommit.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "one"}
    with pytest.raises(codecommit.exceptions.InvalidResourceArnException):
        codecommit.list_tags_for_resource(resourceArn=arn.replace(REGION, "us-east-1"))


def test_a_file_through_its_life(codecommit: Any) -> None:
    first = put(codecommit, "docs/a.txt", "one\n", name="Ann", email="ann@example.com", commitMessage="Begin")
    assert codecommit.get_repository(repositoryName="shop")["repositoryMetadata"]["defaultBranch"] == "main"
    second = put(codecommit, "docs/a.txt", "two\n", parentCommitId=first, fileMode="EXECUTABLE")
    old = codecommit.get_file(repositoryName="shop", commitSpecifier=first, filePath="docs/a.txt")
    new = codecommit.get_file(repositoryName="shop", filePath="/docs/a.txt")
    assert (old["fileContent"], old["fileMode"]) == (b"one\n", "NORMAL")
    assert (new["fileContent"], new["fileMode"], new["fileSize"]) == (b"two\n", "EXECUTABLE", 4)
    assert codecommit.get_blob(repositoryName="shop", blobId=old["blobId"])["content"] == b"one\n"
    commit = codecommit.get_commit(repositoryName="shop", commitId=second)["commit"]
    assert commit["parents"] == [first]
    begun = codecommit.get_commit(repositoryName="shop", commitId=first)["commit"]
    assert (begun["author"]["name"], begun["author"]["email"], begun["message"]) == ("Ann", "ann@example.com", "Begin")
    gone = codecommit.delete_file(
        repositoryName="shop", branchName="main", filePath="docs/a.txt", parentCommitId=second, keepEmptyFolders=True
    )
    assert gone["blobId"] == new["blobId"]
    folder = codecommit.get_folder(repositoryName="shop", folderPath="docs")
    assert [item["absolutePath"] for item in folder["files"]] == ["docs/.gitkeep"]


def test_a_commit_of_many_changes_and_its_differences(codecommit: Any) -> None:
    start = {"repositoryName": "shop", "branchName": "main"}
    files = [{"filePath": name, "fileContent": name.encode()} for name in ("a", "b", "src/c")]
    first = codecommit.create_commit(**start, putFiles=files)
    assert [item["absolutePath"] for item in first["filesAdded"]] == ["a", "b", "src/c"]
    second = codecommit.create_commit(
        **start,
        parentCommitId=first["commitId"],
        putFiles=[{"filePath": "src/d", "sourceFile": {"filePath": "a", "isMove": True}}],
        deleteFiles=[{"filePath": "b"}],
        setFileModes=[{"filePath": "src/c", "fileMode": "EXECUTABLE"}],
    )
    assert [item["absolutePath"] for item in second["filesDeleted"]] == ["a", "b"]
    specifiers = {"beforeCommitSpecifier": first["commitId"], "afterCommitSpecifier": "main"}
    page = codecommit.get_differences(repositoryName="shop", **specifiers, MaxResults=3)
    rest = codecommit.get_differences(repositoryName="shop", **specifiers, NextToken=page["NextToken"])
    assert [item["changeType"] for item in page["differences"]] == ["D", "D", "M"]
    assert [item["afterBlob"]["path"] for item in rest["differences"]] == ["src/d"]
    assert "NextToken" not in rest
    within = codecommit.get_differences(repositoryName="shop", **specifiers, beforePath="src", afterPath="src")
    assert [item["changeType"] for item in within["differences"]] == ["M", "A"]
    root = codecommit.get_folder(repositoryName="shop", folderPath="/")
    assert [item["relativePath"] for item in root["subFolders"]] == ["src"]


def test_branches_and_fast_forward(workbench: Workbench, codecommit: Any) -> None:
    first = put(codecommit, "a", "1")
    ear = Ear.of(workbench)
    codecommit.create_branch(repositoryName="shop", branchName="feature/x", commitId=first)
    second = put(codecommit, "a", "2", branchName="feature/x", parentCommitId=first)
    merged = codecommit.merge_branches_by_fast_forward(
        repositoryName="shop", sourceCommitSpecifier="feature/x", destinationCommitSpecifier="main"
    )
    assert merged["commitId"] == second
    assert codecommit.get_branch(repositoryName="shop", branchName="main")["branch"]["commitId"] == second
    with pytest.raises(codecommit.exceptions.DefaultBranchCannotBeDeletedException):
        codecommit.delete_branch(repositoryName="shop", branchName="main")
    deleted = codecommit.delete_branch(repositoryName="shop", branchName="feature/x")["deletedBranch"]
    assert deleted == {"branchName": "feature/x", "commitId": second}
    assert codecommit.list_branches(repositoryName="shop")["branches"] == ["main"]
    told = {(one["detail"]["event"], one["detail"]["referenceFullName"]): one for one in ear.hears(4)}
    created, updated = told["referenceCreated", "refs/heads/feature/x"], told["referenceUpdated", "refs/heads/main"]
    assert created["resources"] == [f"arn:aws:codecommit:{REGION}:{workbench.account}:shop"]
    assert (created["detail"]["referenceName"], created["detail"]["commitId"]) == ("feature/x", first)
    assert updated["detail"]["mergeOption"] == "FAST_FORWARD_MERGE"
    assert (updated["detail"]["oldCommitId"], updated["detail"]["commitId"]) == (first, second)
    gone = told["referenceDeleted", "refs/heads/feature/x"]["detail"]
    assert (gone["oldCommitId"], "commitId" in gone) == (second, False)


def test_what_does_not_follow_is_not_merged(codecommit: Any) -> None:
    first = put(codecommit, "a", "1")
    codecommit.create_branch(repositoryName="shop", branchName="side", commitId=first)
    put(codecommit, "a", "2", branchName="side", parentCommitId=first)
    put(codecommit, "a", "3", parentCommitId=first)
    with pytest.raises(codecommit.exceptions.ManualMergeRequiredException):
        codecommit.merge_branches_by_fast_forward(
            repositoryName="shop", sourceCommitSpecifier="side", destinationCommitSpecifier="main"
        )


def test_the_default_branch_is_what_nobody_names(codecommit: Any) -> None:
    first = put(codecommit, "a", "1")
    codecommit.create_branch(repositoryName="shop", branchName="next", commitId=first)
    put(codecommit, "a", "2", branchName="next", parentCommitId=first)
    codecommit.update_default_branch(repositoryName="shop", defaultBranchName="next")
    assert codecommit.get_file(repositoryName="shop", filePath="a")["fileContent"] == b"2"
    with pytest.raises(codecommit.exceptions.BranchDoesNotExistException):
        codecommit.update_default_branch(repositoryName="shop", defaultBranchName="none")


_FILE = {"filePath": "a", "fileContent": b"1"}
_REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("create_repository", "RepositoryNameExists", {}),
    ("create_repository", "InvalidRepositoryName", {"repositoryName": "shop/x"}),
    ("list_repositories", "InvalidContinuationToken", {"repositoryName": None, "nextToken": "x"}),
    ("list_repositories", "InvalidSortBy", {"repositoryName": None, "sortBy": "size"}),
    ("get_branch", "RepositoryNameRequired", {"repositoryName": None}),
    ("get_branch", "BranchDoesNotExist", {"branchName": "none"}),
    ("create_branch", "BranchNameExists", {"branchName": "main", "commitId": "{tip}"}),
    ("create_branch", "CommitDoesNotExist", {"branchName": "b", "commitId": _UNKNOWN}),
    ("create_branch", "InvalidBranchName", {"branchName": "a..b", "commitId": "{tip}"}),
    ("put_file", "ParentCommitIdRequired", {"branchName": "main", **_FILE}),
    ("put_file", "ParentCommitDoesNotExist", {"branchName": "main", **_FILE, "parentCommitId": _UNKNOWN}),
    ("put_file", "ParentCommitIdOutdated", {"branchName": "main", **_FILE, "parentCommitId": "{old}"}),
    ("put_file", "SameFileContent", {"branchName": "main", **_FILE, "parentCommitId": "{tip}"}),
    ("put_file", "BranchDoesNotExist", {"branchName": "none", **_FILE}),
    ("put_file", "InvalidFileMode", {"branchName": "main", **_FILE, "fileMode": "ODD", "parentCommitId": "{tip}"}),
    ("put_file", "InvalidPath", {"branchName": "main", **_FILE, "filePath": "../a", "parentCommitId": "{tip}"}),
    (
        "put_file",
        "FileNameConflictsWithDirectoryName",
        {"branchName": "main", **_FILE, "filePath": "src", "parentCommitId": "{tip}"},
    ),
    (
        "put_file",
        "DirectoryNameConflictsWithFileName",
        {"branchName": "main", **_FILE, "filePath": "a/b", "parentCommitId": "{tip}"},
    ),
    ("delete_file", "FileDoesNotExist", {"branchName": "main", "filePath": "none", "parentCommitId": "{tip}"}),
    ("create_commit", "FileEntryRequired", {"branchName": "main", "parentCommitId": "{tip}"}),
    ("create_commit", "NoChange", {"branchName": "main", "parentCommitId": "{tip}", "putFiles": [_FILE]}),
    ("create_commit", "SamePathRequest", {"branchName": "main", "parentCommitId": "{tip}", "putFiles": [_FILE, _FILE]}),
    ("get_file", "FileDoesNotExist", {"filePath": "none"}),
    ("get_file", "CommitDoesNotExist", {"filePath": "a", "commitSpecifier": "none"}),
    ("get_folder", "FolderDoesNotExist", {"folderPath": "a"}),
    ("get_commit", "CommitIdDoesNotExist", {"commitId": _UNKNOWN}),
    ("get_blob", "BlobIdDoesNotExist", {"blobId": "{tip}"}),
    ("get_differences", "PathDoesNotExist", {"afterCommitSpecifier": "main", "afterPath": "none"}),
    ("create_pull_request", "InvalidAction", {"repositoryName": None, "title": "t", "targets": []}),
]


def test_errors_have_their_names(codecommit: Any) -> None:
    old = put(codecommit, "a", "0")
    middle = put(codecommit, "src/b", "b", parentCommitId=old)
    tip = put(codecommit, "a", "1", parentCommitId=middle)
    for operation, error, given in _REFUSED:
        asked = {"repositoryName": "shop", **given}
        known = {"{tip}": tip, "{old}": old}
        asked = {name: known.get(str(value), value) for name, value in asked.items() if value is not None}
        with pytest.raises(ClientError) as caught:
            getattr(codecommit, operation)(**asked)
        assert caught.value.response["Error"]["Code"] in (f"{error}Exception", error), (operation, given)


def test_iam_decides_by_repository_and_by_branch(workbench: Workbench, codecommit: Any) -> None:
    first = put(codecommit, "a", "1")
    codecommit.create_branch(repositoryName="shop", branchName="side", commitId=first)
    arn = f"arn:aws:codecommit:{REGION}:{workbench.account}:shop"
    main_only = {"StringEqualsIfExists": {"codecommit:References": ["refs/heads/main"]}}
    role = workbench.role(
        "developer",
        principal={"AWS": workbench.account},
        statements=[
            allow("codecommit:GetFile", "codecommit:BatchGetRepositories", "codecommit:PutFile", resource=arn),
            {**allow("codecommit:PutFile", resource=arn, **main_only), "Effect": "Deny"},
        ],
    )
    developer = checked_client(workbench, workbench.assume(role))
    assert developer.get_file(repositoryName="shop", filePath="a")["fileContent"] == b"1"
    assert put(developer, "a", "2", branchName="side", parentCommitId=first)
    with pytest.raises(ClientError, match="AccessDenied"):
        put(developer, "a", "2", parentCommitId=first)
    with pytest.raises(ClientError, match="AccessDenied"):
        developer.get_file(repositoryName="other", filePath="a")
    assert developer.batch_get_repositories(repositoryNames=["shop"])["repositories"]
    with pytest.raises(ClientError, match="AccessDenied"):
        developer.batch_get_repositories(repositoryNames=["shop", "other"])
