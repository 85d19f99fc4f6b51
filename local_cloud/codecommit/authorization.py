"""What a CodeCommit request acts on, for IAM.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodecommit.html
"""

from __future__ import annotations

from typing import Any

from local_cloud.server.iam_gaps import Request

REFERENCES = "codecommit:References"
# Operations with the condition key, and the members that name the branch.
_CHANGE_REFERENCES = {
    "CreateBranch": ("branchName",),
    "CreateCommit": ("branchName",),
    "DeleteBranch": ("branchName",),
    "DeleteFile": ("branchName",),
    "MergeBranchesByFastForward": ("targetBranch", "destinationCommitSpecifier"),
    "PutFile": ("branchName",),
}


def resource_arn(request: Request) -> str:
    """The repository; `*` when the request is about none, and all repositories when it is about several."""
    if arn := request.body.get("resourceArn"):
        return str(arn)
    several = request.body.get("repositoryNames") or []
    name = request.body.get("repositoryName") or (several[0] if len(several) == 1 else "*" if several else None)
    return f"arn:aws:codecommit:{request.region}:{request.account}:{name}" if name else "*"


def context(request: Request) -> dict[str, Any]:
    """The branch that the request changes."""
    members = _CHANGE_REFERENCES.get(request.operation, ())
    branch = next((request.body[member] for member in members if request.body.get(member)), None)
    return {REFERENCES: f"refs/heads/{branch}"} if branch else {}
