"""Operations on repositories and their tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local_cloud.codecommit import store
from local_cloud.codecommit.store import Repository
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
Answer = dict[str, Any]
_PAGE = 1000
_MAX_NAMES = 100


def page(items: Sequence[Any], request: Request, *, key: str, size: int = _PAGE, next_key: str = "nextToken") -> Answer:
    """A page of a list; the token is the offset."""
    given = request.get(next_key) or "0"
    if not given.isdigit():
        raise ServiceError("InvalidContinuationTokenException", f"{given!r} is not a token of this list")
    last = int(given) + size
    return {key: list(items[int(given) : last])} | ({next_key: str(last)} if last < len(items) else {})


def _metadata(repository: Repository) -> Answer:
    optional = {"repositoryDescription": repository.description, "defaultBranch": repository.default_branch}
    return {
        "accountId": repository.account,
        "repositoryId": repository.id,
        "repositoryName": repository.name,
        "lastModifiedDate": repository.modified,
        "creationDate": repository.created,
        "cloneUrlHttp": repository.clone_url,
        "Arn": repository.arn,
        **{key: value for key, value in optional.items() if value is not None},
    }


def _create(request: Request) -> Answer:
    name = request["repositoryName"]
    if request.get("kmsKeyId"):
        raise ServiceError("OperationNotAllowedException", "The local cloud does not encrypt repositories: no kmsKeyId")
    if name.endswith(".git"):
        raise ServiceError("InvalidRepositoryNameException", f"The name {name} ends in .git")
    created = store.add(name, description=request.get("repositoryDescription"), tags=request.get("tags", {}))
    return {"repositoryMetadata": _metadata(created)}


def _get(request: Request) -> Answer:
    return {"repositoryMetadata": _metadata(store.find(request["repositoryName"]))}


def _list(request: Request) -> Answer:
    by_date = request.get("sortBy") == "lastModifiedDate"
    found = sorted(store.every(), key=lambda one: (one.modified if by_date else 0, one.name))
    if request.get("order") == "descending":
        found.reverse()
    items = [{"repositoryName": one.name, "repositoryId": one.id} for one in found]
    return page(items, request, key="repositories")


def _delete(request: Request) -> Answer:
    removed = store.remove(request["repositoryName"])
    return {"repositoryId": removed.id} if removed else {}


def _batch(request: Request) -> Answer:
    names = request["repositoryNames"]
    if len(names) > _MAX_NAMES:
        raise ServiceError("MaximumRepositoryNamesExceededException", f"At most {_MAX_NAMES} names, not {len(names)}")
    found = {name: store.known(name) for name in names}
    return {
        "repositories": [_metadata(one) for one in found.values() if one],
        "repositoriesNotFound": [name for name, one in found.items() if not one],
        "errors": [],
    }


def _tag(request: Request) -> Answer:
    store.by_arn(request["resourceArn"]).tags.update(request["tags"])
    return {}


def _untag(request: Request) -> Answer:
    repository = store.by_arn(request["resourceArn"])
    for key in request["tagKeys"]:
        repository.tags.pop(key, None)
    return {}


def _list_tags(request: Request) -> Answer:
    return {"tags": store.by_arn(request["resourceArn"]).tags}


OPERATIONS: Mapping[str, Operation] = {
    "CreateRepository": _create,
    "GetRepository": _get,
    "ListRepositories": _list,
    "DeleteRepository": _delete,
    "BatchGetRepositories": _batch,
    "TagResource": _tag,
    "UntagResource": _untag,
    "ListTagsForResource": _list_tags,
}
