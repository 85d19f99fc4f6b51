"""The commands of the room's pages, word by word, on a factory whose canary has been through all of it."""

from __future__ import annotations

import pytest

from local_cloud.factory.chaos import CANARY
from tests.local.first_factory import Reader, executed
from tests.local.resilience.scene import PAGE, RUNBOOK, Scene


@pytest.mark.usefixtures("failed")
def test_the_commands_of_the_pages_work(scene: Scene, reader: Reader) -> None:
    """The last one deletes what is known of the canary's attempts."""
    for page in (PAGE, RUNBOOK):
        for block in executed(page):
            reader.follow(page, block)
    assert scene.granary.cli("chaos", "history", CANARY.id).stdout == ""
