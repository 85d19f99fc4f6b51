"""The repositories of all accounts and Regions: records in memory, content in the state directory."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from local_cloud.codecommit.git import Git
from local_cloud.server import settings as server_settings
from local_cloud.server.json_api import ServiceError

PATH_PREFIX = "/v1/repos/"
_repositories: Any = AccountRegionScopedDict()


@dataclass(kw_only=True)
class Repository:
    """A repository's record."""

    name: str
    account: str
    region: str
    git: Git
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    description: str | None = None
    default_branch: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:codecommit:{self.region}:{self.account}:{self.name}"

    @property
    def clone_url(self) -> str:
        """Where git finds it; account and Region follow from the credentials."""
        return clone_url(self.name)

    def set_default_branch(self, name: str) -> None:
        """Name the branch that HEAD stands for."""
        self.git.run("symbolic-ref", "HEAD", f"refs/heads/{name}")
        self.default_branch = name


def clone_url(name: str) -> str:
    """The address for git of the repository of this name."""
    return f"{server_settings.current().endpoint}{PATH_PREFIX}{name}"


def add(name: str, *, description: str | None, tags: Mapping[str, str]) -> Repository:
    """Create an empty repository in the request's account and Region."""
    if name in _repositories:
        raise ServiceError("RepositoryNameExistsException", f"Repository named {name} already exists")
    account, region = get_account_id(), get_region()
    identifier = str(uuid.uuid4())
    git = Git(folder=server_settings.current().scratch_dir / "codecommit" / account / region / f"{identifier}.git")
    git.create()
    repository = Repository(
        name=name, account=account, region=region, git=git, id=identifier, description=description, tags=dict(tags)
    )
    _repositories[name] = repository
    return repository


def known(name: str) -> Repository | None:
    """The repository of that name."""
    found: Repository | None = _repositories.get(name)
    return found


def find(name: str | None) -> Repository:
    """The repository of that name; raises ServiceError."""
    if not name:
        raise ServiceError("RepositoryNameRequiredException", "A repository name is required")
    if (found := known(name)) is None:
        raise ServiceError("RepositoryDoesNotExistException", f"{name} does not exist")
    return found


def by_arn(arn: str) -> Repository:
    """The repository of that ARN; raises ServiceError."""
    if arn.split(":")[:5] != ["arn", "aws", "codecommit", get_region(), get_account_id()]:
        raise ServiceError("InvalidResourceArnException", f"{arn} is not a repository of this account and Region")
    return find(arn.split(":")[5])


def every() -> Sequence[Repository]:
    """All repositories of the request's account and Region."""
    return list(_repositories.values())


def remove(name: str) -> Repository | None:
    """Delete a repository with its content."""
    found: Repository | None = _repositories.pop(name, None)
    if found is not None:
        shutil.rmtree(found.git.folder, ignore_errors=True)
    return found
