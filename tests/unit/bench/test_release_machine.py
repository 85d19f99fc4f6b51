"""The interpreter of the release machine: the language's rules that the figures rest on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.bench.burst.simulation import Simulation
from tests.bench.release.machine import Execution, Machine

ITEMS = [{"id": f"t{number}"} for number in range(7)]
PAYLOAD = {"item.$": "$.item", "token.$": "$$.Task.Token"}
CATCH = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Give up"}]


def task(integration: str, **more: Any) -> dict[str, Any]:
    parameters = {"FunctionName": "work", "Payload": PAYLOAD}
    return {"Type": "Task", "Resource": f"arn:aws:states:::{integration}", "Parameters": parameters, **more}


def retry(error: str, attempts: int) -> list[dict[str, Any]]:
    times = {"IntervalSeconds": 10, "BackoffRate": 2, "MaxAttempts": attempts, "MaxDelaySeconds": 15}
    return [{"ErrorEquals": [error], **times}]


def waiting(**more: Any) -> dict[str, Any]:
    """A task that waits for its token, and gives up when it fails."""
    return {
        "StartAt": "Work",
        "States": {
            "Work": task("lambda:invoke.waitForTaskToken", TimeoutSeconds=100, Catch=CATCH, End=True, **more),
            "Give up": task("lambda:invoke", OutputPath="$.Payload", End=True),
        },
    }


class Bench:
    """A machine whose function does what the test says."""

    def __init__(self, definition: dict[str, Any], work: Callable[[Bench, Any], Any]) -> None:
        self.simulation = Simulation()
        self.calls = 0
        self._work = work
        self.machine = Machine(
            simulation=self.simulation,
            definition=definition,
            functions={"work": self._invoke},
            read_items=lambda _key: json.dumps(ITEMS).encode(),
            function_seconds=1,
        )

    def run(self) -> Execution:
        execution = self.machine.start("run", {"item": "x", "most": 3, "key": "items"})
        self.simulation.run()
        return execution

    def _invoke(self, event: Any) -> Any:
        self.calls += 1
        return self._work(self, event)


def later(seconds: float) -> Callable[[Bench, Any], Any]:
    """A function whose task is answered after a while."""

    def work(bench: Bench, event: Any) -> None:
        bench.simulation.after(seconds, lambda: bench.machine.answer(event["token"], '{"count": 1}', None))

    return work


def test_a_task_waits_for_its_token() -> None:
    execution = Bench(waiting(), later(50)).run()
    assert (execution.ended, execution.output, execution.transitions) == (51, {"count": 1}, 1)
    # started, entered, scheduled, started, submitted, succeeded, exited, succeeded
    assert execution.events == 8


def test_an_answer_that_comes_before_the_function_ends_counts() -> None:
    execution = Bench(waiting(), lambda bench, event: bench.machine.answer(event["token"], "2", None)).run()
    assert (execution.ended, execution.output) == (1, 2)


def test_a_task_that_nobody_answers_times_out_and_is_caught() -> None:
    execution = Bench(waiting(), lambda _bench, event: event["item"]).run()
    assert (execution.ended, execution.output) == (102, "x")


def test_a_late_answer_changes_nothing() -> None:
    execution = Bench(waiting(), later(500)).run()
    assert execution.ended == 102


def test_what_is_busy_is_tried_again_as_often_as_the_rule_says_and_each_retry_is_billed() -> None:
    def work(bench: Bench, event: Any) -> str:
        bench.machine.answer(event["token"], None, ("Busy", "held"))
        return "given up"

    bench = Bench(waiting(Retry=retry("Busy", 2)), work)
    execution = bench.run()
    # 1 s each, 10 s and 15 s (not 20) between them; then it gives up.
    assert (execution.ended, execution.output) == (1 + 10 + 1 + 15 + 1 + 1, "given up")
    assert (bench.calls, execution.transitions) == (4, 4)


def test_another_error_is_not_tried_again() -> None:
    def work(bench: Bench, event: Any) -> None:
        bench.machine.answer(event["token"], None, ("Broken", "cause"))

    bench = Bench(waiting(Retry=retry("Busy", 2)), work)
    bench.run()
    assert bench.calls == 2


def mapping(most: str = "$.most") -> dict[str, Any]:
    ring = {
        "Type": "Map",
        "Label": "ring",
        "ItemReader": {"Parameters": {"Bucket": "bucket", "Key.$": "$.key"}},
        "ItemSelector": {"item.$": "$$.Map.Item.Value"},
        "MaxConcurrencyPath": most,
        "ToleratedFailurePercentage": 100,
        "ItemProcessor": waiting(),
        "End": True,
    }
    return {"StartAt": "Ring", "States": {"Ring": ring}}


def test_a_map_run_has_each_item_once_and_no_more_than_its_concurrency_at_a_time() -> None:
    seen: list[str] = []

    def work(bench: Bench, event: Any) -> None:
        seen.append(event["item"]["id"])
        later(50)(bench, event)

    bench = Bench(mapping(), work)
    execution = bench.run()
    assert sorted(seen) == [item["id"] for item in ITEMS]
    assert bench.machine.most_at_once == 3
    assert execution.ended == 3 * 51  # seven items, three at a time
    assert execution.output == [{"count": 1}] * 7
    # started; entered, started, run started, run succeeded, succeeded, exited; succeeded: whatever the number of items
    assert (execution.transitions, execution.events) == (1, 8)
    assert sum(child.transitions for child in bench.machine.executions if child is not execution) == 7


def test_a_choice_a_pause_and_a_failure() -> None:
    definition = {
        "StartAt": "What next?",
        "States": {
            "What next?": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.item", "StringEquals": "x", "Next": "Pause"}],
                "Default": "Done",
            },
            "Pause": {"Type": "Wait", "SecondsPath": "$.most", "Next": "Stopped"},
            "Stopped": {"Type": "Fail", "Error": "Stopped", "CausePath": "$.key"},
            "Done": {"Type": "Succeed"},
        },
    }
    execution = Bench(definition, later(0)).run()
    assert execution.error is not None
    assert (execution.error.name, execution.error.cause) == ("Stopped", "items")
    assert (execution.ended, execution.transitions) == (3, 3)


def test_a_state_that_is_not_known_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="Parallel"):
        Bench({"StartAt": "A", "States": {"A": {"Type": "Parallel", "End": True}}}, later(0)).run()
