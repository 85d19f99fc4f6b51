"""Operations that make a commit: CreateCommit, and PutFile and DeleteFile, which are commits of one change."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from local_cloud.codecommit import store
from local_cloud.codecommit.api_branches import branch_name, caller, tip
from local_cloud.codecommit.api_reading import MAX_FILE_BYTES, MODES, files
from local_cloud.codecommit.events import changing
from local_cloud.codecommit.git import NORMAL, NOTHING, Entry
from local_cloud.codecommit.store import Repository
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
Answer = dict[str, Any]
_MODES = {name: mode for mode, name in MODES.items()}
_KEPT = ".gitkeep"


@dataclass(frozen=True, kw_only=True)
class _Made:
    """A commit that was made, and the files before and after it."""

    commit: str
    tree: str
    before: Mapping[str, Entry]
    after: Mapping[str, Entry]


def _create_commit(request: Request) -> Answer:
    if not any(request.get(kind) for kind in ("putFiles", "deleteFiles", "setFileModes")):
        raise ServiceError("FileEntryRequiredException", "The commit changes no file")
    made = _make(request, author=request.get("authorName"))
    added = made.after.keys() - made.before.keys()
    updated = {path for path in made.after.keys() & made.before.keys() if made.after[path] != made.before[path]}
    return {
        "commitId": made.commit,
        "treeId": made.tree,
        "filesAdded": _described(made.after, added),
        "filesUpdated": _described(made.after, updated),
        "filesDeleted": _described(made.before, made.before.keys() - made.after.keys()),
    }


def _described(found: Mapping[str, Entry], paths: set[str]) -> list[Answer]:
    return [
        {"absolutePath": path, "blobId": found[path].id, "fileMode": MODES[found[path].mode]} for path in sorted(paths)
    ]


def _put_file(request: Request) -> Answer:
    entry = {name: request[name] for name in ("filePath", "fileContent", "fileMode") if name in request}
    try:
        made = _make({**request, "putFiles": [entry]}, author=request.get("name"))
    except ServiceError as error:
        if error.code == "NoChangeException":
            raise ServiceError("SameFileContentException", f"{request['filePath']} has this content already") from error
        raise
    path = _path(request["filePath"])
    return {"commitId": made.commit, "treeId": made.tree, "blobId": made.after[path].id}


def _delete_file(request: Request) -> Answer:
    path = _path(request["filePath"])
    made = _make({**request, "deleteFiles": [{"filePath": path}]}, author=request.get("name"))
    return {"commitId": made.commit, "treeId": made.tree, "blobId": made.before[path].id, "filePath": path}


def _make(request: Request, *, author: str | None) -> _Made:
    repository, branch = store.find(request["repositoryName"]), branch_name(request)
    git, who = repository.git, caller()
    with changing(repository, caller=who):
        parent = _parent(repository, branch, request.get("parentCommitId"))
        before = files(repository, parent)
        after = _changed(repository, before, request)
        tree = git.write_tree(after.values())
        if parent and tree == git.tree(parent):
            raise ServiceError("NoChangeException", "The commit would change nothing")
        name, email, message = (
            author or who.rsplit("/", 1)[-1],
            request.get("email", ""),
            request.get("commitMessage", ""),
        )
        commit = git.commit_tree(tree, parent=parent, message=message, name=name, email=email)
        git.set_reference(f"refs/heads/{branch}", commit, old=parent or NOTHING)
    return _Made(commit=commit, tree=tree, before=before, after=after)


def _parent(repository: Repository, branch: str, given: str | None) -> str | None:
    """The tip that the commit follows; none in an empty repository."""
    references = repository.git.references()
    if not references:
        return None
    if f"refs/tags/{branch}" in references and f"refs/heads/{branch}" not in references:
        raise ServiceError("BranchNameIsTagNameException", f"{branch} is a tag")
    current = tip(repository, branch)
    if not given:
        raise ServiceError("ParentCommitIdRequiredException", f"Branch {branch} has a tip: name it as the parent")
    if given != current:
        known = repository.git.is_type(given, "commit")
        code = "ParentCommitIdOutdatedException" if known else "ParentCommitDoesNotExistException"
        raise ServiceError(code, f"The tip of branch {branch} is {current}, not {given}")
    return current


def _changed(repository: Repository, before: Mapping[str, Entry], request: Request) -> dict[str, Entry]:
    puts, deletes, modes = (request.get(kind, []) for kind in ("putFiles", "deleteFiles", "setFileModes"))
    paths = [_path(item["filePath"]) for item in (*puts, *deletes, *modes)]
    if len(set(paths)) < len(paths):
        raise ServiceError("SamePathRequestException", "A path is named more than once")
    after = dict(before)
    moved = [_path(put["sourceFile"]["filePath"]) for put in puts if put.get("sourceFile", {}).get("isMove")]
    gone = [*(_path(item["filePath"]) for item in deletes), *moved]
    for put in puts:
        path = _path(put["filePath"])
        after[path] = _written(repository, before, put, path)
    for item in modes:
        path = _path(item["filePath"])
        after[path] = Entry(mode=_MODES[item["fileMode"]], id=_existing(before, path).id, path=path)
    for path in gone:
        _existing(before, path)
        del after[path]
    if request.get("keepEmptyFolders"):
        after |= _kept_folders(repository, after, gone)
    _check_names(after, [_path(put["filePath"]) for put in puts])
    return after


def _written(repository: Repository, before: Mapping[str, Entry], put: Request, path: str) -> Entry:
    content, source = put.get("fileContent"), put.get("sourceFile")
    if content is not None and source:
        raise ServiceError("FileContentAndSourceFileSpecifiedException", f"{path} has a content and a source file")
    old = before.get(path)
    if source:
        old = _existing(before, _path(source["filePath"]))
        blob = old.id
    elif content is None:
        raise ServiceError("SourceFileOrContentRequiredException", f"{path} has neither content nor source file")
    else:
        raw = base64.b64decode(content)
        if len(raw) > MAX_FILE_BYTES:
            raise ServiceError("FileContentSizeLimitExceededException", f"{path} is larger than {MAX_FILE_BYTES} bytes")
        blob = repository.git.write_blob(raw)
    mode = _MODES[put["fileMode"]] if "fileMode" in put else old.mode if old else NORMAL
    return Entry(mode=mode, id=blob, path=path)


def _kept_folders(repository: Repository, after: Mapping[str, Entry], gone: Sequence[str]) -> dict[str, Entry]:
    folders = {str(PurePosixPath(path).parent) for path in gone} - {"."}
    empty = [folder for folder in folders if not any(path.startswith(f"{folder}/") for path in after)]
    paths = [f"{folder}/{_KEPT}" for folder in empty]
    return {path: Entry(mode=NORMAL, id=repository.git.write_blob(b""), path=path) for path in paths}


def _check_names(after: Mapping[str, Entry], written: Sequence[str]) -> None:
    folders = {str(parent) for path in after for parent in PurePosixPath(path).parents}
    for path in written:
        if path in folders:
            raise ServiceError("FileNameConflictsWithDirectoryNameException", f"{path} is a folder")
        if above := [str(parent) for parent in PurePosixPath(path).parents if str(parent) in after]:
            raise ServiceError("DirectoryNameConflictsWithFileNameException", f"{above[0]} is a file")


def _existing(before: Mapping[str, Entry], path: str) -> Entry:
    if path not in before:
        raise ServiceError("FileDoesNotExistException", f"The branch has no file {path}")
    return before[path]


def _path(given: str) -> str:
    path = given.strip("/")
    if not path or {"", ".", "..", ".git"} & set(path.split("/")) or "\0" in path:
        raise ServiceError("InvalidPathException", f"{given!r} is not the path of a file")
    return path


OPERATIONS: Mapping[str, Operation] = {
    "CreateCommit": _create_commit,
    "PutFile": _put_file,
    "DeleteFile": _delete_file,
}
