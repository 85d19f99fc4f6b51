"""The simulated CodeBuild: its limit, its queue, its tokens and its throttling."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.bench.burst.codebuild import TOKEN_MEMORY_SECONDS, Build, CodeBuild, Limits
from tests.bench.burst.simulation import Process, Simulation

BUILD_SECONDS = 60.0
ONE = Limits(running=1, throttled=0.0, queued_seconds=90.0)


class Account:
    """An account whose builds all take a minute."""

    def __init__(self, limits: Limits = ONE) -> None:
        self.simulation = Simulation()
        self.ended: list[tuple[tuple[str, ...], float]] = []
        self.codebuild = CodeBuild(self.simulation, limits=limits, seed=1, work=self._work)

    def _work(self, build: Build, process: Process) -> None:
        process.sleep(BUILD_SECONDS)
        self.ended.append((build.ids, self.simulation.now))


def request(deployment_id: str, **options: Any) -> dict[str, Any]:
    variables = [{"name": "DEPLOYMENT_IDS", "value": json.dumps([deployment_id])}]
    return {"projectName": "p", "environmentVariablesOverride": variables, **options}


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_builds_over_the_limit_wait_and_those_over_the_queue_are_refused() -> None:
    account = Account(Limits(running=1, throttled=0.0))
    for number in range(6):
        account.codebuild.start(request(f"t{number}"))
    with pytest.raises(ClientError) as refused:
        account.codebuild.start(request("t6"))
    assert code_of(refused) == "AccountLimitExceededException"
    account.simulation.run()
    assert account.ended == [((f"t{number}",), BUILD_SECONDS * (number + 1)) for number in range(6)]


def test_a_build_that_waited_too_long_is_over_without_having_run() -> None:
    account = Account()
    for number in range(3):
        account.codebuild.start(request(f"t{number}"))
    account.simulation.run()
    assert [ids for ids, _ in account.ended] == [("t0",), ("t1",)]
    assert account.codebuild.counts.timed_out == 1
    assert all(build.complete for build in account.codebuild.builds.values())


def test_a_token_brings_the_same_build_and_refuses_another_request() -> None:
    account = Account()
    first = account.codebuild.start(request("t0", idempotencyToken="a"))
    assert account.codebuild.start(request("t0", idempotencyToken="a")) == first
    with pytest.raises(ClientError) as refused:
        account.codebuild.start(request("t1", idempotencyToken="a"))
    assert code_of(refused) == "InvalidInputException"
    later = list[str]()
    again = request("t0", idempotencyToken="a")
    account.simulation.after(TOKEN_MEMORY_SECONDS + 1, lambda: later.append(account.codebuild.start(again)))
    account.simulation.run()
    assert later != [first]


def test_about_the_share_of_calls_that_was_asked_for_is_throttled() -> None:
    account = Account(Limits(running=1000, throttled=0.1))
    for number in range(1000):
        with suppress(ClientError):
            account.codebuild.start(request(f"t{number}"))
    assert 70 < account.codebuild.counts.throttled < 130
    assert len(account.codebuild.builds) == 1000 - account.codebuild.counts.throttled
    account.simulation.run()
