"""What the watch says of an execution in which a task has run after which nothing leads back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.saas.model.status import ForwardOnly, Phase
from tests.unit.lambdas.saas.pipeline_watch.pipelines import failed_deploy, summary
from tests.unit.lambdas.saas.pipeline_watch.world import FAILURE, World

_SAID = "; not rolled back: task Migrate (before x) is forward-only and has run: push a release that goes forward"


@pytest.mark.parametrize(("execution", "said"), [("e1", _SAID), ("e0", "")])
def test_a_failure_after_it_says_that_nothing_is_rolled_back(world: World, execution: str, said: str) -> None:
    kept = ForwardOnly(task="task Migrate (before x)", execution=execution, revision="rev2", before="rev1")
    world.statuses.items["silo1"] = replace(world.status, forward_only=kept)
    assert world.execute(summary("e1", "Failed"), failed_deploy()) is Phase.FAILED
    assert world.status.reason == f"{FAILURE}{said}"
