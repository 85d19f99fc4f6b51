"""The watch among fakes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lambdas.saas.model.status import Phase, Status
from lambdas.saas.pipeline_watch.release_watch import ReleaseWatch
from lambdas.saas.pipeline_watch.watch import Watch
from tests.unit.lambdas.saas.fakes import FakeClock, FakeLifecycles, FakeStatuses
from tests.unit.lambdas.saas.pipeline_watch.pipelines import (
    HOME,
    PIPELINE,
    FakeFacts,
    FakeHistory,
)
from tests.unit.lambdas.saas.release_fakes import FakeReleaseStatuses, FakeRuns, FakeTokens

CAUSE = "Address (AWS::EC2::EIP): The maximum number of addresses has been reached."
FAILURE = f"stage Deploy, action Deploy: The change set failed; {CAUSE}"


@dataclass
class World:
    """The watch among fakes, with one known deployment."""

    statuses: FakeStatuses = field(default_factory=FakeStatuses)
    history: FakeHistory = field(default_factory=FakeHistory)
    facts: FakeFacts = field(default_factory=lambda: FakeFacts(stack=CAUSE))
    runs: FakeRuns = field(default_factory=FakeRuns)
    tokens: FakeTokens = field(default_factory=FakeTokens)
    lifecycles: FakeLifecycles = field(default_factory=FakeLifecycles)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.statuses.items["silo1"] = Status(id="silo1", type="silo", phase=Phase.PROVISIONING)

    @property
    def status(self) -> Status:
        return self.statuses.items["silo1"]

    @property
    def watch(self) -> Watch:
        return Watch(
            statuses=self.statuses,
            releases=ReleaseWatch(
                statuses=FakeReleaseStatuses(self.statuses, self.runs),
                runs=self.runs,
                tokens=self.tokens,
            ),
            lifecycles=self.lifecycles,
            history=self.history,
            facts=self.facts,
            home=HOME,
            clock=self.clock,
        )

    def happen(self, one: dict[str, Any], actions: list[dict[str, Any]]) -> None:
        """Let an execution begin, or reach its next state."""
        execution_id = one["pipelineExecutionId"]
        kept = [known for known in self.history.summaries if known["pipelineExecutionId"] != execution_id]
        self.history.summaries = [*kept, one]
        self.history.details[execution_id] = actions

    def execute(self, one: dict[str, Any], actions: list[dict[str, Any]] | None = None) -> Phase | None:
        """Let it happen, and look."""
        self.happen(one, actions or [])
        return self.watch.look(PIPELINE)
