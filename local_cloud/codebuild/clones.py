"""Sources that a build clones, with their whole history: repositories, and what CodePipeline only refers to."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from local_cloud.codebuild.failure import BuildFailure
from local_cloud.codebuild.job import Job
from local_cloud.codecommit import git, store
from local_cloud.codecommit.git_credentials import user_and_password
from local_cloud.server import settings as server_settings

_SECONDS = 600
_MARK = b"CODEBUILD_CLONE_REF "


def reference(*, url: str, commit: str) -> bytes:
    """The artifact that stands for a commit of a repository."""
    return _MARK + json.dumps({"url": url, "commit": commit}).encode()


def is_reference(artifact: bytes) -> bool:
    """Whether an artifact is such a one; all others are zip files."""
    return artifact.startswith(_MARK)


def clone_reference(job: Job, artifact: bytes, target: Path) -> None:
    """Clone what the artifact refers to, as the build's service role, and check the commit out; raises BuildFailure."""
    source = json.loads(artifact.removeprefix(_MARK))
    clone(job, url=source["url"], version=source["commit"], target=target)


def clone_repository(job: Job, location: str, version: str, target: Path) -> None:
    """Clone a CodeCommit repository by the address that AWS gives it; raises BuildFailure."""
    name = urlsplit(location).path.rpartition("/")[2]
    clone(job, url=store.clone_url(name), version=version, target=target)


def clone(job: Job, *, url: str, version: str, target: Path) -> None:
    """Clone with the whole history, as the build's service role, and check a version out, if any."""
    where = urlsplit(url)
    login = user_and_password(job.credentials, region=job.region, host=str(where.hostname), path=where.path)
    header = base64.b64encode(":".join(login).encode()).decode()
    environment = git.environment() | {
        "GIT_SSL_CAINFO": str(server_settings.current().ca_bundle),
        "GIT_TERMINAL_PROMPT": "0",
        # In the environment, for everybody can read a command line.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {header}",
    }
    checkout = [("checkout", "--quiet", version)] if version else []
    for words in (("clone", "--quiet", url, str(target)), *checkout):
        folder = target if target.exists() else target.parent
        done = subprocess.run(
            ["git", *words], cwd=folder, env=environment, capture_output=True, timeout=_SECONDS, check=False
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise BuildFailure("CLIENT_ERROR", f"{said} for source {url}")
