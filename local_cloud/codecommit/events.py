"""What changed of a repository's references: recorded, and told on EventBridge.

https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from local_cloud.codecommit.store import Repository
from local_cloud.server import events

_BRANCH = "refs/heads/"


@contextmanager
def changing(repository: Repository, *, caller: str, **details: str) -> Iterator[None]:
    """Whoever changes references does it within: one at a time, and every change becomes an event."""
    with repository.git.lock:
        before = repository.git.references()
        yield
        after = repository.git.references()
        branches = [name.removeprefix(_BRANCH) for name in after if name.startswith(_BRANCH)]
        if repository.default_branch is None and branches:
            repository.set_default_branch(branches[0])
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            repository.modified = time.time()
            _tell(repository, name, before.get(name), after.get(name), {"callerUserArn": caller, **details})


def _tell(repository: Repository, name: str, old: str | None, new: str | None, details: Mapping[str, str]) -> None:
    event = "referenceDeleted" if new is None else "referenceCreated" if old is None else "referenceUpdated"
    _, kind, short = name.split("/", 2)
    commits = {"commitId": new, "oldCommitId": old}
    detail: dict[str, Any] = {
        "event": event,
        "repositoryName": repository.name,
        "repositoryId": repository.id,
        "referenceType": {"heads": "branch", "tags": "tag"}[kind],
        "referenceName": short,
        "referenceFullName": name,
        **{key: commit for key, commit in commits.items() if commit is not None},
        **details,
    }
    kind_of_event = "CodeCommit Repository State Change"
    where = repository.account, repository.region
    events.publish(*where, "aws.codecommit", kind_of_event, detail, [repository.arn])
