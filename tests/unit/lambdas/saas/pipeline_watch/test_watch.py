"""The watch on tenants' pipelines."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.common.status import Observation, Phase, StackRef, Status
from lambdas.saas.pipeline_watch.release_watch import ReleaseWatch
from lambdas.saas.pipeline_watch.watch import Watch
from tests.unit.lambdas.fakes import FakeClock, FakeLifecycles, FakeStatuses
from tests.unit.lambdas.release_fakes import FakeReleaseStatuses, FakeRuns, FakeTokens
from tests.unit.lambdas.saas.pipeline_watch.pipelines import (
    HOME,
    PIPELINE,
    STACK_ID,
    FakeFacts,
    FakeHistory,
    build,
    failed_deploy,
    rollback,
    source,
    succeeded,
    summary,
)

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
                history=self.history,
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


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
@pytest.mark.parametrize(("deployed", "phase"), [("", Phase.PROVISIONING), ("abc", Phase.UPDATING)])
def test_under_way(world: World, status: str, deployed: str, phase: Phase) -> None:
    world.statuses.items["silo1"] = replace(world.status, revision_deployed=deployed)
    assert world.execute(summary("e1", status)) is phase
    assert (world.status.phase, world.status.reason) == (phase, "")
    assert world.status.revision_deployed == deployed
    assert world.status.execution_id == "e1"
    assert world.status.execution_url == (
        "https://console.aws.amazon.com/codesuite/codepipeline/pipelines/silo-silo1-pipeline/executions/e1/timeline"
        "?region=us-east-1"
    )


def test_a_success_tells_the_revision_and_the_stacks(world: World) -> None:
    assert world.execute(summary("e1", "Succeeded", revision="abc123"), succeeded()) is Phase.ACTIVE
    assert world.status.revision_deployed == "abc123"
    assert world.status.component_stacks == (
        StackRef(kind="component", stack_id=STACK_ID, account="222222222222", region="eu-west-1"),
    )
    assert world.facts.asked == []


def test_what_a_move_left_behind_goes_once_the_new_place_stands(world: World) -> None:
    """Given a move, when its pipeline has deployed the new place, then the lifecycle machine clears up the old one."""
    old = StackRef(kind="component", stack_id="arn:old", account="222222222222", region="us-east-1")
    world.statuses.items["silo1"] = replace(world.status, phase=Phase.MOVING, former_stacks=(old,))
    world.execute(summary("e1", "InProgress"))
    assert world.lifecycles.started == []
    world.execute(summary("e1", "Succeeded", revision="abc123"), succeeded())
    assert (world.status.phase, world.lifecycles.started) == (Phase.MOVING, ["silo1"])


def test_a_failure_tells_the_cause(world: World) -> None:
    assert world.execute(summary("e1", "Failed", revision="abc123"), failed_deploy()) is Phase.FAILED
    assert world.status.reason == FAILURE
    assert world.status.revision_deployed == ""


@pytest.mark.parametrize(
    ("trigger", "reason"),
    [
        ({"stopTrigger": {"reason": "wrong day"}}, "stopped by request: wrong day"),
        ({}, "stopped by request: no reason was given"),
    ],
)
def test_stopped(world: World, trigger: dict[str, Any], reason: str) -> None:
    assert world.execute(summary("e1", "Stopped", **trigger)) is Phase.FAILED
    assert world.status.reason == reason


@pytest.mark.parametrize("status", ["Superseded", "Cancelled"])
def test_an_overtaken_execution_tells_nothing(world: World, status: str) -> None:
    before = world.status
    assert world.execute(summary("e1", status)) is None
    assert world.status == before
    assert world.execute(summary("e2", "InProgress", second=5)) is Phase.PROVISIONING


def test_only_the_newest_execution_is_read(world: World) -> None:
    world.history.summaries = [summary(f"e{n}", "Superseded", second=n) for n in range(50)]
    world.execute(summary("e50", "InProgress", second=50))
    assert world.history.read == 1


@pytest.mark.parametrize(
    ("status", "outcome", "deployed"),
    [
        ("InProgress", "rolling back to good", ""),
        ("Succeeded", "rolled back to good", "good"),
        ("Stopped", "the rollback to good was stopped", ""),
        ("Failed", "the rollback to good failed: stage Build, action Synth: no space; phase BUILD: full", ""),
    ],
)
def test_an_automated_rollback_tells_both(world: World, status: str, outcome: str, deployed: str) -> None:
    world.facts.build = "phase BUILD: full"
    world.history.details = {"good": succeeded(), "bad": failed_deploy()}
    world.history.summaries = [
        summary("good", "Succeeded", second=0),
        summary("bad", "Failed", second=10),
        summary("other", "Failed", second=15),
    ]
    own = [build("Failed", message="no space")] if status == "Failed" else [source()]
    undo = rollback("undo", status, second=20, target="good", failed="bad", revision="good")
    assert world.execute(undo, own) is Phase.FAILED
    assert world.status.reason == f"{FAILURE}; {outcome}"
    assert world.status.revision_deployed == deployed
    assert world.status.execution_id == "undo"


def test_a_rollback_by_hand_blames_the_execution_before_it(world: World) -> None:
    world.history.details = {"good": succeeded(), "bad": failed_deploy()}
    world.history.summaries = [
        summary("good", "Succeeded", second=0),
        summary("bad", "Failed", second=10),
        summary("overtaken", "Superseded", second=15),
    ]
    world.execute(rollback("undo", "Succeeded", second=20, target="good", revision="good"))
    assert world.status.reason == f"{FAILURE}; rolled back to good"


def test_a_rollback_that_fetched_nothing_goes_back_to_its_targets_revision(world: World) -> None:
    world.history.summaries = [
        summary("good", "Succeeded", second=0, revision="good"),
        summary("bad", "Failed", second=10, revision="bad"),
    ]
    world.execute(rollback("undo", "InProgress", second=20, target="good", failed="bad"))
    assert world.status.reason.endswith("; rolling back to good")


def test_a_rollback_of_a_success_is_a_persons_wish(world: World) -> None:
    world.history.details = {"good": succeeded(), "unloved": succeeded()}
    world.history.summaries = [
        summary("bad", "Failed", second=0),
        summary("good", "Succeeded", second=5),
        summary("unloved", "Succeeded", second=10),
    ]
    world.execute(rollback("undo", "Succeeded", second=20, target="good", revision="good"))
    assert world.status.reason == "a person asked for a rollback; rolled back to good"


def test_a_rollback_whose_past_is_forgotten(world: World) -> None:
    world.execute(rollback("undo", "Succeeded", second=20, target="gone", failed="gone too"))
    assert world.status.reason == ("the execution that failed is no longer known; rolled back to an unknown revision")
    assert world.status.revision_deployed == ""


def test_after_a_rollback_the_next_success_is_active(world: World) -> None:
    world.execute(rollback("undo", "Succeeded", second=20, target="gone"))
    assert world.execute(summary("e2", "Succeeded", second=30, revision="fixed"), succeeded()) is Phase.ACTIVE
    assert (world.status.reason, world.status.revision_deployed) == ("", "fixed")


@pytest.mark.parametrize("pipeline", ["granary-cicd", "silo-nobody-pipeline", "pool-silo1-pipeline", "silo--pipeline"])
def test_pipelines_of_no_known_deployment_are_left_alone(
    world: World, caplog: pytest.LogCaptureFixture, pipeline: str
) -> None:
    caplog.set_level("INFO")
    before = dict(world.statuses.items)
    assert world.watch.look(pipeline) is None
    assert world.statuses.items == before
    assert pipeline in caplog.text


def test_a_pipeline_that_is_gone_tells_nothing(world: World) -> None:
    assert world.watch.look(PIPELINE) is None


def test_an_invalid_row_keeps_its_phase(world: World) -> None:
    world.statuses.items["silo1"] = replace(world.status, phase=Phase.INVALID, reason="region is missing")
    assert world.execute(summary("e1", "Succeeded", revision="abc123"), succeeded()) is None
    assert (world.status.phase, world.status.reason) == (Phase.INVALID, "region is missing")
    assert world.status.revision_deployed == "abc123"


HISTORIES: dict[str, list[tuple[dict[str, Any], list[dict[str, Any]]]]] = {
    "first": [(summary("e1", "InProgress"), []), (summary("e1", "Succeeded", revision="one"), succeeded())],
    "self-mutated": [
        (summary("e1", "InProgress"), []),
        (summary("e1", "Cancelled"), []),
        (summary("e2", "InProgress", second=5), []),
        (summary("e2", "Succeeded", second=5, revision="one"), succeeded()),
    ],
    "failed": [(summary("e1", "InProgress"), []), (summary("e1", "Failed", revision="one"), failed_deploy())],
    "rolled back": [
        (summary("e1", "Succeeded", revision="one"), succeeded()),
        (summary("e2", "InProgress", second=5), []),
        (summary("e2", "Failed", second=5, revision="two"), failed_deploy()),
        (rollback("e3", "InProgress", second=9, target="e1", failed="e2", revision="one"), []),
        (rollback("e3", "Succeeded", second=9, target="e1", failed="e2", revision="one"), []),
    ],
}


def _settle(states: list[tuple[dict[str, Any], list[dict[str, Any]]]], looks: list[int]) -> Status:
    """Let a history come true, with so many looks after each of its states, and one after all of it."""
    world = World()
    for (one, actions), count in zip(states, looks, strict=True):
        world.happen(one, actions)
        for _ in range(count):
            world.watch.look(PIPELINE)
            world.clock.pass_time(seconds=1)
    world.watch.look(PIPELINE)
    # The stacks are told by a success alone; if its every event is lost, the next one tells them.
    return replace(world.status, updated_at="", observed_at="", component_stacks=())


@pytest.mark.parametrize("name", HISTORIES)
@given(data=st.data())
def test_lost_late_and_repeated_events_do_no_harm(name: str, data: st.DataObject) -> None:
    states = HISTORIES[name]
    looks = data.draw(st.lists(st.integers(0, 3), min_size=len(states), max_size=len(states)))
    assert _settle(states, looks) == _settle(states, [1] * len(states))


@given(st.permutations(range(6)))
def test_looks_that_end_in_another_order_leave_the_latest(order: list[int]) -> None:
    """Six looks begin one after the other, each sees what is true then, and their writes arrive in any order."""
    seen = [Phase.PROVISIONING] * 3 + [Phase.ACTIVE] * 3
    world = World()
    began = world.clock()
    for number in order:
        world.statuses.observed(
            "silo1",
            Observation(phase=seen[number], execution_id="e1", execution_url=""),
            now=began.replace(second=number),
        )
    assert world.status.phase is Phase.ACTIVE
