"""The factory with a CodeCommit source: a push of its branch is what CI/CD releases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.saas.model.runs import Run, RunState
from local_cloud.cloud import LocalCloud
from local_cloud.factory.granary import HOME, NAMES, REGIONS, TOOLCHAIN, Granary, wait_until, workspace_folder
from local_cloud.factory.workspace import OVERLAY, Workspace
from tests.local.codecommit_support import Clone

_SOURCE = {"provider": "codecommit", "repository": "granary", "branch": "main"}
_CONFIGURATION = {**OVERLAY, "toolchain": {**OVERLAY["toolchain"], "source": _SOURCE}}
_PATIENCE_SECONDS = 240.0


@pytest.fixture(scope="module")
def granary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Granary]:
    """The toolchain alone: nobody is served, so that no workload account is needed."""
    with LocalCloud.start(tmp_path_factory.mktemp("codecommit-factory")) as cloud:
        made = Granary(cloud, Workspace.create(workspace_folder(cloud), overlay=_CONFIGURATION))
        made.client("codecommit").create_repository(repositoryName="granary")
        for region in REGIONS:
            cloud.bootstrap(TOOLCHAIN, region)
        made.deploy()
        yield made


def test_a_push_is_released(granary: Granary) -> None:
    """Given a repository that was empty when the factory was deployed, then the first push goes all the way."""
    clone = Clone(folder=granary.workspace.root, variables=granary.cloud.env(TOOLCHAIN, HOME))
    commit = clone.git("rev-parse", "HEAD").stdout.strip()
    url = granary.client("codecommit").get_repository(repositoryName="granary")["repositoryMetadata"]["cloneUrlHttp"]
    pushed = clone.git("push", url, "main")
    assert pushed.returncode == 0, pushed.stderr

    def executions(status: str) -> list[dict[str, Any]]:
        found = granary.executions(NAMES.cicd_pipeline)
        return [one for one in found if one["status"] == status and one["sourceRevisions"]]

    def released() -> Run | None:
        run = granary.run(commit)
        return run if run and run.state == RunState.SUCCEEDED else None

    def failed() -> list[str]:
        run = granary.run(commit)
        stopped = [run.reason] if run and run.state == RunState.STOPPED else []
        return stopped + [f"{one}: {granary.stages(NAMES.cicd_pipeline)}" for one in executions("Failed")]

    wait_until(released, seconds=_PATIENCE_SECONDS, what=f"the release of {commit}", also=failed)
    (execution,) = executions("Succeeded") or executions("InProgress")
    assert execution["trigger"]["triggerType"] == "CloudWatchEvent"
    assert [one["revisionId"] for one in execution["sourceRevisions"]] == [commit]
