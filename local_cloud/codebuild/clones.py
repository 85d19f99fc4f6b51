"""Sources that CodePipeline hands over as a reference: the build clones the repository, with its whole history."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from local_cloud.codebuild.failure import BuildFailure
from local_cloud.codebuild.job import Job
from local_cloud.codecommit import git
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


def clone(job: Job, artifact: bytes, target: Path) -> None:
    """Clone what the artifact refers to, as the build's service role, and check the commit out; raises BuildFailure."""
    source = json.loads(artifact.removeprefix(_MARK))
    url = urlsplit(source["url"])
    login = user_and_password(job.credentials, region=job.region, host=str(url.hostname), path=url.path)
    header = base64.b64encode(":".join(login).encode()).decode()
    environment = git.environment() | {
        "GIT_SSL_CAINFO": str(server_settings.current().ca_bundle),
        "GIT_TERMINAL_PROMPT": "0",
        # In the environment, for everybody can read a command line.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.extraHeader",
        "GIT_CONFIG_VALUE_0": f"Authorization: Basic {header}",
    }
    for words in (("clone", "--quiet", url.geturl(), str(target)), ("checkout", "--quiet", source["commit"])):
        where = target if target.exists() else target.parent
        done = subprocess.run(
            ["git", *words], cwd=where, env=environment, capture_output=True, timeout=_SECONDS, check=False
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise BuildFailure("CLIENT_ERROR", f"{said} for primary source {url.geturl()}")
