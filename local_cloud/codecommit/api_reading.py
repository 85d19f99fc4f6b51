"""Operations that read commits, folders and files."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from local_cloud.codecommit import store
from local_cloud.codecommit.api_branches import resolve
from local_cloud.codecommit.api_repositories import page
from local_cloud.codecommit.git import EXECUTABLE, FOLDER, NORMAL, SUBMODULE, SYMLINK, Entry
from local_cloud.codecommit.store import Repository
from local_cloud.server.json_api import Operation, ServiceError

Request = Mapping[str, Any]
Answer = dict[str, Any]
MODES = {EXECUTABLE: "EXECUTABLE", NORMAL: "NORMAL", SYMLINK: "SYMLINK"}
MAX_FILE_BYTES = 6 * 1024 * 1024


def commit_record(repository: Repository, commit: str) -> Answer:
    """A commit as GetCommit shows it."""
    head, _, message = repository.git.text("cat-file", "commit", commit).partition("\n\n")
    lines = [line.partition(" ")[::2] for line in head.splitlines()]
    return {
        "commitId": commit,
        "treeId": dict(lines)["tree"],
        "parents": [value for name, value in lines if name == "parent"],
        "message": message,
        "author": _person(dict(lines)["author"]),
        "committer": _person(dict(lines)["committer"]),
        "additionalData": "",
    }


def _person(line: str) -> dict[str, str]:
    found = re.fullmatch(r"(.*?) ?<(.*)> (\d+ [+-]\d+)", line)
    name, email, date = found.groups() if found else (line, "", "")
    return {"name": name, "email": email, "date": date}


def _get_commit(request: Request) -> Answer:
    repository, commit = store.find(request["repositoryName"]), request["commitId"]
    if not repository.git.is_type(commit, "commit"):
        raise ServiceError("CommitIdDoesNotExistException", f"{commit} is no commit of {repository.name}")
    return {"commit": commit_record(repository, commit)}


def _content(repository: Repository, blob: str) -> tuple[str, int]:
    content = repository.git.blob(blob)
    if len(content) > MAX_FILE_BYTES:
        raise ServiceError("FileTooLargeException", f"{blob} has {len(content)} bytes: more than {MAX_FILE_BYTES}")
    return base64.b64encode(content).decode(), len(content)


def _get_blob(request: Request) -> Answer:
    repository, blob = store.find(request["repositoryName"]), request["blobId"]
    if not repository.git.is_type(blob, "blob"):
        raise ServiceError("BlobIdDoesNotExistException", f"{blob} is no file of {repository.name}")
    return {"content": _content(repository, blob)[0]}


def _get_file(request: Request) -> Answer:
    repository, path = store.find(request["repositoryName"]), request["filePath"].strip("/")
    commit = resolve(repository, request.get("commitSpecifier"))
    found = files(repository, commit).get(path)
    if found is None or found.mode not in MODES:
        raise ServiceError("FileDoesNotExistException", f"{commit} has no file {path}")
    content, size = _content(repository, found.id)
    return {
        "commitId": commit,
        "blobId": found.id,
        "filePath": path,
        "fileMode": MODES[found.mode],
        "fileSize": size,
        "fileContent": content,
    }


def _get_folder(request: Request) -> Answer:
    repository, path = store.find(request["repositoryName"]), request["folderPath"].strip("/")
    commit = resolve(repository, request.get("commitSpecifier"))
    tree = repository.git.tree(commit, path)
    if tree is None:
        raise ServiceError("FolderDoesNotExistException", f"{commit} has no folder {path}")
    entries = repository.git.entries(tree)

    def those(*modes: str, identifier: str) -> list[Answer]:
        return [
            {
                identifier: entry.id,
                "absolutePath": f"{path}/{entry.path}".lstrip("/"),
                "relativePath": entry.path,
                **({"fileMode": MODES[entry.mode]} if entry.mode in MODES else {}),
            }
            for entry in entries
            if entry.mode in modes
        ]

    return {
        "commitId": commit,
        "folderPath": path,
        "treeId": tree,
        "subFolders": those(FOLDER, identifier="treeId"),
        "files": those(NORMAL, EXECUTABLE, identifier="blobId"),
        "symbolicLinks": those(SYMLINK, identifier="blobId"),
        "subModules": those(SUBMODULE, identifier="commitId"),
    }


def files(repository: Repository, commit: str | None, path: str = "") -> dict[str, Entry]:
    """All files of a commit at or below a path, by their whole path."""
    tree = repository.git.tree(commit) if commit else None
    entries = repository.git.entries(tree, recursive=True) if tree else []
    return {entry.path: entry for entry in entries if f"{entry.path}/".startswith(f"{path}/" if path else "")}


def _get_differences(request: Request) -> Answer:
    repository, given = store.find(request["repositoryName"]), request.get("beforeCommitSpecifier")
    sides = []
    for commit, member in (
        (resolve(repository, given) if given else None, "beforePath"),
        (resolve(repository, request["afterCommitSpecifier"]), "afterPath"),
    ):
        path = request.get(member, "").strip("/")
        sides.append({name.removeprefix(path): entry for name, entry in files(repository, commit, path).items()})
    before, after = sides
    if not before and not after and (request.get("beforePath") or request.get("afterPath")):
        raise ServiceError("PathDoesNotExistException", "Neither of the commits has the path")
    changed = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    found = [_difference(before.get(name), after.get(name)) for name in changed]
    return page(found, request, key="differences", size=request.get("MaxResults") or 100, next_key="NextToken")


def _difference(before: Entry | None, after: Entry | None) -> Answer:
    kind = "A" if before is None else "D" if after is None else "M"
    sides = (("beforeBlob", before), ("afterBlob", after))
    blobs = {name: {"blobId": one.id, "path": one.path, "mode": one.mode} for name, one in sides if one}
    return {"changeType": kind, **blobs}


OPERATIONS: Mapping[str, Operation] = {
    "GetCommit": _get_commit,
    "GetBlob": _get_blob,
    "GetFile": _get_file,
    "GetFolder": _get_folder,
    "GetDifferences": _get_differences,
}
