"""Operations on branches: to make, to move by fast-forward, to delete. Merges that make commits are not here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_evaluator

from local_cloud.codecommit import store
from local_cloud.codecommit.api_repositories import page
from local_cloud.codecommit.events import changing
from local_cloud.codecommit.git import NOTHING, GitError
from local_cloud.codecommit.store import Repository
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
Answer = dict[str, Any]


def caller() -> str:
    """Who sent the request."""
    return str(iam_evaluator.caller_arn())


def resolve(repository: Repository, specifier: str | None) -> str:
    """The commit of a branch, a tag, HEAD (the default) or a full id."""
    git, wanted = repository.git, specifier or "HEAD"
    if git.is_type(wanted, "commit"):
        return wanted
    name = repository.default_branch if wanted == "HEAD" else wanted
    references = git.references()
    found = (references.get(full) for full in (f"{name}", f"refs/heads/{name}", f"refs/tags/{name}"))
    if commit := next(filter(None, found), None):
        return commit
    raise ServiceError("CommitDoesNotExistException", f"{wanted} is no branch, tag or commit of {repository.name}")


def branch_name(request: Request, member: str = "branchName") -> str:
    """The branch that a request names; raises ServiceError."""
    name = request.get(member)
    if not name:
        raise ServiceError("BranchNameRequiredException", "A branch name is required")
    return str(name)


def tip(repository: Repository, branch: str) -> str:
    """A branch's commit; raises ServiceError."""
    if commit := repository.git.branch(branch):
        return commit
    raise ServiceError("BranchDoesNotExistException", f"{repository.name} has no branch {branch}")


def _create(request: Request) -> Answer:
    repository, name, commit = store.find(request["repositoryName"]), branch_name(request), request["commitId"]
    if repository.git.branch(name):
        raise ServiceError("BranchNameExistsException", f"{repository.name} has a branch {name} already")
    if not repository.git.is_type(commit, "commit"):
        raise ServiceError("CommitDoesNotExistException", f"{commit} is no commit of {repository.name}")
    with changing(repository, caller=caller()):
        try:
            repository.git.set_reference(f"refs/heads/{name}", commit, old=NOTHING)
        except GitError as error:
            raise ServiceError("InvalidBranchNameException", f"{name}: {error}") from error
    return {}


def _get(request: Request) -> Answer:
    repository, name = store.find(request.get("repositoryName")), branch_name(request)
    return {"branch": {"branchName": name, "commitId": tip(repository, name)}}


def _list(request: Request) -> Answer:
    names = store.find(request["repositoryName"]).git.references()
    heads = [name.removeprefix("refs/heads/") for name in sorted(names) if name.startswith("refs/heads/")]
    return page(heads, request, key="branches")


def _delete(request: Request) -> Answer:
    repository, name = store.find(request["repositoryName"]), branch_name(request)
    if name == repository.default_branch:
        raise ServiceError("DefaultBranchCannotBeDeletedException", f"{name} is the default branch")
    with changing(repository, caller=caller()):
        commit = repository.git.branch(name)
        if commit is None:
            return {}
        repository.git.set_reference(f"refs/heads/{name}", NOTHING, old=commit)
    return {"deletedBranch": {"branchName": name, "commitId": commit}}


def _update_default(request: Request) -> Answer:
    repository, name = store.find(request["repositoryName"]), branch_name(request, "defaultBranchName")
    tip(repository, name)
    repository.set_default_branch(name)
    return {}


def _fast_forward(request: Request) -> Answer:
    repository = store.find(request["repositoryName"])
    git = repository.git
    target = str(request.get("targetBranch") or request["destinationCommitSpecifier"])
    source = resolve(repository, request["sourceCommitSpecifier"])
    destination = resolve(repository, request["destinationCommitSpecifier"])
    details = {"sourceCommitId": source, "destinationCommitId": destination, "mergeOption": "FAST_FORWARD_MERGE"}
    with changing(repository, caller=caller(), **details):
        if tip(repository, target) != destination:
            raise ServiceError("InvalidTargetBranchException", f"{destination} is not the tip of branch {target}")
        if not git.is_ancestor(destination, source):
            raise ServiceError("ManualMergeRequiredException", f"{source} does not follow {destination}")
        git.set_reference(f"refs/heads/{target}", source, old=destination)
    return {"commitId": source, "treeId": git.tree(source)}


OPERATIONS: Mapping[str, Operation] = {
    "CreateBranch": _create,
    "GetBranch": _get,
    "ListBranches": _list,
    "DeleteBranch": _delete,
    "UpdateDefaultBranch": _update_default,
    "MergeBranchesByFastForward": _fast_forward,
}
