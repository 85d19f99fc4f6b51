"""What scenarios and the demo change in the project's files is there to be changed: a rename is told in seconds."""

from __future__ import annotations

import pytest

from local_cloud.factory.demo.saas.release import greet
from local_cloud.factory.workspace import Workspace
from tests.local.saas.second_commit import change_everything
from tests.probe_room.install import install

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace.create(tmp_path_factory.mktemp("edits") / "workspace")


def test_the_second_commit_finds_what_it_changes(workspace: Workspace) -> None:
    change_everything(workspace)


def test_the_demo_finds_what_it_changes(workspace: Workspace) -> None:
    greet(workspace)


def test_the_probe_room_finds_where_it_plugs_in(workspace: Workspace) -> None:
    install(workspace.root)
